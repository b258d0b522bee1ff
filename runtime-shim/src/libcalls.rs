//! What Cranelift calls where the target has no instruction for it.
//!
//! WebAssembly wants the NaN that comes out of an operation to be quiet. The library's rounding
//! functions return their operand, so a NaN goes through an addition, which quiets it.

macro_rules! rounding {
    ($($name:ident($float:ty) = $library:path;)*) => {$(
        #[doc = concat!("`", stringify!($name), "` of the C library.")]
        #[cfg_attr(not(test), unsafe(no_mangle))]
        pub extern "C" fn $name(x: $float) -> $float {
            if x.is_nan() { x + x } else { $library(x) }
        }
    )*};
}

rounding! {
    ceil(f64) = libm::ceil;
    ceilf(f32) = libm::ceilf;
    floor(f64) = libm::floor;
    floorf(f32) = libm::floorf;
    trunc(f64) = libm::trunc;
    truncf(f32) = libm::truncf;
    nearbyint(f64) = libm::rint;
    nearbyintf(f32) = libm::rintf;
}

/// `fma` of the C library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fma(x: f64, y: f64, z: f64) -> f64 {
    if x.is_nan() || y.is_nan() || z.is_nan() { x + y + z } else { libm::fma(x, y, z) }
}

/// `fmaf` of the C library.
#[cfg_attr(not(test), unsafe(no_mangle))]
pub extern "C" fn fmaf(x: f32, y: f32, z: f32) -> f32 {
    if x.is_nan() || y.is_nan() || z.is_nan() { x + y + z } else { libm::fmaf(x, y, z) }
}

/// `pshufb`: each byte of `indices` selects a byte of `bytes` by its low four bits, or is zero if
/// its high bit is set.
#[cfg(target_arch = "x86_64")]
#[expect(improper_ctypes_definitions, reason = "a vector passes in a register, as in C")]
#[unsafe(no_mangle)]
pub extern "C" fn wasmelt_x86_pshufb(
    bytes: core::arch::x86_64::__m128i,
    indices: core::arch::x86_64::__m128i,
) -> core::arch::x86_64::__m128i {
    // SAFETY: a vector register and an array of 16 bytes have the same size and no invalid values.
    unsafe {
        let bytes: [u8; 16] = core::mem::transmute(bytes);
        let indices: [u8; 16] = core::mem::transmute(indices);
        let select = |index: u8| if index < 0x80 { bytes[usize::from(index & 15)] } else { 0 };
        core::mem::transmute(indices.map(select))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_halves_to_even_and_keeps_signs() {
        assert_eq!(nearbyint(2.5), 2.0);
        assert_eq!(nearbyint(3.5), 4.0);
        assert_eq!(nearbyintf(-0.4).to_bits(), (-0.0f32).to_bits());
        assert_eq!(ceil(-0.5).to_bits(), (-0.0f64).to_bits());
        assert_eq!((floor(-1.5), truncf(-1.5)), (-2.0, -1.0));
    }

    #[test]
    fn quiets_nans() {
        let signalling = f64::from_bits(0x7ff0_0000_0000_0001);
        for got in [ceil(signalling), nearbyint(signalling), fma(signalling, 1.0, 1.0)] {
            assert_eq!(got.to_bits() & 0x7ff8_0000_0000_0000, 0x7ff8_0000_0000_0000);
        }
    }

    #[test]
    fn fuses_without_rounding_in_between() {
        let x = 1.0 + f64::EPSILON;
        assert_eq!(fma(x, x, -(x * x)), f64::EPSILON * f64::EPSILON);
    }
}
