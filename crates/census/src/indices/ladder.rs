//! Incomes in their order: how unequal they are, what divides the lower part from the upper, who is far below the middle.

use super::{
    Rate, Unknown,
    asked::Asked,
    incomes::{BELOW_BITS, Incomes},
    quotient,
};

/// Of fewer incomes than this, comparing sorts faster than counting digits; and so many tell where to cut the rest.
const FEW: usize = 4096;
/// Bits that a digit has at most by which incomes are sorted.
const DIGIT_BITS: u32 = 11;
/// Bits of a step that are its persons; above them stands how much the income is above [`LOWEST_FEN`].
const PERSONS_BITS: u32 = 6;
/// Below this, 42 thousand yuan of loss a head, an income is no step but kept by itself; and so it is from 629 thousand yuan on.
const LOWEST_FEN: i64 = -(1 << 22);
/// A household of more persons than one step has room for is several steps, up to so many.
const STEPS_MAX: u64 = 16;

/// Incomes a head in ascending order, each with who have it.
#[derive(Clone, Debug)]
pub struct Ladder {
    /// Incomes that are too low for a step.
    low: Vec<(i64, u64)>,
    /// Steps, in pieces that follow each other: half the memory, and it is memory that sorting takes its time for.
    pieces: Vec<Vec<u32>>,
    /// Incomes that are too high; or all, where somebody counts for so many persons as weights of a sample survey do.
    high: Vec<(i64, u64)>,
    persons: u64,
    /// Of whom too little is known.
    pub unknown: Unknown,
}

/// A part of a whole, such as 3 of 5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// So many.
    pub part: u32,
    /// Of so many.
    pub of: u32,
}

/// An amount in halves of a fen: what divides incomes may lie between two of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HalfFen(pub i64);

/// Who is at risk of poverty, as Eurostat calls it: who has less than a part of the middle income.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtRisk {
    /// The middle income.
    pub median: HalfFen,
    /// Who has less than that part of it, among all whose income is known.
    pub rate: Rate,
}

/// What one thread has found, by the piece where it belongs.
#[derive(Default)]
struct Found {
    low: Vec<(i64, u64)>,
    pieces: Vec<Vec<u32>>,
    high: Vec<(i64, u64)>,
    has_weights: bool,
    persons: u64,
    unknown: Unknown,
}

impl Ladder {
    /// The incomes of who is asked about. Households without persons have no part in it.
    pub fn of(incomes: Incomes<'_>, asked: Asked<'_>) -> Self {
        let households = incomes.persons().households();
        let some = asked.some(households, FEW).into_iter().filter_map(|nth| incomes.of(nth));
        let bounds = bounds(some.filter_map(|fen| packed(fen, 0)).collect(), asked.threads.get());
        let room = asked.most(households) / bounds.len().max(1) / bounds.len().max(1);
        let empty = || {
            let pieces = bounds.iter().map(|_| Vec::with_capacity(room + room / 8)).collect();
            Found { pieces, ..Found::default() }
        };
        let found =
            asked.parts(households, empty, |own: &mut Found, nth| match incomes.both(nth) {
                Some((_, 0)) => {}
                Some(income) => own.take(income, &bounds),
                None => own.unknown.take(incomes.persons().of(nth)),
            });
        let mut all = Self::empty();
        let has_weights = found.iter().any(|part| part.has_weights);
        let mut pieces: Vec<Vec<Vec<u32>>> = bounds.iter().map(|_| Vec::new()).collect();
        for part in found {
            all.persons += part.persons;
            all.unknown.join(part.unknown);
            all.low.extend(part.low);
            all.high.extend(part.high);
            pieces.iter_mut().zip(part.pieces).for_each(|(piece, own)| piece.push(own));
        }
        if has_weights {
            let weighted = weighted(incomes, asked);
            return Self { high: weighted, low: Vec::new(), ..all };
        }
        all.low.sort_unstable();
        all.high.sort_unstable();
        Self { pieces: on_threads(pieces, in_order), ..all }
    }

    fn empty() -> Self {
        let (low, pieces, high) = Default::default();
        Self { low, pieces, high, persons: 0, unknown: Unknown::default() }
    }

    /// The persons whose income is known.
    pub fn persons(&self) -> u64 {
        self.persons
    }

    /// Income a head in fen and persons, from the lowest income on.
    fn steps(&self) -> impl Iterator<Item = (i64, u64)> {
        let steps = self.pieces.iter().flatten().map(|step| unpacked(*step));
        self.low.iter().copied().chain(steps).chain(self.high.iter().copied())
    }

    /// The coefficient of Gini, 0 where all have the same and almost 1 where one has all; none where the sum of incomes is
    /// not above zero, or sums are too large.
    ///
    /// As R's package laeken has it (A. Alfons and M. Templ, *Estimation of Social Exclusion Indicators from Complex
    /// Surveys: The R Package laeken*, Journal of Statistical Software 54, 2013), with persons for weights and not times 100:
    /// (2 Σ w x W − Σ w² x) ÷ (Σ w · Σ w x) − 1, incomes x ascending, W the sum of weights so far. With incomes below zero
    /// it may be above 1.
    pub fn gini(&self) -> Option<f64> {
        // No sum is above 2 · persons² · the largest income.
        let bits = |number: u64| u64::BITS - number.leading_zeros();
        let room = i128::BITS.checked_sub(2 * bits(self.persons) + 3)?;
        if room < BELOW_BITS && self.steps().any(|(fen, _)| bits(fen.unsigned_abs()) > room) {
            return None;
        }
        let pieces = self.pieces.iter().collect();
        let pieces = on_threads(pieces, |piece: &Vec<u32>| {
            Ranked::of(piece.iter().map(|step| unpacked(*step)))
        });
        let mut all = Ranked::of(self.low.iter().copied());
        pieces.into_iter().for_each(|piece| all.append(piece));
        all.append(Ranked::of(self.high.iter().copied()));
        let whole = all.persons * all.total;
        (all.total > 0).then(|| quotient(all.ranked - whole, whole))?
    }

    /// What a part of the persons have at most: [`Part`] 1 of 2 gives the middle income, 1 of 5 the first fifth. None of
    /// nobody, and of what is no part.
    ///
    /// As laeken's `weightedQuantile`: the first income up to which the share of persons reaches the part; where it reaches it
    /// exactly, the mean of this income and the next. Shares are compared as whole numbers, not as laeken's rounded ones.
    pub fn quantile(&self, part: Part) -> Option<HalfFen> {
        if part.part > part.of || part.of == 0 {
            return None;
        }
        let wanted = u128::from(part.part) * u128::from(self.persons);
        let (mut so_far, mut steps) = (0_u128, self.steps().peekable());
        if part.part == 0 {
            return steps.next().map(|(fen, _)| HalfFen(2 * fen));
        }
        while let Some((fen, persons)) = steps.next() {
            so_far += u128::from(persons) * u128::from(part.of);
            if so_far > wanted {
                return Some(HalfFen(2 * fen));
            }
            if so_far == wanted {
                return Some(HalfFen(fen + steps.peek().map_or(fen, |(next, _)| *next)));
            }
        }
        None
    }

    /// Who has less than a part of the middle income; Eurostat's part is 3 of 5. With exactly so much one is not at risk.
    pub fn at_risk(&self, part: Part) -> Option<AtRisk> {
        let median = self.quantile(Part { part: 1, of: 2 })?;
        let bound = i128::from(median.0) * i128::from(part.part);
        let is_below = |fen: i64| 2 * i128::from(fen) * i128::from(part.of) < bound;
        let below = self.steps().take_while(|(fen, _)| is_below(*fen));
        let persons = below.map(|(_, persons)| persons).sum();
        (part.of > 0).then_some(AtRisk { median, rate: Rate { persons, among: self.persons } })
    }
}

impl HalfFen {
    /// In fen.
    pub fn fen(self) -> f64 {
        super::real(self.0.into()) / 2.0
    }
}

/// Sums over some of the incomes, for the coefficient of Gini.
struct Ranked {
    persons: i128,
    /// Σ w x.
    total: i128,
    /// 2 Σ w x W − Σ w² x.
    ranked: i128,
}

impl Ranked {
    fn of(steps: impl Iterator<Item = (i64, u64)>) -> Self {
        steps.fold(Self { persons: 0, total: 0, ranked: 0 }, |all, (fen, persons)| {
            let own = i128::from(persons) * i128::from(fen);
            let ranked = all.ranked + own * (2 * all.persons + i128::from(persons));
            let persons = all.persons + i128::from(persons);
            Self { persons, total: all.total + own, ranked }
        })
    }

    /// Takes in incomes that follow.
    fn append(&mut self, next: Self) {
        self.ranked += next.ranked + 2 * self.persons * next.total;
        self.persons += next.persons;
        self.total += next.total;
    }
}

impl Found {
    fn take(&mut self, (fen, persons): (i64, u64), bounds: &[u32]) {
        self.persons += persons;
        let Some(step) = packed(fen, 0) else {
            let kept = if fen < LOWEST_FEN { &mut self.low } else { &mut self.high };
            return kept.push((fen, persons));
        };
        let nth = bounds.iter().skip(1).filter(|bound| **bound <= step).count();
        let Some(piece) = self.pieces.get_mut(nth) else { return };
        let room = (1 << PERSONS_BITS) - 1;
        if persons <= room {
            piece.extend(packed(fen, persons));
        } else if persons <= STEPS_MAX * room {
            let whole = std::iter::repeat_n(room, usize::try_from(persons / room).unwrap_or(0));
            piece.extend(whole.chain([persons % room]).filter_map(|some| packed(fen, some)));
        } else {
            self.has_weights = true;
        }
    }
}

/// An income and as many persons as there is room for in one number, in the order of incomes; none where the income has no room.
fn packed(fen: i64, persons: u64) -> Option<u32> {
    let above = u64::try_from(fen - LOWEST_FEN).ok()?;
    u32::try_from(above << PERSONS_BITS | persons).ok()
}

fn unpacked(step: u32) -> (i64, u64) {
    (i64::from(step >> PERSONS_BITS) + LOWEST_FEN, u64::from(step % (1 << PERSONS_BITS)))
}

/// All incomes with their persons, in order, however many these are.
fn weighted(incomes: Incomes<'_>, asked: Asked<'_>) -> Vec<(i64, u64)> {
    let households = incomes.persons().households();
    let parts = asked.parts(households, Vec::new, |own: &mut Vec<_>, nth| {
        own.extend(incomes.both(nth).filter(|(_, persons)| *persons > 0));
    });
    let mut all = parts.concat();
    all.sort_unstable();
    all
}

/// Where so many pieces of about the same size begin, by some of the steps; these have no persons, so that a piece has all of an
/// income or nothing of it.
fn bounds(mut some: Vec<u32>, pieces: usize) -> Vec<u32> {
    some.sort_unstable();
    let first = |nth: usize| some.get(some.len() * nth / pieces).copied().unwrap_or_default();
    (0..pieces).map(first).collect()
}

/// The work for each of these on a thread of its own, one of them here.
fn on_threads<T: Send, R: Send>(of: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
    let mut done: Vec<Option<R>> = of.iter().map(|_| None).collect();
    std::thread::scope(|scope| {
        let work = &work;
        let mut parts =
            of.into_iter().zip(&mut done).map(|(own, slot)| move || *slot = Some(work(own)));
        let own = parts.next();
        parts.for_each(|part| drop(scope.spawn(part)));
        own.into_iter().for_each(|part| part());
    });
    done.into_iter().flatten().collect()
}

/// Sorts the steps of a piece by income.
fn in_order(parts: Vec<Vec<u32>>) -> Vec<u32> {
    let steps = || parts.iter().flatten().copied();
    let count = parts.iter().map(Vec::len).sum();
    if count < FEW {
        let mut all = parts.concat();
        all.sort_unstable();
        return all;
    }
    let lowest = steps().min().unwrap_or_default() >> PERSONS_BITS;
    let spread = (steps().max().unwrap_or_default() >> PERSONS_BITS) - lowest;
    let bits = u32::BITS - spread.leading_zeros();
    let passes = bits.div_ceil(DIGIT_BITS).max(1);
    let digits = Digits { lowest, width: bits.div_ceil(passes) };
    // Digit by digit, the last first: each pass keeps the order of the one before where digits are the same.
    let mut sorted = vec![0; count];
    digits.scatter(0, steps, &mut sorted);
    drop(parts);
    let mut room = if passes > 1 { vec![0; count] } else { Vec::new() };
    for pass in 1..passes {
        digits.scatter(pass, || sorted.iter().copied(), &mut room);
        std::mem::swap(&mut sorted, &mut room);
    }
    sorted
}

/// The digits by which steps are sorted.
#[derive(Clone, Copy)]
struct Digits {
    /// The lowest income, as packed.
    lowest: u32,
    /// Bits of a digit.
    width: u32,
}

impl Digits {
    /// Puts the steps in the order of one digit.
    fn scatter<I: Iterator<Item = u32>>(self, pass: u32, steps: impl Fn() -> I, to: &mut [u32]) {
        let (shift, mask) = (pass * self.width, (1 << self.width) - 1);
        let digit = |step: u32| {
            usize::try_from(((step >> PERSONS_BITS) - self.lowest) >> shift & mask).unwrap_or(0)
        };
        let mut places = [0_usize; 1 << DIGIT_BITS];
        steps().for_each(|step| {
            if let Some(count) = places.get_mut(digit(step)) {
                *count += 1;
            }
        });
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        steps().for_each(|step| {
            if let Some(place) = places.get_mut(digit(step)) {
                if let Some(slot) = to.get_mut(*place) {
                    *slot = step;
                }
                *place += 1;
            }
        });
    }
}
