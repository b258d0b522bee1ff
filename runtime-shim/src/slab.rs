//! Tables of resources: the representation that a guest's handle stands for is an index here.
//!
//! Each kind of resource has a table of its own. The first `FIXED` entries are there from the
//! start and are never removed (standard streams, for example); the table maps memory only when
//! there are more.

use crate::{abort, pages};
use core::ptr::null_mut;

/// Number of entries in the first mapping.
const CAPACITY_MIN: u32 = 64;

/// A table.
pub struct Slab<T: Copy, const FIXED: usize> {
    fixed: [T; FIXED],
    slots: *mut Slot<T>,
    capacity: u32,
    /// The lowest slot that was never used.
    next: u32,
    /// The free slot that is used next, plus one.
    free: u32,
}

#[derive(Clone, Copy)]
enum Slot<T> {
    /// The next free slot, plus one.
    Free(u32),
    Used(T),
}

impl<T: Copy, const FIXED: usize> Slab<T, FIXED> {
    /// A table with its fixed entries.
    pub const fn new(fixed: [T; FIXED]) -> Self {
        Slab { fixed, slots: null_mut(), capacity: 0, next: 0, free: 0 }
    }

    /// Adds an entry and returns its index.
    pub fn insert(&mut self, value: T) -> u32 {
        let slot = match self.free.checked_sub(1) {
            Some(slot) => slot,
            None => {
                if self.next == self.capacity {
                    self.grow();
                }
                self.next += 1;
                self.next - 1
            }
        };
        // SAFETY: a free slot was used before, and `next` is below the capacity.
        unsafe {
            let at = self.slots.add(slot as usize);
            if self.free != 0 {
                let Slot::Free(next) = at.read() else { abort::broken_invariant() };
                self.free = next;
            }
            at.write(Slot::Used(value));
        }
        slot + FIXED as u32
    }

    /// An entry. Handle tables give out only indices that are in use.
    pub fn get(&mut self, index: u32) -> &mut T {
        if (index as usize) < FIXED {
            return &mut self.fixed[index as usize];
        }
        match self.slot(index) {
            Slot::Used(value) => value,
            Slot::Free(_) => abort::broken_invariant(),
        }
    }

    /// Removes an entry; `None` if it is a fixed one, which stays.
    pub fn remove(&mut self, index: u32) -> Option<T> {
        if (index as usize) < FIXED {
            return None;
        }
        let free = self.free;
        match core::mem::replace(self.slot(index), Slot::Free(free)) {
            Slot::Used(value) => {
                self.free = index - FIXED as u32 + 1;
                Some(value)
            }
            Slot::Free(_) => abort::broken_invariant(),
        }
    }

    /// Works on every entry.
    pub fn for_each(&mut self, mut work: impl FnMut(&mut T)) {
        self.fixed.iter_mut().for_each(&mut work);
        for index in 0..self.next {
            if let Slot::Used(value) = self.slot(index + FIXED as u32) {
                work(value);
            }
        }
    }

    fn slot(&mut self, index: u32) -> &mut Slot<T> {
        let slot = index - FIXED as u32;
        if slot >= self.next {
            abort::broken_invariant();
        }
        // SAFETY: slots below `next` are initialised.
        unsafe { &mut *self.slots.add(slot as usize) }
    }

    #[cold]
    fn grow(&mut self) {
        let Some(capacity) = self.capacity.max(CAPACITY_MIN / 2).checked_mul(2) else {
            abort::out_of_memory()
        };
        let slots = pages::map(capacity as usize * size_of::<Slot<T>>()).cast::<Slot<T>>();
        // SAFETY: the old slots are initialised up to `next`, which is the old capacity; nothing
        // refers to them any more, because every reference borrows the table.
        unsafe {
            if self.capacity != 0 {
                slots.copy_from_nonoverlapping(self.slots, self.capacity as usize);
                let old_bytes = self.capacity as usize * size_of::<Slot<T>>();
                pages::unmap(self.slots.cast(), old_bytes);
            }
        }
        self.slots = slots;
        self.capacity = capacity;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_entries_stay() {
        let mut slab = Slab::new([10, 20]);
        assert_eq!(slab.insert(30), 2);
        assert_eq!(slab.remove(1), None);
        *slab.get(1) += 1;
        assert_eq!((*slab.get(0), *slab.get(1), *slab.get(2)), (10, 21, 30));
    }

    #[test]
    fn the_last_one_freed_is_used_first() {
        let mut slab = Slab::new([]);
        for value in 0..4 {
            assert_eq!(slab.insert(value), value);
        }
        assert_eq!((slab.remove(1), slab.remove(2)), (Some(1), Some(2)));
        assert_eq!((slab.insert(7), slab.insert(8), slab.insert(9)), (2, 1, 4));
    }

    #[test]
    fn every_entry_is_visited() {
        let mut slab = Slab::new([1]);
        for value in [2, 3, 4] {
            slab.insert(value);
        }
        slab.remove(2);
        let mut seen = Vec::new();
        slab.for_each(|value| seen.push(*value));
        assert_eq!(seen, [1, 2, 4]);
    }

    #[test]
    fn grows_with_its_entries() {
        let mut slab = Slab::new([0u64]);
        for value in 1..1000 {
            assert_eq!(u64::from(slab.insert(value)), value);
        }
        assert!((0..1000).all(|index| *slab.get(index as u32) == index));
    }
}
