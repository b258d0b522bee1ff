//! `wasi:random`. Small requests are served from a page of random bytes that is filled by one
//! system call. The insecure functions give secure bytes too: nothing would be gained by others.

use crate::scratch;
use crate::single::Single;
use crate::wasi::abi::{List, Out};
use crate::{abort, traps};
use core::mem::MaybeUninit;
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use wasmelt_abi::trap::Trap;

const PAGE_BYTES: usize = 4096;
/// Longer requests go to the kernel at once.
const BUFFERED_BYTES_MAX: usize = 256;
/// The largest list that the canonical ABI has to support.
const LIST_BYTES_MAX: u64 = (1 << 28) - 1;

struct Page {
    bytes: [u8; PAGE_BYTES],
    /// How many at the end are still unused.
    left: usize,
}

static PAGE: Single<Page> = Single::new(Page { bytes: [0; PAGE_BYTES], left: 0 });

/// A tuple of two words.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Seed(u64, u64);

fn fill_from_kernel(mut bytes: &mut [MaybeUninit<u8>]) {
    while !bytes.is_empty() {
        match getrandom(&mut *bytes, GetRandomFlags::empty()) {
            Ok((filled, _)) => {
                let filled = filled.len();
                bytes = bytes.get_mut(filled..).unwrap_or_default();
            }
            Err(Errno::INTR) => {}
            Err(_) => abort::stop("wasmelt: the system gives no random bytes\n"),
        }
    }
}

/// Fills bytes of whatever place.
pub fn fill(bytes: &mut [MaybeUninit<u8>]) {
    if bytes.len() > BUFFERED_BYTES_MAX {
        return fill_from_kernel(bytes);
    }
    PAGE.with(|page| {
        if page.left < bytes.len() {
            // SAFETY: bytes that are initialised already may be written through this view, which
            // is only ever filled.
            fill_from_kernel(unsafe {
                core::slice::from_raw_parts_mut(page.bytes.as_mut_ptr().cast(), PAGE_BYTES)
            });
            page.left = PAGE_BYTES;
        }
        let unused = page.bytes.iter_mut().skip(PAGE_BYTES - page.left);
        for (to, from) in bytes.iter_mut().zip(unused) {
            // What was given out is not kept.
            to.write(core::mem::take(from));
        }
        page.left -= bytes.len();
    });
}

fn random_bytes(len: u64) -> List<u8> {
    if len > LIST_BYTES_MAX {
        traps::raise(Trap::TooLong);
    }
    let bytes = scratch::slice(len as usize);
    fill(bytes);
    // SAFETY: all have just been filled.
    unsafe { List::of_scratch(bytes, len as usize) }
}

/// A random word.
pub fn random_u64() -> u64 {
    let mut bytes = [MaybeUninit::uninit(); 8];
    fill(&mut bytes);
    // SAFETY: all have just been filled.
    u64::from_ne_bytes(bytes.map(|byte| unsafe { byte.assume_init() }))
}

/// `random.get-random-bytes`.
#[unsafe(export_name = "wasi_random_random__get_random_bytes")]
pub extern "C" fn get_random_bytes(len: u64, out: Out<List<u8>>) {
    out.write(random_bytes(len));
}

/// `random.get-random-u64`.
#[unsafe(export_name = "wasi_random_random__get_random_u64")]
pub extern "C" fn get_random_u64() -> u64 {
    random_u64()
}

/// `insecure.get-insecure-random-bytes`.
#[unsafe(export_name = "wasi_random_insecure__get_insecure_random_bytes")]
pub extern "C" fn get_insecure_random_bytes(len: u64, out: Out<List<u8>>) {
    out.write(random_bytes(len));
}

/// `insecure.get-insecure-random-u64`.
#[unsafe(export_name = "wasi_random_insecure__get_insecure_random_u64")]
pub extern "C" fn get_insecure_random_u64() -> u64 {
    random_u64()
}

/// `insecure-seed.insecure-seed`.
#[unsafe(export_name = "wasi_random_insecure_seed__insecure_seed")]
pub extern "C" fn insecure_seed(out: Out<Seed>) {
    out.write(Seed(random_u64(), random_u64()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::single::take_turn;

    #[test]
    fn long_and_short_requests_differ_each_time() {
        let _turn = take_turn();
        for len in [1, 200, 256, 257, 10_000] {
            let mut lists = [MaybeUninit::uninit(), MaybeUninit::uninit()];
            for list in &mut lists {
                get_random_bytes(len + 15, list);
            }
            // SAFETY: both have been written.
            let [a, b] = lists.map(|list| unsafe { list.assume_init() }.as_slice());
            assert_eq!((a.len() as u64, b.len() as u64), (len + 15, len + 15));
            assert_ne!(a, b);
        }
    }

    #[test]
    fn words_are_not_repeated() {
        let _turn = take_turn();
        let mut words: Vec<u64> = (0..2000).map(|_| get_random_u64()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), 2000);
    }
}
