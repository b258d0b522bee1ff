//! Names that the user may have meant.

use crate::host::{World, interface_key, path_of};

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
    edit_distance(a, b) <= 1 + a.len().min(b.len()) / 6
}

/// How many single-byte changes turn one name into the other.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let changed = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_near_and_others_are_not() {
        assert!(is_near("wasi:io/stream", "wasi:io/streams"));
        assert!(is_near("get-stdout", "get-stdut"));
        assert!(!is_near("get-stdout", "get-environment"));
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
