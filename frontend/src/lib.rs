//! Files to a [`Composition`](composition::Composition): reads, validates and binds imported components.
//!
//! Holds afterwards: every byte of every file is valid, every imported component
//! is bound to a loaded one that is a subtype of the declared type, and what is
//! left of the root's imports is for the host.

pub mod composition;
pub mod error;
pub mod module;
pub mod types;

mod component_reader;
mod features;
mod limits;
mod module_reader;
mod preview1;
mod resolve;
pub mod script;
mod session;
mod source;
mod text;
mod value_size;

pub use composition::Root;
pub use resolve::{ReadOptions, bind_imports, read};
pub use session::{Session, validate};
