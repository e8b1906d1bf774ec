//! The figures against what others have published, and against what must hold of them.

mod cases;
mod properties;
mod published;

use std::num::NonZero;

use super::*;

/// All households, on so many threads.
fn all(threads: usize) -> Asked<'static> {
    Asked { chosen: Chosen::All, threads: NonZero::new(threads).unwrap() }
}

/// Of one person each.
fn alone(count: usize) -> Vec<i32> {
    vec![1; count]
}

/// True if two numbers differ by so much at most; of large ones, by that part of them.
fn near(one: f64, other: f64, within: f64) -> bool {
    (one - other).abs() <= within * other.abs().max(1.0)
}
