//! A call of a compiled program reuses the memory of the previous call and allocates nothing more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use pushforward::prelude::*;
use pushforward::program::{Output, Program, Threads, Workspace};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;

/// The system's allocator, and how often this thread asked it.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is handed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn a_call_of_the_same_size_allocates_nothing() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let weight = tape.parameter("weight", Shape::Matrix(40, 3), Init::glorot(40, 3));
    let y = weight.matvec(z).tanh();
    let loss = (y * y).sum();
    let subgraph = Subgraph::new(&tape, &[z.id()], &[loss.id()]);
    let gradient = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &[weight.id()])[0].unwrap();
    let outputs = [Output::Each(loss.id()), Output::Each(y.id()), Output::Sum(gradient.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::initialise(&tape, 1)).unwrap();
    program.set_threads(Threads::One);
    let rows: Vec<f64> = (0..3 * 1000).map(|i| (i as f64 * 0.1).sin()).collect();
    let mut results = vec![Vec::new(); 3];
    program.run_into(&[&rows], 1000, &mut results).unwrap();
    let before = COUNT.with(Cell::get);
    program.run_into(&[&rows], 1000, &mut results).unwrap();
    program.run_into(&[&rows[..30]], 10, &mut results).unwrap();
    program.run_into(&[&rows], 1000, &mut results).unwrap();
    assert_eq!(COUNT.with(Cell::get) - before, 0, "allocations in three calls");

    // The same in a workspace of the caller's.
    let mut workspace = Workspace::default();
    program.run_with(&mut workspace, &[&rows], 1000, &mut results).unwrap();
    let before = COUNT.with(Cell::get);
    program.run_with(&mut workspace, &[&rows[..30]], 10, &mut results).unwrap();
    program.run_with(&mut workspace, &[&rows], 1000, &mut results).unwrap();
    assert_eq!(COUNT.with(Cell::get) - before, 0, "allocations in two calls with a workspace");
}
