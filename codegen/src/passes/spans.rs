//! Sets of the spans that a function stores to, as bits.
//!
//! The spans are sorted by region, root and distance. So those of one region lie side by side, those
//! of one root in it too, and the few that an access can overlap are found by bisection: what an
//! access costs does not depend on how many others there are.

use super::address::{DISTANCE_MAX, Root, Span};
use super::events::{Event, Events};
use cranelift_codegen::ir::AliasRegion;
use cranelift_entity::EntityRef;
use std::ops::Range;

/// No access is longer.
const ACCESS_BYTES_MAX: i64 = 16;

/// Rows of bits of equal length.
pub struct Bits {
    words: usize,
    bits: Vec<u64>,
}

impl Bits {
    /// Rows of words that all are `word`.
    pub fn new(rows: usize, words: usize, word: u64) -> Bits {
        Bits { words, bits: vec![word; rows * words] }
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.bits.len() / self.words
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[u64] {
        &self.bits[row * self.words..][..self.words]
    }

    /// One row, to change.
    pub fn row_mut(&mut self, row: usize) -> &mut [u64] {
        &mut self.bits[row * self.words..][..self.words]
    }

    /// Clears one bit.
    pub fn clear(&mut self, row: usize, number: usize) {
        self.row_mut(row)[number / 64] &= !(1 << (number % 64));
    }
}

/// The spans that have bits: a span's number is its place in the list.
pub struct Spans {
    list: Vec<Span>,
    /// The numbers of each region's spans.
    regions: Vec<(AliasRegion, Range<usize>)>,
}

/// What the list is sorted by.
fn sort_key(span: &Span) -> (usize, (u8, usize), i64, u32, i32) {
    let Span { region, address, len_bytes } = span;
    (region.index(), root_key(address.root), address.at, *len_bytes, address.wrap)
}

fn root_key(root: Root) -> (u8, usize) {
    match root {
        Root::Absolute => (0, 0),
        Root::Slot(slot) => (SLOT_KEY, slot.index()),
        Root::Index(value) => (2, value.index()),
        Root::Value(value) => (3, value.index()),
    }
}

const SLOT_KEY: u8 = 1;

impl Spans {
    /// The spans of all stores, as many as fit into that many words; nothing if there are none.
    pub fn of_stores(events: &Events, words_max: usize) -> Option<Spans> {
        let stores = events.all().iter().filter_map(|event| match event {
            Event::Store(_, access) => Some(access.span),
            _ => None,
        });
        let mut list: Vec<Span> = stores.collect();
        list.sort_unstable_by_key(sort_key);
        list.dedup();
        list.truncate(words_max * 64);
        let mut regions: Vec<(AliasRegion, Range<usize>)> = Vec::new();
        for (number, span) in list.iter().enumerate() {
            match regions.last_mut() {
                Some((region, range)) if *region == span.region => range.end = number + 1,
                _ => regions.push((span.region, number..number + 1)),
            }
        }
        (!list.is_empty()).then_some(Spans { list, regions })
    }

    /// How many words a set of them takes.
    pub fn words(&self) -> usize {
        self.list.len().div_ceil(64)
    }

    /// The spans with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (usize, &Span)> {
        self.list.iter().enumerate()
    }

    /// Whether a set contains a span.
    pub fn contains(&self, set: &[u64], span: &Span) -> bool {
        match self.list.binary_search_by_key(&sort_key(span), sort_key) {
            Ok(number) => set[number / 64] & (1 << (number % 64)) != 0,
            Err(_) => false,
        }
    }

    /// Adds the spans all of whose bytes belong to `span`.
    pub fn set_covered(&self, set: &mut [u64], span: &Span) {
        let group = self.group(span);
        let at = span.address.at;
        let first = self.bisect(&group, |other| other < at);
        for number in first..group.end {
            let other = &self.list[number];
            if other.address.at >= at.saturating_add(ACCESS_BYTES_MAX) {
                break;
            }
            if span.covers(other) {
                set[number / 64] |= 1 << (number % 64);
            }
        }
    }

    /// Removes the spans that may share bytes with `span`.
    pub fn clear_read(&self, set: &mut [u64], span: &Span) {
        let Some(region) = self.region(span.region) else { return };
        let group = self.group(span);
        // Other roots of the region may be anything, but a stack slot is apart from all others.
        let same_kind = match span.address.root {
            Root::Slot(_) => {
                let find = |key: u8| {
                    let list = &self.list[region.clone()];
                    let before = |span: &Span| root_key(span.address.root).0 < key;
                    region.start + list.partition_point(before)
                };
                find(SLOT_KEY)..find(SLOT_KEY + 1)
            }
            _ => group.clone(),
        };
        clear_range(set, region.start..same_kind.start);
        clear_range(set, same_kind.end..region.end);
        // What is too far away to be compared may be near after all: see `Span::is_disjoint`.
        let at = span.address.at;
        let distance_max = DISTANCE_MAX.cast_signed();
        let far_below = self.bisect(&group, |other| other <= at.saturating_sub(distance_max));
        let far_above = self.bisect(&group, |other| other < at.saturating_add(distance_max));
        clear_range(set, group.start..far_below);
        clear_range(set, far_above..group.end);
        let near = self.bisect(&group, |other| other.saturating_add(ACCESS_BYTES_MAX) <= at);
        for number in near..group.end {
            let other = &self.list[number];
            if other.address.at >= at.saturating_add(ACCESS_BYTES_MAX) {
                break;
            }
            if !other.is_disjoint(span) {
                set[number / 64] &= !(1 << (number % 64));
            }
        }
    }

    /// Removes the spans of some regions.
    pub fn clear_regions(&self, set: &mut [u64], is_touched: impl Fn(AliasRegion) -> bool) {
        for (region, range) in &self.regions {
            if is_touched(*region) {
                clear_range(set, range.clone());
            }
        }
    }

    /// Adds the spans of some regions.
    pub fn set_regions(&self, set: &mut [u64], is_wanted: impl Fn(AliasRegion) -> bool) {
        for (region, range) in &self.regions {
            if is_wanted(*region) {
                range.clone().for_each(|number| set[number / 64] |= 1 << (number % 64));
            }
        }
    }

    fn region(&self, region: AliasRegion) -> Option<Range<usize>> {
        let mut regions = self.regions.iter();
        regions.find(|(known, _)| *known == region).map(|(_, range)| range.clone())
    }

    /// The spans with the region and the root of `span`.
    fn group(&self, span: &Span) -> Range<usize> {
        let key = (span.region.index(), root_key(span.address.root));
        let key_of = |span: &Span| (span.region.index(), root_key(span.address.root));
        let start = self.list.partition_point(|span| key_of(span) < key);
        let len = self.list[start..].partition_point(|span| key_of(span) == key);
        start..start + len
    }

    /// The first span of a group whose distance is not `below`.
    fn bisect(&self, group: &Range<usize>, below: impl Fn(i64) -> bool) -> usize {
        let list = &self.list[group.clone()];
        group.start + list.partition_point(|span| below(span.address.at))
    }
}

fn clear_range(set: &mut [u64], range: Range<usize>) {
    if range.is_empty() {
        return;
    }
    let (first, last) = (range.start / 64, (range.end - 1) / 64);
    let from_first = u64::MAX << (range.start % 64);
    let to_last = u64::MAX >> (63 - (range.end - 1) % 64);
    if first == last {
        set[first] &= !(from_first & to_last);
        return;
    }
    set[first] &= !from_first;
    set[first + 1..last].fill(0);
    set[last] &= !to_last;
}

#[cfg(test)]
mod tests {
    use super::super::address::Address;
    use super::super::effects::Access;
    use super::*;
    use cranelift_codegen::ir::{Endianness, Inst, StackSlot, Value};

    /// Spans of two regions and all kinds of roots, near each other, far away, and of all lengths.
    fn some_spans() -> Vec<Span> {
        let roots = [
            Root::Absolute,
            Root::Slot(StackSlot::new(0)),
            Root::Slot(StackSlot::new(1)),
            Root::Index(Value::new(7)),
            Root::Value(Value::new(7)),
            Root::Value(Value::new(8)),
        ];
        let far = DISTANCE_MAX.cast_signed();
        let distances = [0, 1, 4, 8, 12, 16, 17, 40, far - 1, far, far + 8, -(1 << 62), 1 << 62];
        let mut spans = Vec::new();
        for region in [0, 1].map(AliasRegion::new) {
            for root in roots {
                for at in distances {
                    for len_bytes in [1, 4, 16] {
                        let address = Address { root, wrap: 0, at };
                        spans.push(Span { region, address, len_bytes });
                    }
                }
            }
        }
        spans
    }

    /// A set of `stored` with every third span in it, changed, compared with what `expected` says
    /// about each span and whether it was in the set.
    fn compare(
        stored: &Spans,
        change: impl Fn(&mut [u64]),
        expected: impl Fn(&Span, bool) -> bool,
    ) {
        for start in [0, u64::MAX, 0x9249_2492_4924_9249] {
            let mut set = vec![start; stored.words()];
            change(&mut set);
            for (number, span) in stored.iter() {
                let before = start & (1 << (number % 64)) != 0;
                assert_eq!(stored.contains(&set, span), expected(span, before), "{span:?}");
            }
        }
    }

    #[test]
    fn sets_change_as_comparing_with_every_span_says() {
        let mut events = Events::default();
        let block = cranelift_codegen::ir::Block::new(0);
        events.begin_block(block);
        for (at, span) in some_spans().into_iter().enumerate().filter(|(at, _)| at % 5 != 0) {
            let access = Access {
                span,
                stored: None,
                can_trap: true,
                endianness: Endianness::Little,
                is_readonly: false,
            };
            events.push(block, Event::Store(Inst::new(at), access));
        }
        let stored = Spans::of_stores(&events, 64).unwrap();
        assert!(stored.words() > 2);
        for span in some_spans() {
            let covered = |other: &Span, before| before || span.covers(other);
            compare(&stored, |set| stored.set_covered(set, &span), covered);
            let kept = |other: &Span, before| before && other.is_disjoint(&span);
            compare(&stored, |set| stored.clear_read(set, &span), kept);
        }
        let is_first = |region: AliasRegion| region.index() == 0;
        let kept = |other: &Span, before| before && !is_first(other.region);
        compare(&stored, |set| stored.clear_regions(set, is_first), kept);
        let set = |other: &Span, before| before || is_first(other.region);
        compare(&stored, |bits| stored.set_regions(bits, is_first), set);
    }
}
