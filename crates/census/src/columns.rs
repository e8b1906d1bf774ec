//! Arrays of the population.

use std::{ops::Range, sync::Arc};

use daohu_base::Day;
use daohu_policy::{
    CodeSet,
    expr::{FieldRef, Level},
};
use rustc_hash::FxHashMap;

use crate::{
    Shape, Source,
    fens::Fens,
    indices::{Codes, Incomes, Kept, Persons},
};

/// Not known, among whole numbers.
pub(crate) const NO_INT: i32 = i32::MIN;
/// Not known, among amounts.
pub(crate) const NO_FEN: i64 = i64::MIN;
/// Not known, among codes: these have two digits.
pub(crate) const NO_CODE: u8 = u8::MAX;
/// Not known, among sets of codes: the first.
pub(crate) const NO_SET: u16 = 0;

/// No, not known and yes, so that `&` and `|` of bits are those of Kleene's logic.
pub(crate) const NO: u8 = 0x00;
pub(crate) const UNKNOWN: u8 = 0x0F;
pub(crate) const YES: u8 = 0xFF;

/// A field of all households, or of all members.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Column {
    /// [`NO`], [`UNKNOWN`] or [`YES`].
    Flag(Vec<u8>),
    Code(Vec<u8>),
    Codes(Sets),
    /// Counts, years, and days as packed.
    Int(Vec<i32>),
    Fen(Vec<i64>),
    Real(Vec<f64>),
    /// Texts, of which it is kept whether they are known.
    Known(Vec<u8>),
}

/// Sets of codes: there are few of them, so that each is kept once.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sets {
    pub(crate) nths: Vec<u16>,
    pub(crate) sets: Vec<CodeSet>,
}

/// The population of some counties, in the order in which it came: members behind each other, as their households are.
#[derive(Clone, Debug)]
pub struct Census {
    pub(crate) shape: Arc<Shape>,
    pub(crate) ids: Vec<i64>,
    /// Where ids begin anew from below: of each county, and inside of it they ascend.
    pub(crate) runs: Vec<usize>,
    /// Of each household, its village among [`Census::villages`].
    pub(crate) homes_in: Vec<u32>,
    pub(crate) villages: Vec<String>,
    /// Where the members of each household begin; one more at the end.
    pub(crate) members_from: Vec<u32>,
    /// Of each member, the place of the household: what members say is brought home without a choice in the loop.
    pub(crate) homes: Vec<u32>,
    /// The day on which a member left, as packed; the last of all days of who did not.
    pub(crate) gone_on: Vec<i32>,
    pub(crate) household: Vec<Column>,
    pub(crate) member: Vec<Column>,
    pub(crate) years: FxHashMap<i32, Year>,
}

/// What households had in a year.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Year {
    /// Net income a head in fen, [`NO_FEN`] where it is not known.
    pub(crate) per_head_fen: Vec<i64>,
    /// How many shared it, [`NO_INT`] where it is not known.
    pub(crate) sharing: Vec<i32>,
    /// What rules may ask about, as the builder was given it; of most years nothing.
    pub(crate) amounts: Vec<Fens>,
}

/// What a household had in a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PerHead {
    /// Net income a head, in fen.
    pub fen: Option<i64>,
    /// How many shared it.
    pub sharing: Option<i64>,
}

impl Census {
    /// With these columns and nobody in it.
    pub(crate) fn empty(shape: Arc<Shape>, household: Vec<Column>, member: Vec<Column>) -> Self {
        Self {
            shape,
            ids: Vec::new(),
            runs: Vec::new(),
            homes_in: Vec::new(),
            villages: Vec::new(),
            members_from: vec![0],
            homes: Vec::new(),
            gone_on: Vec::new(),
            household,
            member,
            years: FxHashMap::default(),
        }
    }

    /// How many households there are.
    pub fn households(&self) -> usize {
        self.ids.len()
    }

    /// How many members there are, those included who left.
    pub fn members(&self) -> usize {
        self.gone_on.len()
    }

    /// The households' ids, in the census' order.
    pub fn ids(&self) -> &[i64] {
        &self.ids
    }

    /// The villages in which households live.
    pub fn villages(&self) -> &[String] {
        &self.villages
    }

    /// The village of the nth household.
    pub fn village_of(&self, nth: usize) -> Option<&str> {
        let place = usize::try_from(*self.homes_in.get(nth)?).ok()?;
        self.villages.get(place).map(String::as_str)
    }

    /// For each village, where it lies among the places of a [`Plan`](crate::Plan).
    pub fn places(&self, of: impl Fn(&str) -> u16) -> Vec<u16> {
        self.villages.iter().map(|village| of(village)).collect()
    }

    /// The place of a household.
    pub fn find(&self, id: i64) -> Option<usize> {
        let ends = self.runs.iter().skip(1).copied().chain([self.ids.len()]);
        self.runs.iter().zip(ends).find_map(|(from, end)| {
            let run = self.ids.get(*from..end)?;
            let may_be_here = *run.first()? <= id && id <= *run.last()?;
            let nth = may_be_here.then(|| run.binary_search(&id).ok())??;
            Some(from + nth)
        })
    }

    /// Looks where ids begin anew from below; those of so many households at the beginning are as they were.
    pub(crate) fn find_runs(&mut self, unchanged: usize) {
        self.runs.truncate(self.runs.partition_point(|from| *from < unchanged));
        let before = unchanged.checked_sub(1).and_then(|nth| self.ids.get(nth));
        let mut last = before.copied();
        for (nth, id) in self.ids.iter().enumerate().skip(unchanged) {
            if last.is_none_or(|last| last > *id) {
                self.runs.push(nth);
            }
            last = Some(*id);
        }
    }

    /// What the nth household had in a year.
    pub fn income_of(&self, nth: usize, year: i64) -> PerHead {
        let year = i32::try_from(year).ok().and_then(|year| self.years.get(&year));
        let Some(year) = year else { return PerHead::default() };
        let fen = year.per_head_fen.get(nth).copied().filter(|fen| *fen != NO_FEN);
        let sharing = year.sharing.get(nth).copied().filter(|sharing| *sharing != NO_INT);
        PerHead { fen, sharing: sharing.map(i64::from) }
    }

    /// Of each household, the place of its village among [`Census::villages`].
    pub fn village_places(&self) -> &[u32] {
        &self.homes_in
    }

    /// What all households had in a year; of a year that nobody told of, nothing is known.
    pub fn incomes(&self, year: i64) -> Incomes<'_> {
        let year = i32::try_from(year).ok().and_then(|year| self.years.get(&year));
        let (fen, sharing): (&[i64], &[i32]) =
            year.map_or((&[], &[]), |year| (&year.per_head_fen, &year.sharing));
        Incomes::new(fen, Persons::among(sharing, self.households()))
    }

    /// How many members each household between two places has on a day.
    pub fn members_on(&self, day: Day, households: Range<usize>) -> Vec<i32> {
        let mut counts = vec![0; households.len()];
        let from = |nth: usize| {
            let first = self.members_from.get(nth).and_then(|first| usize::try_from(*first).ok());
            first.unwrap_or(self.members())
        };
        let members = from(households.start)..from(households.end);
        let homes = self.homes.get(members.clone()).unwrap_or_default();
        let gone_on = self.gone_on.get(members).unwrap_or_default();
        for (home, gone_on) in homes.iter().zip(gone_on) {
            let nth =
                usize::try_from(*home).ok().and_then(|home| home.checked_sub(households.start));
            let count = nth.and_then(|nth| counts.get_mut(nth));
            if let Some(count) = count {
                *count += i32::from(*gone_on > day.packed());
            }
        }
        counts
    }

    /// How many members a household has on a day.
    pub fn member_count(&self, nth: usize, day: Day) -> usize {
        let own = self.gone_on.get(self.members_of(nth));
        own.unwrap_or_default().iter().filter(|gone_on| **gone_on > day.packed()).count()
    }

    /// The codes of all households in a field of a shape that is one code or several; none of another field.
    pub fn codes(&self, shape: &Shape, field: FieldRef) -> Option<Codes<'_>> {
        match (field.level, self.source(shape, field)?.1?) {
            (Level::Household, Column::Code(codes)) => Some(Codes(Kept::One(codes))),
            (Level::Household, Column::Codes(sets)) => Some(Codes(Kept::Several(sets))),
            _ => None,
        }
    }

    /// The fields that rules may name, and where they come from.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Other fields from now on, of the same stored columns; false, and nothing done, where these are not the same.
    pub fn take_shape(&mut self, shape: impl Into<Arc<Shape>>) -> bool {
        let shape = shape.into();
        let fits = self.has_columns_of(&shape);
        if fits {
            self.shape = shape;
        }
        fits
    }

    /// True if the stored columns are those of a shape, so that this census can answer its questions: what is stored of
    /// households and of members and in which order, which amounts of a year, birth dates, and who left.
    pub fn has_columns_of(&self, shape: &Shape) -> bool {
        std::ptr::eq(&*self.shape, shape) || self.shape.has_columns_of(shape)
    }

    /// Bytes of the arrays.
    pub fn bytes(&self) -> usize {
        let years = self.years.values();
        let years = years.map(|year| {
            let amounts = year.amounts.iter().map(Fens::bytes).sum::<usize>();
            year.per_head_fen.len() * 8 + year.sharing.len() * 4 + amounts
        });
        let columns = self.household.iter().chain(&self.member).map(Column::bytes);
        let frame = self.ids.len() * 8
            + (self.homes_in.len() + self.members_from.len() + self.homes.len()) * 4;
        columns.chain(years).sum::<usize>() + frame + self.gone_on.len() * 4
    }

    /// Where a field of a shape comes from, and its array if it has one.
    pub(crate) fn source(
        &self,
        shape: &Shape,
        field: FieldRef,
    ) -> Option<(Source, Option<&Column>)> {
        let (sources, columns) = match field.level {
            Level::Household => (&shape.household, &self.household),
            Level::Member => (&shape.member, &self.member),
        };
        let source = *sources.get(field.place)?;
        let column = match source {
            Source::Stored(place) => columns.get(place),
            Source::Derived(_) => None,
        };
        Some((source, column))
    }
}

impl Column {
    fn bytes(&self) -> usize {
        match self {
            Self::Flag(lanes) | Self::Code(lanes) | Self::Known(lanes) => lanes.len(),
            Self::Codes(sets) => sets.nths.len() * 2,
            Self::Int(numbers) => numbers.len() * 4,
            Self::Fen(amounts) => amounts.len() * 8,
            Self::Real(numbers) => numbers.len() * 8,
        }
    }
}
