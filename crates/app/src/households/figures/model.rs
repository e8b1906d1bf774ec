//! What is counted, and how it adds up.

use std::{
    collections::{BTreeMap, HashMap},
    ops::AddAssign,
};

use daohu_base::{AreaCode, AreaLevel};

use crate::{
    areas::{POOR_LEVELS, rows::AreaLine},
    households::model::Marks,
};

/// What is counted of a household.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    pub(super) village: String,
    pub(super) exit_status: Option<i64>,
    pub(super) poverty_kind: Option<i64>,
    pub(super) residence_kind: Option<i64>,
    pub(super) main_cause: Option<i64>,
    /// Those who belong to it now.
    pub(super) persons: i64,
}

/// Households and those who belong to them now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) households: i64,
    pub(super) persons: i64,
}

/// Counts by the code of a list; `None` for where it is not known.
pub(super) type ByCode = BTreeMap<Option<i64>, Count>;

/// What adds up from villages to the province.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) total: Count,
    /// In poverty, or fallen back into it.
    pub(super) poor: Count,
    pub(super) poor_rural: Count,
    pub(super) poor_urban: Count,
    /// Of the others it is not known what they are.
    pub(super) poor_residence_unknown: Count,
    pub(super) by_exit_status: ByCode,
    pub(super) by_poverty_kind: ByCode,
    pub(super) by_main_cause: ByCode,
    /// Of those that are poor.
    pub(super) poor_by_main_cause: ByCode,
    /// Poor counties, townships and villages, the area itself among them.
    pub(super) poor_areas: [i64; POOR_LEVELS.len()],
}

/// An area with its figures.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) code: String,
    /// None where the tree has no such area.
    pub(super) name: Option<String>,
    pub(super) has_ended: bool,
    pub(super) figures: Figures,
    pub(super) rural_population: Option<i64>,
    /// The sum of those of the areas below, if all are known.
    pub(super) rural_population_below: Option<i64>,
}

/// An area and those directly below it.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) area: Line,
    pub(super) children: Vec<Line>,
}

/// Adds up the households of an area by the areas directly below it; a village has none below.
pub(super) struct Tally<'p> {
    marks: Marks<'p>,
    area: AreaCode,
    /// How long the codes of the parts are.
    digits: usize,
    parts: BTreeMap<String, Figures>,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.households += other.households;
        self.persons += other.persons;
    }
}

impl AddAssign<&Figures> for Figures {
    fn add_assign(&mut self, other: &Self) {
        self.total += other.total;
        self.poor += other.poor;
        self.poor_rural += other.poor_rural;
        self.poor_urban += other.poor_urban;
        self.poor_residence_unknown += other.poor_residence_unknown;
        for (mine, theirs) in [
            (&mut self.by_exit_status, &other.by_exit_status),
            (&mut self.by_poverty_kind, &other.by_poverty_kind),
            (&mut self.by_main_cause, &other.by_main_cause),
            (&mut self.poor_by_main_cause, &other.poor_by_main_cause),
        ] {
            theirs.iter().for_each(|(code, count)| *mine.entry(*code).or_default() += *count);
        }
        for (mine, theirs) in self.poor_areas.iter_mut().zip(other.poor_areas) {
            *mine += theirs;
        }
    }
}

impl Figures {
    fn count(&mut self, marks: Marks<'_>, household: &Counted) {
        let one = Count { households: 1, persons: household.persons };
        self.total += one;
        *self.by_exit_status.entry(household.exit_status).or_default() += one;
        *self.by_poverty_kind.entry(household.poverty_kind).or_default() += one;
        *self.by_main_cause.entry(household.main_cause).or_default() += one;
        if marks.has("脱贫状态", household.exit_status, "poor") {
            self.poor += one;
            *self.poor_by_main_cause.entry(household.main_cause).or_default() += one;
            if marks.has("户类型", household.residence_kind, "rural") {
                self.poor_rural += one;
            } else if marks.has("户类型", household.residence_kind, "urban") {
                self.poor_urban += one;
            } else {
                self.poor_residence_unknown += one;
            }
        }
    }
}

impl Line {
    /// Poor persons among the rural population, in hundredths of a percent, halves rounded up. Who
    /// lives in town is in neither; nor is, among the poor, of whom that is not known. None where the
    /// population is not known, or is none.
    pub(super) fn incidence(&self) -> Option<u32> {
        let rural = self.rural_population.filter(|rural| *rural > 0)?;
        let poor = i128::from(self.figures.poor_rural.persons);
        let hundredths = (poor * 20_000 + i128::from(rural)) / (2 * i128::from(rural));
        u32::try_from(hundredths).ok()
    }
}

impl<'p> Tally<'p> {
    pub(super) fn new(marks: Marks<'p>, area: &AreaCode) -> Self {
        let level =
            area.level().below().map_or(AreaLevel::Village, |level| level.min(AreaLevel::Village));
        Self { marks, area: area.clone(), digits: level.digits(), parts: BTreeMap::new() }
    }

    /// Counts a household of the area.
    pub(super) fn count(&mut self, household: &Counted) {
        let marks = self.marks;
        self.part(&household.village).count(marks, household);
    }

    /// The part that a code lies in: an area directly below, or the area itself.
    fn part(&mut self, code: &str) -> &mut Figures {
        let part = code.get(..self.digits).unwrap_or(code);
        self.parts.entry(part.to_owned()).or_default()
    }

    /// The figures, laid over the areas as they are on a day; none if the tree does not have the area.
    ///
    /// An area that has ended adds nothing of its own. It is shown where households are still
    /// registered in it: they are not lost, and it is seen that they were left behind.
    pub(super) fn report(
        mut self,
        areas: &[(AreaLine, Option<i64>)],
        today: &str,
    ) -> Option<Report> {
        for (area, _) in areas.iter().filter(|(area, _)| !has_ended(area, today)) {
            let own = POOR_LEVELS.map(|level| i64::from(level.list_code()) == area.level);
            let sums = &mut self.part(&area.code).poor_areas;
            for (sum, (is_own, is_poor)) in sums.iter_mut().zip(own.into_iter().zip(area.is_poor)) {
                *sum += i64::from(is_own && is_poor == Some(true));
            }
        }
        let populations = rural_populations(areas, today);
        let areas: HashMap<&str, &AreaLine> =
            areas.iter().map(|(area, _)| (area.code.as_str(), area)).collect();
        let line = |code: &str, figures| {
            let area = areas.get(code);
            let (rural_population, rural_population_below) =
                populations.get(code).copied().unwrap_or_default();
            Line {
                code: code.to_owned(),
                name: area.map(|area| area.name.clone()),
                has_ended: area.is_some_and(|area| has_ended(area, today)),
                figures,
                rural_population,
                rural_population_below,
            }
        };
        let mut sum = Figures::default();
        self.parts.values().for_each(|part| sum += part);
        let children = self.parts.into_iter().filter(|(code, _)| code != self.area.as_str());
        let children = children.map(|(code, figures)| line(&code, figures)).collect();
        let area = line(self.area.as_str(), sum);
        area.name.is_some().then_some(Report { area, children })
    }
}

/// True if an area's last day is past.
pub(crate) fn has_ended(area: &AreaLine, today: &str) -> bool {
    area.ends_on.as_deref().is_some_and(|end| end < today)
}

/// The rural population of each area: what its own row says, else what those below it that have not
/// ended come to; and what they come to, none unless each of them is known.
pub(crate) fn rural_populations<'a>(
    areas: &'a [(AreaLine, Option<i64>)],
    today: &str,
) -> HashMap<&'a str, (Option<i64>, Option<i64>)> {
    let mut below: HashMap<AreaCode, Option<i64>> = HashMap::new();
    let mut all = HashMap::new();
    // By code, so that backwards an area comes after all that lie in it.
    for (area, own) in areas.iter().rev() {
        let Ok(code) = AreaCode::parse(&area.code) else { continue };
        let sum = below.remove(&code).flatten();
        let population = own.or(sum);
        all.insert(area.code.as_str(), (population, sum));
        if let Some(parent) = code.parent().filter(|_| !has_ended(area, today)) {
            let parent = below.entry(parent).or_insert(Some(0));
            *parent = parent.zip(population).map(|(sum, more)| sum + more);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;
    use proptest::prelude::*;

    use super::*;

    const TODAY: &str = "2020-11-22";
    /// Code, poor or not, rural population, last day.
    type Row = (&'static str, bool, Option<i64>, Option<&'static str>);
    const TREE: [Row; 9] = [
        ("99", false, None, None),
        ("9901", false, None, None),
        ("990101", true, None, None),
        ("990101100", true, Some(500), None),
        ("990101100200", true, Some(300), None),
        ("990101100201", false, Some(180), None),
        ("990101101", true, None, None),
        ("990101101200", true, Some(90), None),
        ("990101101201", true, Some(70), Some("2020-11-21")),
    ];
    /// The last two lie nowhere in the tree.
    const VILLAGES: [&str; 6] = [
        "990101100200",
        "990101100201",
        "990101101200",
        "990101101201",
        "990101101999",
        "990101777777",
    ];

    fn areas(below: &str, rows: &[Row]) -> Vec<(AreaLine, Option<i64>)> {
        let row = |(code, is_poor, rural, ends_on): &Row| {
            let code = AreaCode::parse(code).unwrap();
            let level = i64::from(code.level().list_code());
            let is_poor =
                POOR_LEVELS.map(|own| (i64::from(own.list_code()) == level).then_some(*is_poor));
            let (name, ends_on) = (format!("名{code}"), ends_on.map(str::to_owned));
            (
                AreaLine {
                    code: code.to_string(),
                    name,
                    level,
                    kind: None,
                    is_poor,
                    starts_on: None,
                    ends_on,
                },
                *rural,
            )
        };
        rows.iter().filter(|row| row.0.starts_with(below)).map(row).collect()
    }

    fn report(policy: &Policy, rows: &[Row], area: &str, households: &[Counted]) -> Option<Report> {
        let mut tally = Tally::new(Marks::new(policy), &AreaCode::parse(area).unwrap());
        let own = households.iter().filter(|household| household.village.starts_with(area));
        own.for_each(|household| tally.count(household));
        tally.report(&areas(area, rows), TODAY)
    }

    fn household() -> impl Strategy<Value = Counted> {
        let code = || proptest::option::of(1..4_i64);
        (0..VILLAGES.len(), code(), code(), code(), code(), 0..6_i64).prop_map(
            |(village, exit_status, poverty_kind, residence_kind, main_cause, persons)| Counted {
                village: VILLAGES[village].to_owned(),
                exit_status,
                poverty_kind,
                residence_kind,
                main_cause,
                persons,
            },
        )
    }

    proptest! {
        #[test]
        fn every_level_is_the_sum_of_those_below(
            households in proptest::collection::vec(household(), 0..80),
        ) {
            let policy = Policy::embedded().unwrap();
            for (area, ..) in TREE {
                let whole = report(&policy, &TREE, area, &households).unwrap();
                let mine = households.iter().filter(|h| h.village.starts_with(area));
                let persons: i64 = mine.clone().map(|h| h.persons).sum();
                let total = Count { households: i64::try_from(mine.count()).unwrap(), persons };
                prop_assert_eq!(whole.area.figures.total, total);
                let mut sum = Figures::default();
                for child in &whole.children {
                    sum += &child.figures;
                    if let Some(own) = report(&policy, &TREE, &child.code, &households) {
                        prop_assert_eq!(&own.area.figures, &child.figures);
                        prop_assert_eq!(own.area.rural_population, child.rural_population);
                    } else {
                        prop_assert!(child.name.is_none() && child.figures.total.households > 0);
                    }
                }
                // A poor county is one itself, beside the poor areas in it.
                if area == "990101" {
                    sum.poor_areas[0] += 1;
                } else if area.len() == 9 {
                    sum.poor_areas[1] += 1;
                }
                prop_assert!(area.len() == 12 || whole.area.figures == sum);
                let by_status = whole.area.figures.by_exit_status.values();
                prop_assert_eq!(by_status.map(|c| c.persons).sum::<i64>(), persons);
            }
        }
    }

    #[test]
    fn codes_that_have_ended_are_shown_only_where_households_are_left() {
        let policy = Policy::embedded().unwrap();
        let left = Counted { village: "990101101201".to_owned(), persons: 2, ..Counted::default() };
        for (households, shown) in [(vec![], 1), (vec![left], 2)] {
            let report = report(&policy, &TREE, "990101101", &households).unwrap();
            assert_eq!(report.children.len(), shown);
            assert!(report.children.iter().skip(1).all(|child| child.has_ended));
            assert_eq!(report.area.figures.poor_areas, [0, 1, 1]);
            assert_eq!(report.area.rural_population, Some(90));
        }
        let county = report(&policy, &TREE, "990101", &[]).unwrap();
        assert_eq!(county.area.figures.poor_areas, [1, 2, 2]);
        // A township's own row goes before its villages, and both are told.
        assert_eq!(county.area.rural_population, Some(590));
        let own = &county.children[0];
        assert_eq!((own.rural_population, own.rural_population_below), (Some(500), Some(480)));
        assert!(report(&policy, &TREE, "990102", &[]).is_none());
    }

    #[test]
    fn a_population_that_is_not_known_makes_none_of_those_above() {
        let policy = Policy::embedded().unwrap();
        let mut rows = TREE;
        rows[7].2 = None;
        let county = report(&policy, &rows, "990101", &[]).unwrap();
        assert_eq!(county.area.rural_population, None);
        assert_eq!(county.area.incidence(), None);
        assert_eq!(county.children[0].incidence(), Some(0));
    }

    #[test]
    fn the_incidence_is_of_rural_persons_with_two_decimals() {
        let policy = Policy::embedded().unwrap();
        let incidence = |rural: i64, poor: &[(Option<i64>, Option<i64>, i64)]| {
            let rows = [("990101", true, Some(rural), None)];
            let households = poor.iter().map(|(exit_status, residence_kind, persons)| Counted {
                village: "990101100200".to_owned(),
                exit_status: *exit_status,
                residence_kind: *residence_kind,
                persons: *persons,
                ..Counted::default()
            });
            let households: Vec<Counted> = households.collect();
            report(&policy, &rows, "990101", &households).unwrap().area.incidence()
        };
        // 墨江, end of 2015; 邻水, whose 14,300 poor in town are not in the rate.
        assert_eq!(incidence(302_837, &[(Some(1), Some(1), 60_749)]), Some(2_006));
        let linshui = [(Some(1), Some(1), 64_900), (Some(1), Some(2), 14_300)];
        assert_eq!(incidence(683_158, &linshui), Some(950));
        // Fallen back counts; out of poverty does not, nor where a code is not known.
        let all = [
            (Some(3), Some(1), 1),
            (Some(2), Some(1), 10),
            (None, Some(1), 100),
            (Some(1), None, 1_000),
        ];
        assert_eq!(incidence(16, &all), Some(625));
        // Halves are rounded up: 0.125 %.
        assert_eq!(incidence(800, &all), Some(13));
        assert_eq!(incidence(0, &all), None);
    }
}
