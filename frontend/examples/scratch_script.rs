use wasmelt_frontend::script::*;
fn main() {
    for file in std::env::args().skip(1) {
        let t = std::time::Instant::now();
        match read_script(std::path::Path::new(&file)) {
            Err(e) => println!("FILE {file}: {e}"),
            Ok(s) => {
                for d in &s.directives {
                    match &d.kind {
                        DirectiveKind::AssertRejected { keyword, rejected: false } => {
                            println!("{file}:{} {keyword} accepted", d.line)
                        }
                        DirectiveKind::Module { definition: Definition::Rejected(e), .. } => {
                            println!("{file}:{} module rejected {e}", d.line)
                        }
                        DirectiveKind::AssertUnlinkable(Definition::Rejected(e)) => {
                            println!("{file}:{} unlinkable module rejected {e}", d.line)
                        }
                        DirectiveKind::Module {
                            definition: Definition::Unsupported(e), ..
                        } => println!("{file}:{} unsupported {e}", d.line),
                        _ => {}
                    }
                }
            }
        }
        if t.elapsed().as_millis() > 1000 {
            println!("SLOW {file} {:?}", t.elapsed());
        }
    }
}
