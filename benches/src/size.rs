//! How large executables are.
//!
//! All without symbols. What the reference engine needs is its own program, the same for all, and
//! the compiled file beside it; only the file is counted here.

use crate::report::{Figure, Measured, Row, Table};
use crate::startup::build_floors;
use crate::workshop::{Workshop, case_of, example};
use std::fs;
use std::path::{Path, PathBuf};
use wasmelt::args::Level;

/// Measures `hello.wat`, the same from Rust's standard library, and the files.
pub fn run(files: &[String]) -> Result<Vec<Table>, String> {
    let workshop = Workshop::new("size")?;
    let mut table = Table::new("size", "bytes");
    let mut inputs = vec![example("hello-wat/hello.wat"), example("hello-rust/hello.wasm")];
    inputs.extend(files.iter().map(PathBuf::from));
    for input in inputs {
        let case = case_of(&input);
        let mut figures = vec![
            figure("wasmelt", workshop.build_stripped(&input, Level::Two)),
            figure("wasmelt -O s", workshop.build_stripped(&input, Level::Size)),
        ];
        figures.extend(compiled(&workshop, &input));
        for (who, floor) in build_floors(&workshop) {
            figures.push(figure(who, floor));
        }
        table.rows.push(Row { case, figures });
    }
    Ok(vec![table])
}

fn figure(who: &str, file: Result<PathBuf, String>) -> Figure {
    let bytes = file.and_then(|file| fs::metadata(file).map_err(|error| error.to_string()));
    match bytes {
        Ok(metadata) => Figure::new(who, Measured::of([metadata.len() as f64])),
        Err(why) => Figure::absent(who, why),
    }
}

#[cfg(feature = "wasmtime")]
fn compiled(workshop: &Workshop, input: &Path) -> Option<Figure> {
    use crate::peer::{Configuration, precompile};
    let compile = || {
        let output = workshop.path("size.cwasm");
        let input = workshop.componentize(input)?;
        precompile(Configuration::Default, &input, &output)
            .map_err(|error| format!("{error:?}"))?;
        Ok(output)
    };
    Some(figure("wasmtime's file", compile()))
}

#[cfg(not(feature = "wasmtime"))]
fn compiled(_: &Workshop, _: &Path) -> Option<Figure> {
    None
}
