//! What a processor may have beyond what all of its kind have: the features that a program can
//! need, by their position in its architecture's list. A program that needs any asks for them when
//! it starts ([`crate::symbols::REQUIRE_PROCESSOR`]).

/// x86-64.
pub const X86_64: &[&str] = &[
    "sse3",
    "ssse3",
    "sse41",
    "sse42",
    "popcnt",
    "cmpxchg16b",
    "avx",
    "avx2",
    "bmi1",
    "bmi2",
    "fma",
    "lzcnt",
    "avx512bitalg",
    "avx512dq",
    "avx512f",
    "avx512vbmi",
    "avx512vl",
];

/// The features, bits by their numbers, of each level of x86-64 processors that functions may have a
/// version for: each has all of those before.
pub const X86_64_LEVELS: [u64; 3] =
    [X86_64_V3, X86_64_V3 | X86_64_AVX512, X86_64_V3 | X86_64_AVX512 | X86_64_BITALG];
/// The levels 2 and 3 of the psABI's supplement: AVX2, multiplying with adding, bit manipulation.
const X86_64_V3: u64 = (1 << 12) - 1;
/// The part of level 4 that generated code knows: vectors of 16 bytes in AVX-512's encoding.
const X86_64_AVX512: u64 = 1 << 13 | 1 << 14 | 1 << 16;
/// Counting the bits of bytes.
const X86_64_BITALG: u64 = 1 << 12;

/// AArch64.
pub const AARCH64: &[&str] = &["lse", "fp16", "pauth"];

/// RISC-V. With `v` come vectors of 128 bits.
pub const RISCV64: &[&str] = &["v", "zba", "zbb", "zbs", "zbc", "zbkb", "zcb", "zfa", "zicond"];

/// z/Architecture.
pub const S390X: &[&str] = &["mie3", "mie4", "vxrs_ext2", "vxrs_ext3"];

/// The features of the machine that this is compiled for.
#[cfg(target_arch = "x86_64")]
pub const OWN: &[&str] = X86_64;
/// The features of the machine that this is compiled for.
#[cfg(target_arch = "aarch64")]
pub const OWN: &[&str] = AARCH64;
/// The features of the machine that this is compiled for.
#[cfg(target_arch = "riscv64")]
pub const OWN: &[&str] = RISCV64;
/// The features of the machine that this is compiled for.
#[cfg(target_arch = "s390x")]
pub const OWN: &[&str] = S390X;
