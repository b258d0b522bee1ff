//! The numbers beyond which flattening refuses, each with a name.
//!
//! A few bytes of input can ask for a great many instances, because a component
//! may instantiate another one twice, which does so in turn. These limits keep
//! the program, and with it time and memory, in proportion.

/// Component instances of a program.
pub const COMPONENT_INSTANCES_MAX: usize = 100_000;
/// Core instances of a program.
pub const CORE_INSTANCES_MAX: usize = 200_000;
/// Functions of a program, dead ones included.
pub const FUNCS_MAX: usize = 20_000_000;
/// Elements that all element segments of all core instances have together.
pub const ELEMENTS_MAX: usize = 50_000_000;
/// How deep interface types may be nested; whoever walks one by recursion relies on it.
pub const TYPE_DEPTH_MAX: u8 = 100;
/// How deep instance types may be nested.
pub const INSTANCE_TYPE_DEPTH_MAX: usize = 100;
/// Pages of a memory that 32 bits index and whose pages are single bytes: one more page, and the
/// old size that `memory.grow` returns could not be told from its failure.
pub const BYTE_PAGES_MAX: u64 = u32::MAX as u64 - 1;
/// Elements of a table when it is created.
pub const TABLE_SIZE_MAX: u64 = 1 << 24;
