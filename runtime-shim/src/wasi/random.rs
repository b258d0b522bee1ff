//! `wasi:random`. Small requests are served from a page of random bytes. The insecure functions give
//! secure bytes too: nothing would be gained by others.
//!
//! The page is the key stream of ChaCha20, the kernel's own generator, which with vector
//! instructions takes a fraction of the kernel's time. The key is used for one page only: the
//! stream's first bytes replace it, and what was given out is erased, so nothing that is found in
//! memory tells what was given out before. Now and then the key comes from the kernel again, so
//! what is found does not tell the future either. The process has one thread and never forks:
//! nobody else has the same state.

use crate::scratch;
use crate::single::Single;
use crate::wasi::abi::{List, Out};
use crate::{abort, traps};
use core::mem::MaybeUninit;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use wasmelt_abi::trap::Trap;

/// Words in a page of key stream.
const PAGE_WORDS: usize = 512;
const PAGE_BYTES: usize = PAGE_WORDS * 8;
const KEY_WORDS: usize = 4;
/// How many pages follow from one key of the kernel's: a megabyte.
const PAGES_PER_SEED: u32 = 256;
/// Longer requests go to the kernel at once.
const BUFFERED_BYTES_MAX: usize = 256;
/// The largest list that the canonical ABI has to support.
const LIST_BYTES_MAX: u64 = (1 << 28) - 1;

struct Generator {
    /// The next page's key, then words to give out. What was given out is zero.
    page: [u64; PAGE_WORDS],
    /// The next word to give out.
    next: usize,
    /// How many pages the key is still good for.
    pages_left: u32,
}

static GENERATOR: Single<Generator> =
    Single::new(Generator { page: [0; PAGE_WORDS], next: PAGE_WORDS, pages_left: 0 });

impl Generator {
    /// The next word of the key stream.
    #[inline(always)]
    fn take_word(&mut self) -> u64 {
        loop {
            if let Some(word) = self.page.get_mut(self.next) {
                self.next += 1;
                return core::mem::take(word);
            }
            self.make_page();
        }
    }

    /// Replaces the page, and the key by its own first bytes.
    #[cold]
    fn make_page(&mut self) {
        let mut key = [0; KEY_WORDS * 8];
        if self.pages_left == 0 {
            // SAFETY: bytes that are initialised already may be written through this view, which
            // is only ever filled.
            fill_from_kernel(unsafe {
                core::slice::from_raw_parts_mut(key.as_mut_ptr().cast(), key.len())
            });
            self.pages_left = PAGES_PER_SEED;
        } else {
            for (bytes, word) in key.chunks_exact_mut(8).zip(&self.page) {
                bytes.copy_from_slice(&word.to_ne_bytes());
            }
        }
        self.pages_left -= 1;
        let mut stream = ChaCha20Rng::from_seed(key);
        // SAFETY: any bytes are words.
        stream.fill_bytes(unsafe {
            core::slice::from_raw_parts_mut(self.page.as_mut_ptr().cast(), PAGE_BYTES)
        });
        self.next = KEY_WORDS;
    }
}

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
    GENERATOR.with(|generator| {
        for chunk in bytes.chunks_mut(8) {
            let word = generator.take_word().to_ne_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                to.write(from);
            }
        }
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
    GENERATOR.with(Generator::take_word)
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
        // More than one key of the kernel's is good for.
        let count = PAGE_WORDS * (PAGES_PER_SEED as usize + 2);
        let mut words: Vec<u64> = (0..count).map(|_| get_random_u64()).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
    }

    #[test]
    fn what_was_given_out_is_erased() {
        let _turn = take_turn();
        let words = [random_u64(), random_u64(), random_u64()];
        GENERATOR.with(|generator| {
            let (given, _) = generator.page.split_at(generator.next);
            assert!(given[KEY_WORDS..].iter().all(|word| *word == 0));
            assert!(words.iter().all(|word| !generator.page.contains(word)));
        });
    }
}
