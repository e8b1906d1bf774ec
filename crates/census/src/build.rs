//! Filling the arrays, household by household.

use std::{collections::BTreeMap, sync::Arc};

use daohu_base::Day;
use daohu_policy::{
    CodeSet,
    expr::{FieldKind, Level, Unit, Vocabulary},
};
use rustc_hash::FxHashMap;

use crate::columns::{Census, Column, NO, NO_CODE, NO_FEN, NO_INT, NO_SET, Sets, UNKNOWN, YES};
use crate::fens::Fens;

/// Which fields there are, and what is derived of them.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The fields by name.
    pub vocabulary: Vocabulary,
    /// Where each field of a household comes from.
    pub household: Vec<Source>,
    /// Where each field of a member comes from.
    pub member: Vec<Source>,
    /// The stored field of members that is their birth date.
    pub born_on: usize,
    /// The stored fields of members that tell how and when they came or left, and the codes of who left.
    pub change: (usize, usize, CodeSet),
}

impl Shape {
    /// What decides how cells are stored and what they mean, in its order: of households, then of members.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (Level, Source, &str, &FieldKind)> {
        let of = |level: Level| {
            let sources = match level {
                Level::Household => &self.household,
                Level::Member => &self.member,
            };
            let fields = sources.iter().zip(self.vocabulary.of(level));
            fields.map(move |(source, field)| (level, *source, &field.name[..], &field.kind))
        };
        let all = of(Level::Household).chain(of(Level::Member));
        all.filter(|(_, source, ..)| {
            matches!(source, Source::Stored(_) | Source::Derived(Derived::OfYear(_)))
        })
    }

    /// True if the same is stored in the same order.
    pub(crate) fn has_columns_of(&self, other: &Self) -> bool {
        let same = self.stored().eq(other.stored());
        same && self.born_on == other.born_on && self.change == other.change
    }
}

/// Where a field comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Stored, at this place among the cells that a [`Builder`] is given.
    Stored(usize),
    /// Worked out for the day that is asked about.
    Derived(Derived),
}

/// What is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derived {
    /// Completed years of life, of a member.
    Age,
    /// Net income a head of the year.
    IncomePerHead,
    /// Net income a head of the year before.
    IncomePerHeadBefore,
    /// How many shared the year's income.
    Sharing,
    /// An amount of the year: which of those that [`Builder::amounts`] was given.
    OfYear(usize),
    /// An amount that packs give for a place and day, such as the poverty line: which of [`Place::amounts`](crate::Place).
    Amount(usize),
}

/// What stands in a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Not known.
    Unknown,
    /// A flag, a code, a count, a year, or an amount in fen.
    Int(i64),
    /// A quantity.
    Real(f64),
    /// A day, several codes, or a text.
    Text(&'a str),
}

/// What a household earned in a year; what is not known is none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Earned {
    /// Wages, business, property and transfers, in fen.
    pub kinds_fen: [Option<i64>; 4],
    /// What the business cost, in fen.
    pub cost_fen: Option<i64>,
    /// How many shared it.
    pub sharing: Option<i64>,
}

impl Earned {
    /// Net income a head in fen, halves away from zero; none where no kind is known, or nobody shared it.
    pub fn per_head_fen(&self) -> Option<i64> {
        let known = self.kinds_fen.into_iter().flatten();
        let sum = known.reduce(i64::saturating_add)?;
        let net = i128::from(sum.saturating_sub(self.cost_fen.unwrap_or_default()));
        let sharing = i128::from(self.sharing.filter(|sharing| *sharing > 0)?);
        let size = (2 * net.abs() + sharing) / (2 * sharing);
        i64::try_from(size * net.signum()).ok()
    }
}

/// Puts a census together, household by household, each followed by its members and years.
pub struct Builder {
    census: Census,
    places: FxHashMap<String, u32>,
}

/// The population is larger than a census can number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "more than four thousand million members, or more villages or sets of codes than can be numbered"
)]
pub struct TooMany;

impl Builder {
    /// With no households yet. They must come by county and id, where [`Census::replace`], [`Census::span_of`] or
    /// [`Census::find`] is asked later: the last becomes slow otherwise, the others wrong.
    pub fn new(shape: impl Into<Arc<Shape>>) -> Self {
        let shape = shape.into();
        let columns = |level: Level, sources: &[Source]| {
            let fields = shape.vocabulary.of(level).iter().zip(sources);
            let stored = fields.filter_map(|(field, source)| match source {
                Source::Stored(place) => Some((*place, Column::empty(&field.kind))),
                Source::Derived(_) => None,
            });
            stored.collect::<BTreeMap<usize, Column>>().into_values().collect()
        };
        let household = columns(Level::Household, &shape.household);
        let member = columns(Level::Member, &shape.member);
        let census = Census::empty(shape, household, member);
        Self { census, places: FxHashMap::default() }
    }

    /// The next household, with its stored cells in their order.
    pub fn household(&mut self, id: i64, village: &str, cells: &[Cell<'_>]) -> Result<(), TooMany> {
        let place = match self.places.get(village) {
            Some(place) => *place,
            None => {
                let place = u32::try_from(self.places.len()).map_err(|_| TooMany)?;
                self.places.insert(village.to_owned(), place);
                self.census.villages.push(village.to_owned());
                place
            }
        };
        let census = &mut self.census;
        census.ids.push(id);
        census.homes_in.push(place);
        let members = census.members_from.last().copied().unwrap_or_default();
        census.members_from.push(members);
        fill(&mut census.household, cells)
    }

    /// A member of the last household, with the stored cells in their order.
    pub fn member(&mut self, cells: &[Cell<'_>]) -> Result<(), TooMany> {
        let census = &mut self.census;
        let end = census.members_from.last_mut().ok_or(TooMany)?;
        *end = end.checked_add(1).ok_or(TooMany)?;
        let home = census.ids.len().checked_sub(1).and_then(|home| u32::try_from(home).ok());
        census.homes.push(home.ok_or(TooMany)?);
        let (kind, on, leaving) = census.shape.change;
        let cell = |place: usize| cells.get(place).copied().unwrap_or(Cell::Unknown);
        let left = matches!(cell(kind), Cell::Int(code) if leaving.has(Some(code)));
        let gone_on = if left { packed(cell(on)) } else { NO_INT };
        census.gone_on.push(if gone_on == NO_INT { i32::MAX } else { gone_on });
        fill(&mut census.member, cells)
    }

    /// What the last household earned in a year.
    pub fn year(&mut self, year: i64, earned: &Earned) {
        let (Ok(year), Some(last)) = (i32::try_from(year), self.census.ids.len().checked_sub(1))
        else {
            return;
        };
        let year = self.census.years.entry(year).or_default();
        year.per_head_fen.resize(last, NO_FEN);
        year.per_head_fen.push(earned.per_head_fen().unwrap_or(NO_FEN));
        year.sharing.resize(last, NO_INT);
        let sharing = earned.sharing.and_then(|sharing| i32::try_from(sharing).ok());
        year.sharing.push(sharing.unwrap_or(NO_INT));
    }

    /// The amounts of a year that rules may ask about, of the last household; what is not known is none. They take room, so
    /// only of years that are asked about.
    pub fn amounts(&mut self, year: i64, amounts: &[Option<i64>]) {
        let (Ok(year), Some(last)) = (i32::try_from(year), self.census.ids.len().checked_sub(1))
        else {
            return;
        };
        let own = &mut self.census.years.entry(year).or_default().amounts;
        own.resize_with(own.len().max(amounts.len()), Fens::default);
        for (fens, fen) in own.iter_mut().zip(amounts) {
            fens.resize(last);
            fens.push(*fen);
        }
    }

    /// The census of the households that came.
    pub fn finish(self) -> Census {
        let mut census = self.census;
        let count = census.ids.len();
        for year in census.years.values_mut() {
            year.per_head_fen.resize(count, NO_FEN);
            year.sharing.resize(count, NO_INT);
            year.amounts.iter_mut().for_each(|fens| fens.resize(count));
        }
        census.find_runs(0);
        census
    }
}

/// Puts a cell behind each column.
fn fill(columns: &mut [Column], cells: &[Cell<'_>]) -> Result<(), TooMany> {
    let cells = cells.iter().copied().chain(std::iter::repeat(Cell::Unknown));
    columns.iter_mut().zip(cells).try_for_each(|(column, cell)| column.push(cell))
}

/// A day as packed.
fn packed(cell: Cell<'_>) -> i32 {
    match cell {
        Cell::Text(day) => Day::parse(day).map_or(NO_INT, Day::packed),
        _ => NO_INT,
    }
}

impl Column {
    fn empty(kind: &FieldKind) -> Self {
        match kind {
            FieldKind::Flag => Self::Flag(Vec::new()),
            FieldKind::Code(_) => Self::Code(Vec::new()),
            FieldKind::Codes(_) => {
                Self::Codes(Sets { nths: Vec::new(), sets: vec![CodeSet::default()] })
            }
            FieldKind::Number(Unit::Yuan) => Self::Fen(Vec::new()),
            FieldKind::Number(Unit::Quantity) => Self::Real(Vec::new()),
            FieldKind::Number(Unit::Plain | Unit::Year | Unit::Age) | FieldKind::Day => {
                Self::Int(Vec::new())
            }
            FieldKind::Text => Self::Known(Vec::new()),
        }
    }

    fn push(&mut self, cell: Cell<'_>) -> Result<(), TooMany> {
        match self {
            Self::Flag(lanes) => lanes.push(match cell {
                Cell::Int(0) => NO,
                Cell::Int(_) => YES,
                _ => UNKNOWN,
            }),
            Self::Code(codes) => codes.push(match cell {
                Cell::Int(code) => u8::try_from(code).unwrap_or(NO_CODE),
                _ => NO_CODE,
            }),
            Self::Codes(sets) => sets.push(cell)?,
            Self::Int(numbers) => numbers.push(match cell {
                Cell::Int(number) => i32::try_from(number).unwrap_or(NO_INT),
                cell => packed(cell),
            }),
            Self::Fen(amounts) => amounts.push(match cell {
                Cell::Int(fen) => fen,
                _ => NO_FEN,
            }),
            #[expect(clippy::cast_precision_loss, reason = "quantities stay below 2^53")]
            Self::Real(numbers) => numbers.push(match cell {
                Cell::Int(number) => number as f64,
                Cell::Real(number) => number,
                _ => f64::NAN,
            }),
            Self::Known(lanes) => lanes.push(if cell == Cell::Unknown { NO } else { YES }),
        }
        Ok(())
    }
}

impl Sets {
    fn push(&mut self, cell: Cell<'_>) -> Result<(), TooMany> {
        let Cell::Text(codes) = cell else {
            self.nths.push(NO_SET);
            return Ok(());
        };
        let set = codes.split(' ').filter_map(|code| code.parse().ok()).collect();
        let known = self.sets.iter().skip(1).position(|other| *other == set);
        let nth = known.map_or(self.sets.len(), |known| known + 1);
        if known.is_none() {
            self.sets.push(set);
        }
        self.nths.push(u16::try_from(nth).map_err(|_| TooMany)?);
        Ok(())
    }
}
