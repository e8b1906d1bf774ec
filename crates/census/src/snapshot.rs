//! A census as bytes, so that a server that starts need not read it from the store.
//!
//! Some bytes that say what it is and the version; then arrays, each as its length (8 bytes), its items as they are in memory
//! (little-endian) and four bytes of CRC-32 over all lengths and items so far: parts of two files do not make one. The first
//! array says which columns there are. Where a machine has the other order of bytes, the version is another number.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    io::{self, Read, Write},
    sync::Arc,
};

use bytemuck::{AnyBitPattern, NoUninit};
use crc32fast::Hasher;
use daohu_policy::CodeSet;

use crate::{
    Builder, Shape,
    columns::{Census, Column, NO_SET, Sets, Year},
    fens::Fens,
};

const MAGIC: [u8; 8] = *b"DAOHUCEN";
/// Changes when the same columns are written otherwise.
const VERSION: u64 = 1;
/// Bytes that are read and summed up at a time: they stay in the processor's memory between the two.
const CHUNK_BYTES: usize = 1 << 18;

/// Why no census could be read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It begins otherwise.
    #[error("it is no snapshot of a census")]
    Foreign,
    /// It is of another program, or of a machine with another order of bytes.
    #[error("it is written as version {0}, not as version {VERSION}")]
    Version(u64),
    /// It was written under a shape that stores other columns.
    #[error("it has other columns")]
    OtherColumns,
    /// It ends before it should.
    #[error("it is cut")]
    Cut,
    /// It is not as it was written.
    #[error("it was altered: the sum of {0} differs")]
    Altered(&'static str),
    /// It contradicts itself.
    #[error("it contradicts itself: {0}")]
    Contradictory(&'static str),
    /// It cannot be read.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut,
            _ => Self::Io(error),
        }
    }
}

impl Census {
    /// Writes all of it, to be read again with [`Census::read`]. It holds what is known of households, and is not sealed.
    /// The arrays are written in large parts; what is written to need not gather them.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&MAGIC)?;
        to.write_all(&VERSION.to_ne_bytes())?;
        let mut out = Out { to, sum: Hasher::new() };
        out.array(layout(&self.shape).as_bytes())?;
        out.array(&self.ids)?;
        out.array(&self.homes_in)?;
        out.array(&self.members_from)?;
        out.array(&self.gone_on)?;
        let lengths: Vec<u64> = self.villages.iter().map(|own| own.len() as u64).collect();
        out.array(&lengths)?;
        out.array(self.villages.concat().as_bytes())?;
        self.household.iter().chain(&self.member).try_for_each(|column| out.column(column))?;
        let mut years: Vec<(&i32, &Year)> = self.years.iter().collect();
        years.sort_by_key(|(year, _)| **year);
        out.array(&years.iter().map(|(year, _)| **year).collect::<Vec<i32>>())?;
        years.into_iter().try_for_each(|(_, year)| out.year(year))
    }

    /// Reads what [`Census::write`] wrote, and nothing behind it, under a shape that stores the same columns. What is cut or was
    /// altered by accident is refused; never more memory is taken than twice what was read.
    pub fn read(shape: impl Into<Arc<Shape>>, from: &mut impl Read) -> Result<Self, Unreadable> {
        let mut head = ([0; 8], [0; 8]);
        from.read_exact(&mut head.0)?;
        from.read_exact(&mut head.1)?;
        let version = u64::from_ne_bytes(head.1);
        if head.0 != MAGIC {
            return Err(Unreadable::Foreign);
        }
        if version != VERSION {
            return Err(Unreadable::Version(version));
        }
        let mut input = In { from, sum: Hasher::new(), read_bytes: 0 };
        let mut census = Builder::new(shape).finish();
        if input.array::<u8>("the columns")? != layout(&census.shape).as_bytes() {
            return Err(Unreadable::OtherColumns);
        }
        census.ids = input.array("ids")?;
        let households = census.ids.len();
        census.homes_in = input.array_of(households, "villages of households")?;
        census.members_from = input.array_of(households + 1, "sizes of households")?;
        census.gone_on = input.array("days of leaving")?;
        census.villages = input.villages()?;
        census.fits()?;
        let members = census.members();
        let household = census.household.iter_mut();
        household.into_iter().try_for_each(|column| input.column(column, households))?;
        let member = census.member.iter_mut();
        member.into_iter().try_for_each(|column| input.column(column, members))?;
        let years: Vec<i32> = input.array("years")?;
        if !years.is_sorted_by(|year, next| year < next) {
            return Err(Unreadable::Contradictory("years"));
        }
        for year in years {
            census.years.insert(year, input.year(households)?);
        }
        census.find_homes(0);
        census.find_runs(0);
        Ok(census)
    }

    /// Whether households have villages, and members households: what else there is refers to nothing.
    fn fits(&self) -> Result<(), Unreadable> {
        let within = |place: u32, count: usize| usize::try_from(place).is_ok_and(|nth| nth < count);
        if !self.homes_in.iter().all(|place| within(*place, self.villages.len())) {
            return Err(Unreadable::Contradictory("villages of households"));
        }
        let starts = &self.members_from;
        let fits = starts.first() == Some(&0)
            && starts.is_sorted()
            && starts.last().map(|end| usize::try_from(*end)) == Some(Ok(self.members()))
            && u32::try_from(self.households()).is_ok();
        if fits { Ok(()) } else { Err(Unreadable::Contradictory("sizes of households")) }
    }
}

/// What decides which array is what.
fn layout(shape: &Shape) -> String {
    let mut text = String::new();
    for (level, source, name, kind) in shape.stored() {
        // Writing to a text does not fail.
        let _ = writeln!(text, "{level:?} {source:?} {name} {kind:?}");
    }
    let (kind, on, leaving) = &shape.change;
    let leaving: Vec<u8> = leaving.iter().collect();
    let _ = writeln!(text, "born {}, change {kind} {on} {leaving:?}", shape.born_on);
    text
}

/// What is written to.
struct Out<'w, W> {
    to: &'w mut W,
    sum: Hasher,
}

impl<W: Write> Out<'_, W> {
    fn bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.sum.update(bytes);
        self.to.write_all(bytes)
    }

    fn array<T: NoUninit>(&mut self, array: &[T]) -> io::Result<()> {
        self.bytes(&(array.len() as u64).to_ne_bytes())?;
        let mut parts = bytemuck::cast_slice(array).chunks(CHUNK_BYTES);
        parts.try_for_each(|part| self.bytes(part))?;
        self.to.write_all(&self.sum.clone().finalize().to_ne_bytes())
    }

    fn column(&mut self, column: &Column) -> io::Result<()> {
        match column {
            Column::Flag(own) | Column::Code(own) | Column::Known(own) => self.array(own),
            Column::Codes(own) => {
                self.array(&own.nths)?;
                let bits = |set: &CodeSet| set.iter().fold(0_u128, |bits, code| bits | 1 << code);
                self.array(&own.sets.iter().map(bits).collect::<Vec<u128>>())
            }
            Column::Int(own) => self.array(own),
            Column::Fen(own) => self.array(own),
            Column::Real(own) => self.array(own),
        }
    }

    fn year(&mut self, year: &Year) -> io::Result<()> {
        self.array(&year.per_head_fen)?;
        self.array(&year.sharing)?;
        self.array(&[year.amounts.len() as u64])?;
        for fens in &year.amounts {
            let (amounts, large) = fens.known();
            self.array(amounts)?;
            self.array(&large.keys().map(|place| *place as u64).collect::<Vec<u64>>())?;
            self.array(&large.values().copied().collect::<Vec<i64>>())?;
        }
        Ok(())
    }
}

/// What is read from.
struct In<'r, R> {
    from: &'r mut R,
    sum: Hasher,
    read_bytes: usize,
}

impl<R: Read> In<'_, R> {
    fn bytes(&mut self, bytes: &mut [u8]) -> Result<(), Unreadable> {
        self.from.read_exact(bytes)?;
        self.sum.update(bytes);
        self.read_bytes = self.read_bytes.saturating_add(bytes.len());
        Ok(())
    }

    fn array<T: AnyBitPattern + NoUninit>(
        &mut self,
        what: &'static str,
    ) -> Result<Vec<T>, Unreadable> {
        let mut count = [0; 8];
        self.bytes(&mut count)?;
        let count = usize::try_from(u64::from_ne_bytes(count)).map_err(|_| Unreadable::Cut)?;
        let at_once = CHUNK_BYTES / size_of::<T>();
        let mut array: Vec<T> = Vec::new();
        while array.len() < count {
            if array.len() == array.capacity() {
                // A length that was altered must not take memory: room is for as much again as there was so far.
                let likely = (self.read_bytes / size_of::<T>()).max(at_once);
                array.reserve_exact(likely.min(count - array.len()));
            }
            let from = array.len();
            let end = array.capacity().min(count).min(from + at_once);
            array.resize(end, T::zeroed());
            self.bytes(bytemuck::cast_slice_mut(array.get_mut(from..).unwrap_or_default()))?;
        }
        let mut sum = [0; 4];
        self.from.read_exact(&mut sum)?;
        if u32::from_ne_bytes(sum) != self.sum.clone().finalize() {
            return Err(Unreadable::Altered(what));
        }
        Ok(array)
    }

    /// An array of so many.
    fn array_of<T: AnyBitPattern + NoUninit>(
        &mut self,
        count: usize,
        what: &'static str,
    ) -> Result<Vec<T>, Unreadable> {
        let array = self.array(what)?;
        if array.len() == count { Ok(array) } else { Err(Unreadable::Contradictory(what)) }
    }

    fn villages(&mut self) -> Result<Vec<String>, Unreadable> {
        let lengths: Vec<u64> = self.array("lengths of villages")?;
        let text = String::from_utf8(self.array("villages")?);
        let text = text.map_err(|_| Unreadable::Contradictory("villages"))?;
        let mut rest = &text[..];
        let villages = lengths.into_iter().map(|length| {
            let split =
                usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
            let (village, others) =
                split.ok_or(Unreadable::Contradictory("lengths of villages"))?;
            rest = others;
            Ok(village.to_owned())
        });
        let villages = villages.collect::<Result<Vec<String>, Unreadable>>()?;
        if rest.is_empty() {
            Ok(villages)
        } else {
            Err(Unreadable::Contradictory("lengths of villages"))
        }
    }

    /// Fills an empty column.
    fn column(&mut self, column: &mut Column, count: usize) -> Result<(), Unreadable> {
        const WHAT: &str = "a column";
        match column {
            Column::Flag(own) | Column::Code(own) | Column::Known(own) => {
                *own = self.array_of(count, WHAT)?;
            }
            Column::Codes(own) => {
                let nths: Vec<u16> = self.array_of(count, WHAT)?;
                let codes =
                    |bits: u128| (0..128_i64).filter(move |code| bits >> code & 1 == 1).collect();
                let sets: Vec<CodeSet> = self.array(WHAT)?.into_iter().map(codes).collect();
                let is_there = |nth: &u16| usize::from(*nth) < sets.len();
                // The first is of what is not known, though nobody has it.
                if !is_there(&NO_SET) || !nths.iter().all(is_there) {
                    return Err(Unreadable::Contradictory("sets of codes"));
                }
                *own = Sets { nths, sets };
            }
            Column::Int(own) => *own = self.array_of(count, WHAT)?,
            Column::Fen(own) => *own = self.array_of(count, WHAT)?,
            Column::Real(own) => *own = self.array_of(count, WHAT)?,
        }
        Ok(())
    }

    fn year(&mut self, households: usize) -> Result<Year, Unreadable> {
        let per_head_fen = self.array_of(households, "incomes")?;
        let sharing = self.array_of(households, "who shared incomes")?;
        let counts: Vec<u64> = self.array_of(1, "how many amounts")?;
        let mut amounts = Vec::new();
        for _ in 0..counts.first().copied().unwrap_or_default() {
            let own = self.array_of(households, "amounts")?;
            let places: Vec<u64> = self.array("large amounts")?;
            let large: Vec<i64> = self.array_of(places.len(), "large amounts")?;
            let place = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
            let large: BTreeMap<usize, i64> = places.into_iter().map(place).zip(large).collect();
            let fens = Fens::of(own, large);
            amounts.push(fens.ok_or(Unreadable::Contradictory("large amounts"))?);
        }
        Ok(Year { per_head_fen, sharing, amounts })
    }
}
