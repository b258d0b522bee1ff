//! Names that the user may have meant.

use crate::declarations::World;
use crate::host::{interface_key, path_of};

/// How many names a message lists.
const LISTED_MAX: usize = 5;

/// The host's interfaces whose names are like that one, in back quotes.
pub(crate) fn interfaces(world: &World, name: &str) -> Vec<String> {
    let all = world.interfaces.values().filter_map(|id| world.resolve.id_of(*id));
    let path = path_of(name);
    let like = all.filter(|known| is_near(path_of(known), path));
    like.take(LISTED_MAX).map(|known| format!("`{known}`")).collect()
}

/// The host's functions of an interface whose names are like that one, in back quotes.
pub(crate) fn functions(world: &World, interface: &str, name: &str) -> Vec<String> {
    let Some(id) = world.interfaces.get(&interface_key(interface)) else {
        return Vec::new();
    };
    let all = world.resolve.interfaces[*id].functions.keys();
    let like = all.filter(|known| is_near(known, name));
    like.take(LISTED_MAX).map(|known| format!("`{known}`")).collect()
}

/// Whether one name can be a slip of the other.
fn is_near(a: &str, b: &str) -> bool {
    strsim::levenshtein(a, b) <= 1 + a.len().min(b.len()) / 6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_others_are_not() {
        assert!(is_near("wasi:io/stream", "wasi:io/streams"));
        assert!(is_near("get-stdout", "get-stdut"));
        assert!(!is_near("get-stdout", "get-environment"));
    }
}
