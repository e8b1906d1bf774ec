//! Parts of two arrays as they are put together into one, which is the first of them.

use std::ops::Range;

/// Parts of what is there and of what comes, in the order in which they will stand.
#[derive(Clone, Debug)]
pub(super) struct Pieces {
    pieces: Vec<Piece>,
    /// How many there are.
    own: usize,
    /// How many there will be.
    count: usize,
    spare: Spare,
}

/// Some behind each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// From what comes, otherwise from what is there.
    pub(super) is_new: bool,
    /// Where they stand now.
    pub(super) from: usize,
    /// Where they will stand.
    pub(super) to: usize,
    pub(super) count: usize,
}

/// How much more room an array takes when it has too little: copying it takes long, room that is not used costs nothing
/// but addresses.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spare {
    /// None: nothing more will come.
    Nothing,
    /// A part of it: households come one by one.
    ThirtySecond,
    /// As much again: whole counties come one after the other.
    All,
}

impl Piece {
    /// Where they stand now.
    pub(super) fn source(&self) -> Range<usize> {
        self.from..self.from.saturating_add(self.count)
    }

    /// Where they will stand.
    pub(super) fn target(&self) -> Range<usize> {
        self.to..self.to.saturating_add(self.count)
    }
}

impl Pieces {
    /// Nothing yet of an array of so many.
    pub(super) fn of(own: usize, spare: Spare) -> Self {
        Self { pieces: Vec::new(), own, count: 0, spare }
    }

    /// Puts some behind the others.
    pub(super) fn push(&mut self, is_new: bool, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        let (from, count) = (range.start, range.len());
        match self.pieces.last_mut() {
            Some(last) if last.is_new == is_new && last.from + last.count == from => {
                last.count += count;
            }
            _ => self.pieces.push(Piece { is_new, from, to: self.count, count }),
        }
        self.count += count;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Piece> {
        self.pieces.iter()
    }

    /// The same of members, where those of each household begin at these places.
    pub(super) fn members(&self, own_from: &[u32], new_from: &[u32]) -> Self {
        let start = |starts: &[u32], nth: usize| {
            starts.get(nth).and_then(|start| usize::try_from(*start).ok()).unwrap_or_default()
        };
        let mut members = Self::of(start(own_from, self.own), self.spare);
        for piece in &self.pieces {
            let starts = if piece.is_new { new_from } else { own_from };
            let range = piece.source();
            members.push(piece.is_new, start(starts, range.start)..start(starts, range.end));
        }
        members
    }

    /// True if nothing is put elsewhere: some are written over, as many as there were.
    pub(super) fn is_in_place(&self) -> bool {
        let mut kept = self.pieces.iter().filter(|piece| !piece.is_new);
        self.count == self.own && kept.all(|piece| piece.from == piece.to)
    }

    /// How many at the beginning stay as they are.
    pub(super) fn unchanged(&self) -> usize {
        self.pieces
            .first()
            .filter(|piece| !piece.is_new && piece.from == 0)
            .map_or(0, |own| own.count)
    }

    /// Where what comes will stand.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.pieces.iter().filter(|piece| piece.is_new).flat_map(Piece::target)
    }

    /// Puts two arrays together into the first, in its own room: moving what is behind a place is quicker than copying
    /// all, and takes no memory. What `new` is too short for is `none`.
    pub(super) fn join<T: Copy>(&self, own: &mut Vec<T>, new: &[T], none: T) {
        own.resize(self.own, none);
        if self.count > own.capacity() {
            let spare = match self.spare {
                Spare::Nothing => 0,
                Spare::ThirtySecond => self.count / 32,
                Spare::All => self.own,
            };
            own.reserve_exact(self.count - self.own + spare);
        }
        own.resize(self.count.max(self.own), none);
        let kept = self.pieces.iter().filter(|piece| !piece.is_new);
        // What goes down from the lowest on and what goes up from the highest on: nothing is written over that is still to be
        // moved, since the kept stay in their order.
        kept.clone().filter(|piece| piece.to < piece.from).for_each(|piece| shift(own, piece));
        kept.rev().filter(|piece| piece.to > piece.from).for_each(|piece| shift(own, piece));
        own.truncate(self.count);
        for piece in self.pieces.iter().filter(|piece| piece.is_new) {
            let Some(target) = own.get_mut(piece.target()) else { continue };
            match new.get(piece.source()) {
                Some(source) => target.copy_from_slice(source),
                None => {
                    let source = new.get(piece.from..).unwrap_or_default();
                    let source = source.iter().copied().chain(std::iter::repeat(none));
                    target.iter_mut().zip(source).for_each(|(slot, new)| *slot = new);
                }
            }
        }
    }
}

/// Moves a part of an array.
fn shift<T: Copy>(own: &mut [T], piece: &Piece) {
    if piece.source().end.max(piece.target().end) <= own.len() {
        own.copy_within(piece.source(), piece.to);
    }
}
