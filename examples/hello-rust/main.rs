use std::io::{Read, Write};
fn main() {
    let args: Vec<String> = std::env::args().collect();
    println!("hello args={args:?}");
    for (k, v) in std::env::vars() {
        println!("env {k}={v}");
    }
    let t = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    eprintln!("time ok {}", t.as_secs() > 0);
    let mut s = String::new();
    std::io::stdin().read_to_string(&mut s).unwrap();
    println!("stdin {} bytes", s.len());
    if let Some(p) = args.get(1) {
        std::fs::File::create(p).and_then(|mut f| f.write_all(b"written\n")).unwrap();
        println!("file: {:?}", std::fs::read_to_string(p));
    }
    let mut m = std::collections::HashMap::new();
    for i in 0..1000u32 {
        *m.entry(i % 7).or_insert(0u64) += i as u64;
    }
    let mut v: Vec<_> = m.into_iter().collect();
    v.sort();
    println!("{v:?}");
}
