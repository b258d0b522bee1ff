//! The declarations of all host functions, in WIT: what the compiler checks imports against, and
//! what the shim implements. A function that is not implemented is not declared.

/// Name and text of each file; one package each.
pub const FILES: &[(&str, &str)] = &[
    ("io.wit", include_str!("../wit/io.wit")),
    ("clocks.wit", include_str!("../wit/clocks.wit")),
    ("random.wit", include_str!("../wit/random.wit")),
    ("cli.wit", include_str!("../wit/cli.wit")),
    ("filesystem.wit", include_str!("../wit/filesystem.wit")),
    ("sockets.wit", include_str!("../wit/sockets.wit")),
];
