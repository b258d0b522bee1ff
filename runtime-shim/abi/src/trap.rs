//! Why a guest was stopped.

macro_rules! traps {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $message:literal;)*) => {
        /// The cause of a trap. The code is what a trap table holds; 0 is no code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Trap { $($(#[$doc])* $name = $code,)* }

        impl Trap {
            /// All causes, by code.
            pub const ALL: &'static [Trap] = &[$(Trap::$name,)*];

            /// The cause of that code.
            pub const fn from_code(code: u8) -> Option<Trap> {
                match code { $($code => Some(Trap::$name),)* _ => None }
            }

            /// What a message calls it.
            pub fn message(self) -> &'static str {
                MESSAGES.split('\0').nth(self as usize - 1).unwrap_or_default()
            }
        }

        /// The messages in the order of their codes, each ended by a zero byte: one constant instead
        /// of a table of pointers, which would be more than the messages in a small executable.
        const MESSAGES: &str = concat!($($message, "\0",)*);
    };
}

impl Trap {
    /// `message` and all after it, as bytes: found without what text needs, for code that has to be
    /// small. The message ends before the first zero byte.
    pub fn message_bytes(self) -> &'static [u8] {
        let mut rest = MESSAGES.as_bytes();
        let mut before = self as u8 - 1;
        while before > 0
            && let [first, tail @ ..] = rest
        {
            before -= u8::from(*first == 0);
            rest = tail;
        }
        rest
    }
}

// The codes count from 1 without a gap, so that a message is found by its position.
const _: () = {
    let mut at = 0;
    while at < Trap::ALL.len() {
        assert!(Trap::ALL[at] as usize == at + 1);
        at += 1;
    }
};

traps! {
    /// `unreachable` was executed.
    Unreachable = 1, "unreachable instruction executed";
    /// An access beyond the end of a memory.
    MemoryOutOfBounds = 2, "out of bounds memory access";
    /// An atomic access whose address is not a multiple of its size.
    MisalignedAtomic = 3, "unaligned atomic access";
    /// An access beyond the end of a table, or an undefined element of an indirect call.
    TableOutOfBounds = 4, "out of bounds table access";
    /// An indirect call of a null element.
    IndirectCallToNull = 5, "indirect call to an uninitialized element";
    /// An indirect call of a function of another type.
    IndirectCallType = 6, "indirect call type mismatch";
    /// A null reference where a value is needed.
    NullReference = 7, "null reference";
    /// Division or remainder by zero.
    DivideByZero = 8, "integer divide by zero";
    /// The quotient of the least integer and -1.
    IntegerOverflow = 9, "integer overflow";
    /// A float that no integer of the type represents.
    InvalidConversion = 10, "invalid conversion to integer";
    /// The call stack is exhausted.
    StackOverflow = 11, "call stack exhausted";
    /// `memory.atomic.wait` on a memory that is not shared.
    WaitOnUnshared = 12, "atomic wait on a memory that is not shared";
    /// A wait that nothing can ever end.
    Deadlock = 13, "deadlock: nothing can wake this wait";
    /// A pointer of the canonical ABI that is not aligned.
    Misaligned = 14, "canonical ABI: unaligned pointer";
    /// A pointer of the canonical ABI beyond the end of the memory.
    PointerOutOfBounds = 15, "canonical ABI: pointer out of bounds";
    /// A string that is not valid in its encoding.
    InvalidString = 16, "canonical ABI: invalid string encoding";
    /// A `char` that is no Unicode scalar value.
    InvalidChar = 17, "canonical ABI: invalid char";
    /// A discriminant beyond the last case.
    InvalidDiscriminant = 18, "canonical ABI: invalid variant discriminant";
    /// A string or a list that is longer than an implementation has to support.
    TooLong = 19, "canonical ABI: string or list too long";
    /// A handle index that is not in use.
    UnknownHandle = 20, "unknown handle index";
    /// A handle of another resource type.
    WrongHandleType = 21, "handle of another resource type";
    /// A borrow handle where an own handle is needed.
    NotOwned = 22, "borrow handle used as an own handle";
    /// An own handle is given away or dropped while it is lent.
    HandleLent = 23, "own handle used while it is lent";
    /// A task returned with borrow handles left.
    BorrowsLeft = 24, "borrow handles still remain at the end of the call";
    /// A component instance calls out where it must not (`realloc`, `post-return`).
    CannotLeave = 25, "cannot leave component instance";
    /// A component instance is entered while a call of it is active or after it trapped.
    CannotEnter = 26, "cannot enter component instance";
    /// Too many handles.
    TooManyHandles = 27, "handle table overflow";
    /// Cranelift found a state that the compiler calls impossible.
    Internal = 28, "internal error of the compiler";
    /// A memory or table is smaller than an import of it demands.
    Unlinkable = 29, "incompatible import: smaller than its declared minimum";
    /// A host function was called against its contract.
    HostContract = 30, "host function called against its contract";
    /// A script reached what is not implemented; no other program contains such code.
    Unsupported = 31, "not implemented";
}
