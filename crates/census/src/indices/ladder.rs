//! Incomes in their order: how unequal they are, what divides the lower part from the upper, who is far below the middle.

use super::{Rate, Unknown, asked::Asked, incomes::Incomes, quotient};

/// Of fewer incomes than this, comparing sorts faster than counting digits.
const FEW: usize = 4096;
/// Bits of a digit by which incomes are sorted.
const DIGIT: u32 = 11;
/// Where the income begins in a step that is packed; below it stand the persons.
const PERSONS_BITS: u32 = 32;

/// Incomes a head in ascending order, each with who have it.
#[derive(Clone, Debug)]
pub struct Ladder {
    steps: Steps,
    persons: u64,
    /// Of whom too little is known.
    pub unknown: Unknown,
}

/// As they are kept.
#[derive(Clone, Debug)]
enum Steps {
    /// How much an income is above the lowest, and the persons.
    Narrow(i64, Vec<u64>),
    /// Where incomes lie too far apart for that.
    Wide(Vec<(i64, u64)>),
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

/// What one thread has found.
#[derive(Default)]
struct Found {
    steps: Vec<(i64, u64)>,
    unknown: Unknown,
}

impl Ladder {
    /// The incomes of who is asked about. Households without persons have no part in it.
    pub fn of(incomes: Incomes<'_>, asked: Asked<'_>) -> Self {
        let households = incomes.persons().households();
        let found = asked.parts(households, Found::default, |own: &mut Found, nth| {
            match incomes.both(nth) {
                Some((_, 0)) => {}
                Some(step) => own.steps.push(step),
                None => own.unknown.take(incomes.persons().of(nth)),
            }
        });
        let mut unknown = Unknown::default();
        found.iter().for_each(|part| unknown.join(part.unknown));
        let steps = || found.iter().flat_map(|part| &part.steps);
        let persons = steps().map(|(_, persons)| persons).sum();
        let lowest = steps().map(|(fen, _)| *fen).min().unwrap_or_default();
        let highest = steps().map(|(fen, _)| *fen).max().unwrap_or_default();
        let parts: Vec<Vec<(i64, u64)>> = found.into_iter().map(|part| part.steps).collect();
        let steps = match u32::try_from(highest - lowest) {
            Ok(spread) => Steps::Narrow(lowest, narrow(parts, lowest, spread)),
            Err(_) => {
                let mut all = parts.concat();
                all.sort_unstable();
                Steps::Wide(all)
            }
        };
        Self { steps, persons, unknown }
    }

    /// The persons whose income is known.
    pub fn persons(&self) -> u64 {
        self.persons
    }

    /// Income a head in fen and persons, from the lowest income on.
    fn steps(&self) -> impl Iterator<Item = (i64, u64)> {
        let (lowest, narrow, wide): (i64, &[u64], &[(i64, u64)]) = match &self.steps {
            Steps::Narrow(lowest, steps) => (*lowest, steps, &[]),
            Steps::Wide(steps) => (0, &[], steps),
        };
        let narrow = narrow.iter().map(move |step| unpacked(*step, lowest));
        narrow.chain(wide.iter().copied())
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
        let widest = self.steps().map(|(fen, _)| fen.unsigned_abs()).max()?;
        let bits = |number: u64| u64::BITS - number.leading_zeros();
        if 2 * bits(self.persons) + bits(widest) + 2 >= i128::BITS {
            return None;
        }
        let (mut so_far, mut ranked, mut total) = (0_i128, 0_i128, 0_i128);
        for (fen, persons) in self.steps() {
            let persons = i128::from(persons);
            so_far += persons;
            let own = persons * i128::from(fen);
            total += own;
            ranked += own * (2 * so_far - persons);
        }
        let whole = i128::from(self.persons) * total;
        (total > 0).then(|| quotient(ranked - whole, whole))?
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

/// An income and its persons in one number, in the order of incomes.
fn packed((fen, persons): (i64, u64), lowest: i64) -> u64 {
    let above = u64::try_from(fen - lowest).unwrap_or_default();
    above << PERSONS_BITS | persons
}

fn unpacked(step: u64, lowest: i64) -> (i64, u64) {
    let above = i64::try_from(step >> PERSONS_BITS).unwrap_or_default();
    (lowest + above, step & u64::from(u32::MAX))
}

/// All steps in order, packed: each thread's part is sorted by a thread.
fn narrow(parts: Vec<Vec<(i64, u64)>>, lowest: i64, spread: u32) -> Vec<u64> {
    let mut sorted: Vec<Vec<u64>> = parts.iter().map(|_| Vec::new()).collect();
    std::thread::scope(|scope| {
        let mut work = parts.into_iter().zip(&mut sorted).map(|(steps, slot)| {
            move || {
                let packed = steps.into_iter().map(|step| packed(step, lowest)).collect();
                *slot = in_order(packed, u32::BITS - spread.leading_zeros());
            }
        });
        let own = work.next();
        work.for_each(|work| drop(scope.spawn(work)));
        own.into_iter().for_each(|work| work());
    });
    sorted.into_iter().reduce(|one, other| merged(&one, &other)).unwrap_or_default()
}

/// Sorts steps whose incomes are above the lowest by less than so many bits can say.
fn in_order(mut steps: Vec<u64>, bits: u32) -> Vec<u64> {
    if steps.len() < FEW {
        steps.sort_unstable();
        return steps;
    }
    // Digit by digit, the last first: each pass keeps the order of the one before where digits are the same.
    let mut room = vec![0; steps.len()];
    for shift in (PERSONS_BITS..PERSONS_BITS + bits).step_by(usize::try_from(DIGIT).unwrap_or(1)) {
        let digit = |step: u64| usize::try_from((step >> shift) % (1 << DIGIT)).unwrap_or_default();
        let mut places = [0_usize; 1 << DIGIT];
        for step in &steps {
            if let Some(count) = places.get_mut(digit(*step)) {
                *count += 1;
            }
        }
        let mut next = 0;
        for place in &mut places {
            next += std::mem::replace(place, next);
        }
        for step in &steps {
            let place = places.get_mut(digit(*step));
            if let Some(place) = place {
                if let Some(slot) = room.get_mut(*place) {
                    *slot = *step;
                }
                *place += 1;
            }
        }
        std::mem::swap(&mut steps, &mut room);
    }
    steps
}

/// Two orders as one.
fn merged(one: &[u64], other: &[u64]) -> Vec<u64> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    while let (Some(first), Some(second)) = (one.peek(), other.peek()) {
        let next = if first <= second { one.next() } else { other.next() };
        all.extend(next);
    }
    all.extend(one.chain(other));
    all
}
