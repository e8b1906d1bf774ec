//! Amounts of money of all households, in half the room: few are above twenty million yuan.

use std::{collections::BTreeMap, ops::Range};

/// Too large to stand here.
const ELSEWHERE: i32 = i32::MIN + 1;

/// An amount in fen of each household, or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fens {
    amounts: Vec<i32>,
    /// Those that do not fit, by place.
    large: BTreeMap<usize, i64>,
}

impl Fens {
    /// Not known.
    pub(crate) const NONE: i32 = i32::MIN;

    /// Puts none where nothing came, up to this many.
    pub(crate) fn resize(&mut self, count: usize) {
        self.amounts.resize(count, Self::NONE);
        self.large.split_off(&count);
    }

    /// Of what stands in its place and what is too large for that, by place; none where the two do not fit.
    pub(crate) fn of(amounts: Vec<i32>, large: BTreeMap<usize, i64>) -> Option<Self> {
        let elsewhere = (0..).zip(&amounts).filter(|(_, fen)| **fen == ELSEWHERE);
        let fits = elsewhere.map(|(place, _)| place).eq(large.keys().copied());
        fits.then_some(Self { amounts, large })
    }

    /// What stands in its place, and what is too large for that, by place.
    pub(crate) fn known(&self) -> (&[i32], &BTreeMap<usize, i64>) {
        (&self.amounts, &self.large)
    }

    /// The same, to be put together with others.
    pub(crate) fn parts(&mut self) -> (&mut Vec<i32>, &mut BTreeMap<usize, i64>) {
        (&mut self.amounts, &mut self.large)
    }

    pub(crate) fn push(&mut self, fen: Option<i64>) {
        let own = match fen.map(i32::try_from) {
            None => Self::NONE,
            Some(Ok(fen)) if fen > ELSEWHERE => fen,
            Some(_) => ELSEWHERE,
        };
        if let (ELSEWHERE, Some(fen)) = (own, fen) {
            self.large.insert(self.amounts.len(), fen);
        }
        self.amounts.push(own);
    }

    /// The amount of the nth.
    pub(crate) fn get(&self, nth: usize) -> Option<i64> {
        match self.amounts.get(nth).copied() {
            None | Some(Self::NONE) => None,
            Some(ELSEWHERE) => self.large.get(&nth).copied(),
            Some(fen) => Some(i64::from(fen)),
        }
    }

    /// The amounts of some, NaN where none is known.
    #[expect(clippy::cast_precision_loss, reason = "amounts stay below 2^53 fen")]
    pub(crate) fn copy(&self, range: Range<usize>, out: &mut Vec<f64>) {
        let (from, count) = (range.start, range.len());
        let own = self.amounts.get(range.clone()).unwrap_or_default();
        out.clear();
        out.extend(
            own.iter().map(|fen| if *fen == Self::NONE { f64::NAN } else { f64::from(*fen) }),
        );
        out.resize(count, f64::NAN);
        for (place, fen) in self.large.range(range) {
            if let Some(slot) = place.checked_sub(from).and_then(|place| out.get_mut(place)) {
                *slot = *fen as f64;
            }
        }
    }

    /// Bytes that it takes.
    pub(crate) fn bytes(&self) -> usize {
        self.amounts.len() * 4 + self.large.len() * 16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_of_every_size_are_kept() {
        let own = [
            Some(0),
            None,
            Some(-5),
            Some(i64::from(i32::MAX)),
            Some(i64::from(i32::MAX) + 1),
            Some(i64::from(i32::MIN)),
            Some(i64::from(i32::MIN) + 1),
            Some(i64::from(i32::MIN) + 2),
            Some(-900_000_000_000),
        ];
        let mut fens = Fens::default();
        own.iter().for_each(|fen| fens.push(*fen));
        fens.resize(own.len() + 2);
        let known: Vec<Option<i64>> = (0..own.len() + 2).map(|nth| fens.get(nth)).collect();
        assert_eq!(known, [&own[..], &[None, None]].concat());
        let mut out = Vec::new();
        for range in [0..own.len(), 4..9, 5..6, 3..3, 9..11] {
            fens.copy(range.clone(), &mut out);
            let told: Vec<String> = out.iter().map(f64::to_string).collect();
            let wanted: Vec<String> = range
                .map(|nth| fens.get(nth).map_or_else(|| "NaN".to_owned(), |fen| fen.to_string()))
                .collect();
            assert_eq!(told, wanted);
        }
    }
}
