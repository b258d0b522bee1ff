//! Bodies that may go into callers, and how long each is held.
//!
//! A body is held by its callers that are not built yet, by the bodies in which a call of it is
//! marked, and by the job that compiles it by itself. With the last of them it goes.

use crate::program::FuncId;
use cranelift_codegen::ir;
use cranelift_entity::SecondaryMap;

/// A body that may go into callers.
#[derive(Clone)]
pub struct Body {
    /// Its code, with marked calls.
    pub clif: ir::Function,
    /// Its size with all that goes into it, in instructions.
    pub insts: u32,
    /// The functions that marked calls call, each once.
    pub marked: Vec<FuncId>,
    /// Whether newer processors get versions of it, if that matters to a caller.
    pub has_versions: bool,
}

/// The bodies that are held.
#[derive(Default)]
pub struct Bodies {
    bodies: SecondaryMap<FuncId, Option<Box<Body>>>,
    holders: SecondaryMap<FuncId, u32>,
}

impl Bodies {
    /// The body of a function, if there is one.
    pub fn find(&self, func: FuncId) -> Option<&Body> {
        self.bodies[func].as_deref()
    }

    /// The body of a function that somebody holds.
    pub fn get(&self, func: FuncId) -> &Body {
        self.find(func).unwrap_or_else(|| panic!("nobody holds the body of {func}"))
    }

    /// Takes in a body, for its callers. It holds those that go into it.
    pub fn insert(&mut self, func: FuncId, body: Box<Body>) {
        body.marked.iter().for_each(|callee| self.hold(*callee));
        assert!(self.bodies[func].is_none(), "{func} has two bodies");
        self.bodies[func] = Some(body);
        self.hold(func);
    }

    /// Holds a body.
    pub fn hold(&mut self, func: FuncId) {
        self.holders[func] += 1;
    }

    /// Lets go of a body, and if nobody else holds it of those that go into it.
    pub fn release(&mut self, func: FuncId) {
        let mut work = vec![func];
        while let Some(func) = work.pop() {
            self.holders[func] -= 1;
            if self.holders[func] == 0 {
                work.extend(self.bodies[func].take().into_iter().flat_map(|body| body.marked));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(bodies: &mut Bodies, func: u32, marked: &[u32]) {
        let marked = marked.iter().copied().map(FuncId::from_u32).collect();
        let body = Body { clif: ir::Function::new(), insts: 1, marked, has_versions: false };
        bodies.insert(FuncId::from_u32(func), Box::new(body));
    }

    fn held(bodies: &Bodies) -> Vec<u32> {
        (0..9).filter(|func| bodies.find(FuncId::from_u32(*func)).is_some()).collect()
    }

    #[test]
    fn a_body_goes_with_the_last_that_holds_it() {
        let mut bodies = Bodies::default();
        insert(&mut bodies, 0, &[]);
        insert(&mut bodies, 1, &[0]);
        insert(&mut bodies, 2, &[0, 1]);
        bodies.release(FuncId::from_u32(0));
        bodies.release(FuncId::from_u32(1));
        assert_eq!(held(&bodies), [0, 1, 2], "2 holds both");
        bodies.release(FuncId::from_u32(2));
        assert!(held(&bodies).is_empty());
    }

    #[test]
    fn what_is_compiled_by_itself_is_held_meanwhile() {
        let mut bodies = Bodies::default();
        insert(&mut bodies, 0, &[]);
        insert(&mut bodies, 1, &[0]);
        bodies.release(FuncId::from_u32(0));
        bodies.hold(FuncId::from_u32(1));
        bodies.release(FuncId::from_u32(1));
        assert_eq!(held(&bodies), [0, 1]);
        bodies.release(FuncId::from_u32(1));
        assert!(held(&bodies).is_empty());
    }

    #[test]
    fn a_long_chain_goes_at_once() {
        let mut bodies = Bodies::default();
        insert(&mut bodies, 0, &[]);
        for func in 1..100_000 {
            insert(&mut bodies, func, &[func - 1]);
            bodies.release(FuncId::from_u32(func - 1));
        }
        assert_eq!(held(&bodies).len(), 9);
        bodies.release(FuncId::from_u32(99_999));
        assert!(held(&bodies).is_empty());
    }
}
