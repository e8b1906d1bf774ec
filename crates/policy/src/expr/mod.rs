//! Expressions of rules: CEL text, checked against the fields that there are, as a tree of tests.
//!
//! A test has three outcomes, since a field may not be known: true, false, or unknown. Kleene's logic joins them:
//! `&&` is false if one side is, `||` is true if one side is, and otherwise what is unknown stays so. `known(x)` is
//! never unknown. A rule takes *unknown* for *not true*, so that nothing is met or unmet by what nobody wrote down.
//!
//! Architecture invariants: the syntax is that of the crate `cel`, the meaning is here alone; a checked expression
//! names fields that exist, compares like with like, and cannot fail when it is evaluated.

mod check;
mod error;
mod named;
mod satisfy;
mod text;
mod tree;
mod vocabulary;

#[cfg(test)]
mod tests;

pub use check::{Words, compile};
pub use error::ExprError;
pub use named::Named;
pub use satisfy::is_never_true;
pub use text::Text;
pub use tree::{Comparison, FieldRef, Level, Number, Test};
pub use vocabulary::{Field, FieldKind, Unit, Vocabulary};
