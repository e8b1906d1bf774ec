//! What was known of a household at the end of a year. Pure.

use daohu_base::Day;
use daohu_policy::{CodeSet, DatedFact, Policy, PredictionFeature, Prospect};

use super::super::earned::{self, IncomeRules};
use crate::{
    households::{Home, Marks},
    quality::Cells,
    sheet::{household, income, person},
};

/// The columns of 户 that are looked at: of what is known as of now alone, only what does not change with a year's
/// luck (its number, where it lies) and the years of its registration and exit.
pub(super) const OF_HOUSEHOLD: [usize; 5] = [
    household::NO,
    household::VILLAGE,
    household::IDENTIFIED_YEAR,
    household::EXIT_YEAR,
    household::INDUSTRIES,
];
/// The columns of 人: who a person is, and since or until when a member.
pub(super) const OF_MEMBER: [usize; 6] = [
    person::RELATION,
    person::SEX,
    person::BORN_ON,
    person::ETHNIC_GROUP,
    person::CHANGE_KIND,
    person::CHANGE_ON,
];
/// The columns of 年度收入.
pub(super) fn of_year() -> Vec<usize> {
    let mut all = earned::columns();
    all.push(income::MEDICAL_SELF_PAID_FEN);
    all
}

/// What codes mean.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    leaves: CodeSet,
    head: CodeSet,
}

impl Terms {
    pub(super) fn of(policy: &Policy) -> Self {
        let marks = Marks::new(policy);
        Self {
            leaves: marks.set("变动类型", "leaves"), head: marks.set("与户主关系", "head")
        }
    }
}

/// What a household had in a year.
#[derive(Clone, Copy)]
struct Year {
    year: i64,
    kinds_fen: [Option<i64>; 4],
    per_head_fen: Option<i64>,
    line_fen: Option<i64>,
    sharing: Option<i64>,
    medical_fen: Option<i64>,
}

impl Year {
    /// By how much a head had more than the line, in fen.
    fn over_fen(&self) -> Option<i64> {
        Some(self.per_head_fen?.saturating_sub(self.line_fen?))
    }
}

/// A household's years, to be asked year by year.
pub(super) struct History<'h> {
    home: &'h Home,
    terms: Terms,
    /// In order.
    years: Vec<Year>,
}

impl<'h> History<'h> {
    pub(super) fn of(
        home: &'h Home,
        (policy, incomes): (&Policy, &IncomeRules),
        terms: Terms,
    ) -> Self {
        let village = home.household.village();
        let year = |row: &crate::households::IncomeRow| {
            let values = Cells(&row.0.values);
            let earned = incomes.earned(village, Cells(&home.household.0.values), values);
            Year {
                year: row.year(),
                kinds_fen: earned.kinds_fen,
                per_head_fen: earned.per_head_fen(),
                line_fen: policy.poverty_line_fen(village, row.year()),
                sharing: earned.sharing.filter(|sharing| *sharing > 0),
                medical_fen: values.int(income::MEDICAL_SELF_PAID_FEN),
            }
        };
        Self { home, terms, years: home.incomes.iter().map(year).collect() }
    }

    /// The first year of which there is an income.
    pub(super) fn first_year(&self) -> Option<i64> {
        self.years.first().map(|own| own.year)
    }

    /// What was known at the end of a year; none of a year that no calendar has.
    pub(super) fn at(&self, year: i64) -> Option<Known<'_>> {
        let end = Day::new(year, 12, 31)?;
        let years = self.years.partition_point(|own| own.year <= year);
        let years = self.years.get(..years).unwrap_or_default();
        let members = self.home.persons.iter().map(|own| Cells(&own.0.values));
        let present = members.filter(|own| is_present(*own, end, self.terms)).collect();
        Some(Known { history: self, end, years, present })
    }
}

/// True if a person belongs to the household on a day, as far as dated facts tell. A change without a date cannot be
/// placed: to heed it would tell all years before of it.
fn is_present(member: Cells<'_>, on: Day, terms: Terms) -> bool {
    if member.day(person::BORN_ON).is_some_and(|born| born > on) {
        return false;
    }
    let kind = member.int(person::CHANGE_KIND);
    match member.day(person::CHANGE_ON).filter(|_| kind.is_some()) {
        None => true,
        Some(left) if terms.leaves.has(kind) => left > on,
        Some(joined) => joined <= on,
    }
}

/// What was known of a household at the end of a year: it reaches no later one.
pub(super) struct Known<'h> {
    history: &'h History<'h>,
    end: Day,
    /// Those up to the year, in order.
    years: &'h [Year],
    present: Vec<Cells<'h>>,
}

impl Known<'_> {
    fn year(&self, before: i64) -> Option<&Year> {
        let wanted = self.end.year() - before;
        self.years.iter().rev().find(|own| own.year == wanted)
    }

    /// A year of the household that is not after this one.
    fn past_year(&self, column: usize) -> Option<i64> {
        let year = Cells(&self.history.home.household.0.values).int(column)?;
        (year <= self.end.year()).then_some(year)
    }

    fn age(&self, member: Cells<'_>) -> Option<i64> {
        member.day(person::BORN_ON).map(|born| born.age_years(self.end))
    }

    /// The head. Who heads a household is known as of now: where the old one and the new one are members, the elder.
    fn head(&self) -> Option<Cells<'_>> {
        let is_head = |own: &&Cells<'_>| self.history.terms.head.has(own.int(person::RELATION));
        let heads = self.present.iter().filter(is_head).copied();
        heads.min_by_key(|own| own.day(person::BORN_ON).map_or(i64::MAX, Day::epoch_days))
    }

    /// Whether the question can be asked of it: it is registered, somebody lives there, and it has exited if the question is
    /// about those.
    pub(super) fn is_asked(&self, prospect: Prospect) -> bool {
        let is_home = self.history.home.persons.is_empty() || !self.present.is_empty();
        let has_exited = self.past_year(household::EXIT_YEAR).is_some();
        self.past_year(household::IDENTIFIED_YEAR).is_some()
            && is_home
            && (prospect == Prospect::AboveLine || has_exited)
    }

    /// Whether the household was in the state in this year.
    pub(super) fn state(&self, prospect: Prospect) -> Option<bool> {
        let is_above = self.year(0)?.over_fen()? >= 0;
        Some(match prospect {
            Prospect::AboveLine => is_above,
            Prospect::BelowAgain => !is_above,
        })
    }

    /// Net income a head in this year, in yuan.
    pub(super) fn income_yuan(&self) -> Option<f64> {
        self.year(0)?.per_head_fen.map(yuan)
    }

    /// A feature.
    pub(super) fn fact(&self, feature: &PredictionFeature) -> Option<f64> {
        let since = |column: usize| {
            self.past_year(column).map(|year| number(self.end.year().saturating_sub(year)))
        };
        let [wage, business, property, transfer] = [0, 1, 2, 3];
        match feature.of {
            DatedFact::OverLine => self.year(0)?.over_fen().map(yuan),
            DatedFact::OverLineBefore => self.year(1)?.over_fen().map(yuan),
            DatedFact::OverLineEarlier => self.over_line_earlier(),
            DatedFact::Growth => self.growth(),
            DatedFact::WageShare => self.share(wage),
            DatedFact::BusinessShare => self.share(business),
            DatedFact::PropertyShare => self.share(property),
            DatedFact::TransferShare => self.share(transfer),
            DatedFact::MedicalSelfPaid => {
                let own = self.year(0)?;
                Some(yuan(own.medical_fen?) / number(own.sharing?))
            }
            DatedFact::Members => self.members(feature.ages),
            DatedFact::HeadAge => self.age(self.head()?).map(number),
            DatedFact::HeadSex => self.head()?.int(person::SEX).map(number),
            DatedFact::YearsRegistered => since(household::IDENTIFIED_YEAR),
            // No year on record by then is no exit on record by then.
            DatedFact::HasExited => {
                Some(f64::from(u8::from(self.past_year(household::EXIT_YEAR).is_some())))
            }
            DatedFact::YearsSinceExit => since(household::EXIT_YEAR),
        }
    }

    fn over_line_earlier(&self) -> Option<f64> {
        let before = self.years.iter().filter(|own| own.year < self.end.year());
        let over: Vec<f64> = before.filter_map(Year::over_fen).map(yuan).collect();
        let count = i64::try_from(over.len()).ok().filter(|count| *count > 0)?;
        Some(over.iter().sum::<f64>() / number(count))
    }

    fn growth(&self) -> Option<f64> {
        let (own, before) = (self.year(0)?.per_head_fen?, self.year(1)?.per_head_fen?);
        (before > 0).then(|| 100.0 * (number(own) / number(before) - 1.0))
    }

    /// The share of a kind in what came in, in percent; none where the kind is not known.
    fn share(&self, kind: usize) -> Option<f64> {
        let kinds = self.year(0)?.kinds_fen;
        let own = kinds.get(kind).copied().flatten()?;
        let all = kinds.into_iter().flatten().fold(0, i64::saturating_add);
        (all > 0).then(|| 100.0 * number(own) / number(all))
    }

    /// How many members of these ages there are; none where none is on record, or an age is not known that matters.
    fn members(&self, ages: Option<[i64; 2]>) -> Option<f64> {
        if self.history.home.persons.is_empty() {
            return None;
        }
        let Some([first, last]) = ages else { return count(self.present.len()) };
        let known: Option<Vec<i64>> = self.present.iter().map(|own| self.age(*own)).collect();
        count(known?.into_iter().filter(|age| (first..=last).contains(age)).count())
    }

    /// The codes of the head's sex and ethnic group, and how many members there are.
    pub(super) fn groups(&self) -> (Option<i64>, Option<i64>, Option<usize>) {
        let head = self.head();
        let code = |column: usize| head.and_then(|own| own.int(column));
        let is_known = !self.history.home.persons.is_empty();
        let size = is_known.then_some(self.present.len());
        (code(person::SEX), code(person::ETHNIC_GROUP), size)
    }
}

fn yuan(fen: i64) -> f64 {
    number(fen) / 100.0
}

fn count(members: usize) -> Option<f64> {
    i64::try_from(members).ok().map(number)
}

/// For estimates alone: money is counted in whole fen.
#[expect(clippy::cast_precision_loss, reason = "fen, ages and years lie below 2^53")]
fn number(whole: i64) -> f64 {
    whole as f64
}
