//! The arrays of two censuses put together.

use std::{mem, ops::Range};

use super::pieces::Pieces;
use crate::{
    columns::{Census, Column, NO, NO_CODE, NO_FEN, NO_INT, NO_SET, Sets, UNKNOWN, Year},
    fens::Fens,
};

impl Census {
    /// Of the same columns, with nobody in it.
    pub(super) fn without_households(&self) -> Self {
        let empty = |columns: &[Column]| columns.iter().map(Column::emptied).collect();
        Self::empty(self.shape.clone(), empty(&self.household), empty(&self.member))
    }

    /// Puts together households of this census and of another, which has the same columns and whose villages and sets of codes
    /// have the numbers of this one. True if other households stand at other places than before.
    pub(super) fn join(&mut self, new: &Self, households: &Pieces) -> bool {
        let members = households.members(&self.members_from, &new.members_from);
        let is_in_place = households.is_in_place();
        let written = || households.iter().filter(|piece| piece.is_new);
        let moved = !is_in_place
            || written().any(|piece| self.ids.get(piece.target()) != new.ids.get(piece.source()));
        // Neighbours may have as many members as before together, though not each of them.
        let is_sized = is_in_place
            && written().all(|piece| self.sizes(piece.target()).eq(new.sizes(piece.source())));
        if !is_sized {
            self.join_members(new, households);
        }
        households.join(&mut self.ids, &new.ids, 0);
        households.join(&mut self.homes_in, &new.homes_in, u32::MAX);
        members.join(&mut self.gone_on, &new.gone_on, i32::MAX);
        let household = self.household.iter_mut().zip(&new.household);
        household.for_each(|(own, new)| own.join(new, households));
        let member = self.member.iter_mut().zip(&new.member);
        member.for_each(|(own, new)| own.join(new, &members));
        for year in new.years.keys() {
            self.years.entry(*year).or_default();
        }
        let nothing = Year::default();
        for (year, own) in &mut self.years {
            own.join(new.years.get(year).unwrap_or(&nothing), households);
        }
        if moved {
            self.find_runs(households.unchanged());
        }
        moved
    }

    /// How many members each of some households has.
    fn sizes(&self, households: Range<usize>) -> impl Iterator<Item = u32> {
        let starts = self.members_from.get(households.start..=households.end);
        starts.unwrap_or_default().array_windows().map(|[from, to]| to - from)
    }

    /// Puts together whose member is who.
    fn join_members(&mut self, new: &Self, households: &Pieces) {
        let unchanged = households.unchanged();
        let mut starts: Vec<u32> = self.members_from.get(..=unchanged).unwrap_or_default().to_vec();
        let mut end = starts.last().copied().unwrap_or_default();
        for piece in
            households.iter().filter(|piece| piece.is_new || piece.from > 0 || unchanged == 0)
        {
            let of = if piece.is_new { new } else { &*self };
            for size in of.sizes(piece.source()) {
                end += size;
                starts.push(end);
            }
        }
        self.members_from = starts;
        self.find_homes(unchanged);
    }

    /// Looks to which household each member belongs; those of so many at the beginning are as they were.
    pub(crate) fn find_homes(&mut self, unchanged: usize) {
        let place = |start: &u32| usize::try_from(*start).unwrap_or_default();
        let from = self.members_from.get(unchanged).map_or(0, place);
        let members = self.members_from.last().map_or(0, place);
        let mut homes = mem::take(&mut self.homes);
        homes.truncate(from);
        homes.reserve(members - from);
        let ends = self.members_from.iter().map(place).enumerate().skip(unchanged + 1);
        for (end_of, end) in ends {
            homes.resize(end, u32::try_from(end_of - 1).unwrap_or(u32::MAX));
        }
        self.homes = homes;
    }
}

impl Column {
    /// With nothing in it; sets of codes keep their numbers.
    fn emptied(&self) -> Self {
        match self {
            Self::Flag(_) => Self::Flag(Vec::new()),
            Self::Code(_) => Self::Code(Vec::new()),
            Self::Codes(own) => Self::Codes(Sets { nths: Vec::new(), sets: own.sets.clone() }),
            Self::Int(_) => Self::Int(Vec::new()),
            Self::Fen(_) => Self::Fen(Vec::new()),
            Self::Real(_) => Self::Real(Vec::new()),
            Self::Known(_) => Self::Known(Vec::new()),
        }
    }

    /// Puts together with another of its kind.
    fn join(&mut self, new: &Self, pieces: &Pieces) {
        match (self, new) {
            (Self::Flag(own), Self::Flag(new)) => pieces.join(own, new, UNKNOWN),
            (Self::Code(own), Self::Code(new)) => pieces.join(own, new, NO_CODE),
            (Self::Codes(own), Self::Codes(new)) => pieces.join(&mut own.nths, &new.nths, NO_SET),
            (Self::Int(own), Self::Int(new)) => pieces.join(own, new, NO_INT),
            (Self::Fen(own), Self::Fen(new)) => pieces.join(own, new, NO_FEN),
            (Self::Real(own), Self::Real(new)) => pieces.join(own, new, f64::NAN),
            (Self::Known(own), Self::Known(new)) => pieces.join(own, new, NO),
            // Who asks has looked whether the columns are the same.
            _ => {}
        }
    }
}

impl Year {
    fn join(&mut self, new: &Self, pieces: &Pieces) {
        pieces.join(&mut self.per_head_fen, &new.per_head_fen, NO_FEN);
        pieces.join(&mut self.sharing, &new.sharing, NO_INT);
        let nothing = Fens::default();
        self.amounts.resize_with(self.amounts.len().max(new.amounts.len()), Fens::default);
        for (nth, own) in self.amounts.iter_mut().enumerate() {
            own.join(new.amounts.get(nth).unwrap_or(&nothing), pieces);
        }
    }
}

impl Fens {
    fn join(&mut self, new: &Self, pieces: &Pieces) {
        let (amounts, large) = self.parts();
        let (new, new_large) = new.known();
        pieces.join(amounts, new, Fens::NONE);
        if large.is_empty() && new_large.is_empty() {
            return;
        }
        let old = mem::take(large);
        for piece in pieces.iter() {
            let source = if piece.is_new { new_large } else { &old };
            for (place, fen) in source.range(piece.source()) {
                large.insert(place - piece.from + piece.to, *fen);
            }
        }
    }
}
