//! The results in the documents: JSON, tables and charts, rewritten in place.
//!
//! `docs/benchmarks/GROUP.json` holds what was measured last. Tables in `docs/benchmarks.md` stand
//! between `<!-- table NAME -->` and `<!-- end -->`, what is known about the run of a group between
//! `<!-- run GROUP -->` and `<!-- end -->`. Charts are drawn from the JSON alone, so all of it can be
//! made again from there without measuring.

use crate::charts::draw_charts;
use crate::markdown::to_markdown;
use crate::report::Results;
use std::fs;
use std::path::{Path, PathBuf};

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// Puts a group's results into the documents.
pub fn publish(results: &Results) -> Result<(), String> {
    let path = docs().join("benchmarks").join(format!("{}.json", results.group));
    write(&path, &results.to_json()?)
}

/// Writes tables and charts again from the results that are there.
pub fn render() -> Result<(), String> {
    let all = read_results()?;
    let page = docs().join("benchmarks.md");
    write(&page, &fill_page(&read(&page)?, &all)?)?;
    for results in &all {
        for (name, svg) in draw_charts(results)? {
            write(&docs().join("charts").join(format!("{name}.svg")), &svg)?;
        }
    }
    Ok(())
}

/// All results that are there, by group.
fn read_results() -> Result<Vec<Results>, String> {
    let folder = docs().join("benchmarks");
    let fail = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in fs::read_dir(&folder).map_err(fail)? {
        paths.push(entry.map_err(fail)?.path());
    }
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.iter().map(|path| Results::from_json(&read(path)?)).collect()
}

/// The page with each marked part replaced.
fn fill_page(page: &str, all: &[Results]) -> Result<String, String> {
    const END: &str = "<!-- end -->";
    let mut text = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        text += line;
        text += "\n";
        let Some(contents) = find_contents(line, all)? else { continue };
        text += contents.trim_end();
        text += "\n";
        if !lines.any(|line| line == END) {
            return Err(format!("`{line}` has no end"));
        }
        text += END;
        text += "\n";
    }
    Ok(text)
}

/// What belongs behind a mark; `None` if the line is none.
fn find_contents(line: &str, all: &[Results]) -> Result<Option<String>, String> {
    let mark = line.strip_prefix("<!-- ").and_then(|line| line.strip_suffix(" -->"));
    match mark.and_then(|mark| mark.split_once(' ')) {
        Some(("table", name)) => {
            let tables = all.iter().flat_map(|results| &results.tables);
            let table = tables.into_iter().find(|table| table.name == name);
            let table = table.ok_or_else(|| format!("no results have a table `{name}`"))?;
            Ok(Some(to_markdown(table)))
        }
        Some(("run", group)) => {
            let results = all.iter().find(|results| results.group == group);
            let results = results.ok_or_else(|| format!("there are no results of `{group}`"))?;
            Ok(Some(format!("{}.\n", results.circumstances)))
        }
        _ => Ok(None),
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    let fail = |error: std::io::Error| format!("{}: {error}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    fs::write(path, text).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_show_their_results() {
        let all = read_results().expect("the results can be read");
        assert!(!all.is_empty(), "the results are gone");
        let page = read(&docs().join("benchmarks.md")).expect("the page is there");
        assert_eq!(fill_page(&page, &all).expect("every mark has results"), page);
        for results in &all {
            for (name, svg) in draw_charts(results).expect("charts can be drawn") {
                let path = docs().join("charts").join(format!("{name}.svg"));
                let drawn = read(&path).expect("the chart is there");
                assert!(drawn == svg, "{} shows something else", path.display());
                assert!(page.contains(&format!("charts/{name}.svg")), "nobody shows {name}");
            }
        }
    }
}
