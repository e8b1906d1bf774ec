//! How numbers that name a person look to those who may not see them.

use std::fmt;

/// Keeps `head` and `tail` characters and stars out the rest; short texts are all stars.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let len = text.chars().count();
    if len <= head + tail {
        return "*".repeat(len);
    }
    let shown = |i: usize| i < head || i >= len - tail;
    text.chars().enumerate().map(|(i, c)| if shown(i) { c } else { '*' }).collect()
}

/// An ID number as the office prints it: the first six (area of issue) and the last two.
pub fn mask_id_number(text: &str) -> String {
    mask(text, 6, 2)
}

/// A phone number: the first three and the last two.
pub fn mask_phone(text: &str) -> String {
    mask(text, 3, 2)
}

/// A bank card: the last four.
pub fn mask_bank_card(text: &str) -> String {
    mask(text, 0, 4)
}

/// A text that must not reach a log: prints as stars.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Masked(pub String);

impl fmt::Debug for Masked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_keep_what_tells_two_people_apart_and_no_more() {
        assert_eq!(mask_id_number("990102197001010112"), "990102**********12");
        assert_eq!(mask_phone("19900001234"), "199******34");
        assert_eq!(mask_bank_card("9900001234567890123"), "***************0123");
        assert_eq!(mask_phone("12345"), "*****");
        assert_eq!(format!("{:?}", Masked("990102".into())), "***");
    }
}
