//! Values as adapters pass them: the canonical ABI over native memory.
//!
//! Everything is `repr(C)`, because the canonical layout of records and variants is C's: a
//! discriminant of the smallest fitting size, then the payload at the largest alignment of all.

use crate::scratch;
use core::mem::MaybeUninit;
use rustix::io::Errno;

/// Where a function puts a result that takes more than one register.
pub type Out<'a, T> = &'a mut MaybeUninit<T>;

/// A `list<T>` or a `string`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct List<T> {
    elements: *const T,
    len: usize,
}

impl<T> List<T> {
    /// A list of elements that stay where they are until the adapter has copied them.
    pub const fn new(elements: &'static [T]) -> List<T> {
        List { elements: elements.as_ptr(), len: elements.len() }
    }

    /// The initialised beginning of a slice of scratch memory.
    ///
    /// # Safety
    ///
    /// The first `len` elements must be initialised.
    pub unsafe fn of_scratch(elements: &'static [MaybeUninit<T>], len: usize) -> List<T> {
        List { elements: elements.as_ptr().cast(), len: len.min(elements.len()) }
    }

    /// The elements.
    #[cfg(test)]
    pub fn as_slice(&self) -> &'static [T] {
        // SAFETY: both constructors make it of elements that live long enough for a test.
        unsafe { core::slice::from_raw_parts(self.elements, self.len) }
    }
}

/// A list in the making: scratch memory that is filled from the front.
pub struct ListBuilder<T: 'static> {
    elements: &'static mut [MaybeUninit<T>],
    len: usize,
}

impl<T: Copy> ListBuilder<T> {
    /// Room for that many elements.
    pub fn with_capacity(capacity: usize) -> ListBuilder<T> {
        ListBuilder { elements: scratch::slice(capacity), len: 0 }
    }

    /// Appends an element if there is room.
    pub fn push(&mut self, element: T) {
        if let Some(slot) = self.elements.get_mut(self.len) {
            slot.write(element);
            self.len += 1;
        }
    }

    /// Appends elements as far as there is room.
    pub fn extend(&mut self, elements: &[T]) {
        let room = self.elements.get_mut(self.len..).unwrap_or_default();
        let taken = elements.len().min(room.len());
        for (slot, element) in room.iter_mut().zip(elements) {
            slot.write(*element);
        }
        self.len += taken;
    }

    /// The list.
    pub fn finish(self) -> List<T> {
        // SAFETY: `push` has initialised them.
        unsafe { List::of_scratch(self.elements, self.len) }
    }
}

/// A `string` of those bytes. What is not UTF-8 in them becomes U+FFFD, because a guest's string
/// holds nothing else.
pub fn string_from(bytes: &'static [u8]) -> List<u8> {
    if crate::utf8::is_valid(bytes) {
        return List::new(bytes);
    }
    // Each byte becomes three at most.
    let mut text = ListBuilder::with_capacity(bytes.len().saturating_mul(3));
    for chunk in bytes.utf8_chunks() {
        text.extend(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            text.extend("\u{fffd}".as_bytes());
        }
    }
    text.finish()
}

/// The bytes of a `string` or `list<u8>` parameter, or the elements of another list.
///
/// # Safety
///
/// The pair must have come from an adapter and not outlive the call.
pub unsafe fn elements<'a, T>(pointer: *const T, len: usize) -> &'a [T] {
    if len == 0 {
        return &[];
    }
    // SAFETY: adapters check bounds and alignment before they call.
    unsafe { core::slice::from_raw_parts(pointer, len) }
}

/// A `result<T, E>` with a payload in at least one case.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Outcome<T: Copy, E: Copy> {
    tag: u8,
    payload: Either<T, E>,
}

#[derive(Clone, Copy)]
#[repr(C)]
union Either<T: Copy, E: Copy> {
    ok: T,
    err: E,
}

impl<T: Copy, E: Copy> From<Result<T, E>> for Outcome<T, E> {
    #[inline]
    fn from(result: Result<T, E>) -> Self {
        match result {
            Ok(ok) => Outcome { tag: 0, payload: Either { ok } },
            Err(err) => Outcome { tag: 1, payload: Either { err } },
        }
    }
}

#[cfg(test)]
impl<T: Copy, E: Copy> Outcome<T, E> {
    /// The value as a test wants it.
    pub fn into_result(self) -> Result<T, E> {
        // SAFETY: the tag says which.
        unsafe { if self.tag == 0 { Ok(self.payload.ok) } else { Err(self.payload.err) } }
    }
}

/// An `option<T>`.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Maybe<T: Copy> {
    tag: u8,
    payload: MaybeUninit<T>,
}

impl<T: Copy> From<Option<T>> for Maybe<T> {
    #[inline]
    fn from(option: Option<T>) -> Self {
        match option {
            None => Maybe { tag: 0, payload: MaybeUninit::uninit() },
            Some(value) => Maybe { tag: 1, payload: MaybeUninit::new(value) },
        }
    }
}

impl<T: Copy> Maybe<T> {
    /// The value, for a parameter: adapters pass no tag but 0 and 1.
    pub fn into_option(self) -> Option<T> {
        // SAFETY: the tag says whether there is one.
        (self.tag == 1).then(|| unsafe { self.payload.assume_init() })
    }
}

/// `wasi:clocks/wall-clock.datetime`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Datetime {
    /// Since the beginning of 1970.
    pub seconds: u64,
    /// Below 1,000,000,000.
    pub nanoseconds: u32,
}

/// `wasi:io/streams.stream-error`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct StreamError {
    tag: u8,
    error: u32,
}

impl StreamError {
    /// The stream is closed.
    pub const CLOSED: StreamError = StreamError { tag: 1, error: 0 };

    /// The last operation failed.
    pub fn failed(errno: Errno) -> StreamError {
        StreamError { tag: 0, error: errno.raw_os_error() as u32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::mem::offset_of;

    #[test]
    fn layouts_are_canonical() {
        assert_eq!(size_of::<Outcome<u64, StreamError>>(), 16);
        assert_eq!(size_of::<Outcome<(), StreamError>>(), 12);
        assert_eq!(offset_of!(Outcome<(), StreamError>, payload), 4);
        assert_eq!((size_of::<Outcome<u32, u8>>(), offset_of!(Outcome<u32, u8>, payload)), (8, 4));
        assert_eq!((size_of::<Outcome<(), u8>>(), offset_of!(Outcome<(), u8>, payload)), (2, 1));
        assert_eq!((size_of::<Maybe<Datetime>>(), offset_of!(Maybe<Datetime>, payload)), (24, 8));
    }

    #[test]
    fn strings_are_made_valid() {
        let _turn = crate::single::take_turn();
        assert_eq!(string_from(b"plain \xc3\xa9").as_slice(), b"plain \xc3\xa9");
        assert_eq!(string_from(b"a\xffb\xe2\x82").as_slice(), "a\u{fffd}b\u{fffd}".as_bytes());
    }
}
