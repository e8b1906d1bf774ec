//! What is counted, and how it adds up.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use daohu_base::{AreaCode, AreaLevel};
use daohu_policy::{Bond, Helper, Helping, VillageRole};

use super::homes::{Answers, Homes, Sums};
use crate::{areas::rows::AreaLine, households::Marks};

/// The levels whose areas somebody may be paired with.
const LEVELS: [AreaLevel; 3] = [AreaLevel::County, AreaLevel::Township, AreaLevel::Village];

/// A pairing in force that helps an area.
#[derive(Clone, Debug)]
pub(super) struct AreaPairing {
    pub(super) area: String,
    pub(super) helper: Helper,
    pub(super) no: String,
    /// Of a cadre: the codes of the roles, as stored.
    pub(super) roles: String,
    /// Of an organisation.
    pub(super) level: Option<i64>,
}

/// A member of a team, now.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) village: String,
    pub(super) team: String,
    pub(super) cadre: String,
    pub(super) roles: String,
}

/// Areas of a level, and those that somebody is paired with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Paired {
    pub(super) areas: i64,
    pub(super) paired: i64,
    pub(super) poor: i64,
    pub(super) poor_paired: i64,
}

/// What adds up from villages to the province.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) households: i64,
    /// Those that a cadre answers for.
    pub(super) answered: i64,
    /// By [`LEVELS`].
    pub(super) paired: [Paired; LEVELS.len()],
    pub(super) poor_villages: i64,
    /// Poor villages that have each of the village roles.
    pub(super) with_role: Vec<i64>,
    /// Poor villages that have them all.
    pub(super) complete: i64,
    /// Poor villages with as many persons as wanted.
    pub(super) staffed: i64,
}

/// A village.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Village {
    pub(super) code: String,
    pub(super) name: Option<String>,
    pub(super) is_poor: bool,
    pub(super) households: i64,
    pub(super) answered: i64,
    /// Whether it has each of the village roles.
    pub(super) roles: Vec<bool>,
    /// Cadres of its team, and those paired with the village.
    pub(super) persons: i64,
}

impl Village {
    /// True if it has all of the village roles.
    pub(super) fn is_complete(&self) -> bool {
        self.roles.iter().all(|has| *has)
    }
}

/// Who helps areas, and teams.
#[derive(Clone, Debug, Default)]
pub(super) struct Helps {
    pub(super) pairings: Vec<AreaPairing>,
    /// Of the township that the area lies in, where it is one of its villages.
    pub(super) township: Vec<AreaPairing>,
    pub(super) members: Vec<Member>,
}

/// How many households a cadre answers for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Load {
    pub(super) no: String,
    pub(super) households: i64,
}

/// The coverage of an area.
#[derive(Clone, Debug, Default)]
pub(super) struct Coverage {
    pub(super) counts: Counts,
    /// Directly below, by code.
    pub(super) below: Vec<(String, Counts)>,
    /// By code; those that have ended are not among them.
    pub(super) villages: Vec<Village>,
    /// By number.
    pub(super) loads: Vec<Load>,
    pub(super) teams: i64,
    pub(super) team_members: i64,
    /// Organisations that help an area, by their level.
    pub(super) organisations: BTreeMap<Option<i64>, i64>,
}

/// True if an area has begun on a day and not ended before it.
pub(in crate::registers) fn is_in_force(area: &AreaLine, day: &str) -> bool {
    area.ends_on.as_deref().is_none_or(|end| end >= day)
        && area.starts_on.as_deref().is_none_or(|start| start <= day)
}

/// Adds up what is read of an area, county by county.
pub(super) struct Tally<'p> {
    marks: Marks<'p>,
    roles: &'p [VillageRole],
    limits: &'p Helping,
    area: AreaCode,
    villages: BTreeMap<String, Place>,
    /// Counties and townships with what is paired with them.
    above: BTreeMap<String, Above>,
    /// By the cadre's number: households.
    loads: BTreeMap<String, i64>,
    teams: HashSet<String>,
    members: HashSet<String>,
    organisations: HashMap<String, Option<i64>>,
}

#[derive(Default)]
struct Place {
    line: Village,
    is_paired: bool,
    persons: BTreeSet<String>,
}

#[derive(Default)]
struct Above {
    /// It lies above what is asked for.
    is_outside: bool,
    is_poor: bool,
    is_paired: bool,
    /// Whether it has somebody for each of the village roles that may be paired with a township.
    roles: Vec<bool>,
}

impl<'p> Tally<'p> {
    pub(super) fn new(
        marks: Marks<'p>,
        (roles, limits): (&'p [VillageRole], &'p Helping),
        area: &AreaCode,
        areas: &[AreaLine],
        day: &str,
    ) -> Self {
        let mut tally = Self {
            marks,
            roles,
            limits,
            area: area.clone(),
            villages: BTreeMap::new(),
            above: BTreeMap::new(),
            loads: BTreeMap::new(),
            teams: HashSet::new(),
            members: HashSet::new(),
            organisations: HashMap::new(),
        };
        for area in areas.iter().filter(|area| is_in_force(area, day)) {
            tally.add_area(area);
        }
        tally
    }

    fn add_area(&mut self, area: &AreaLine) {
        let Ok(code) = AreaCode::parse(&area.code) else { return };
        let Some(own) = LEVELS.iter().position(|level| *level == code.level()) else { return };
        let is_poor = area.is_poor.get(own).copied().flatten() == Some(true);
        if code.level() == AreaLevel::Village {
            let place = self.village(&area.code);
            place.line.name = Some(area.name.clone());
            place.line.is_poor = is_poor;
        } else {
            let roles = vec![false; self.roles.len()];
            self.above.insert(area.code.clone(), Above { is_poor, roles, ..Above::default() });
        }
    }

    fn village(&mut self, code: &str) -> &mut Place {
        let roles = self.roles.len();
        self.villages.entry(code.to_owned()).or_insert_with(|| {
            let (code, roles) = (code.to_owned(), vec![false; roles]);
            Place { line: Village { code, roles, ..Village::default() }, ..Place::default() }
        })
    }

    /// Counts the households of a county.
    pub(super) fn county(&mut self, homes: Homes, mut answers: Answers) {
        let roles_of = std::mem::take(&mut answers.roles);
        let Sums { villages, cadres, at } = Sums::new(homes, answers);
        for (code, sum) in &villages {
            let place = self.village(code);
            place.line.households += sum.households;
            place.line.answered += sum.answered;
        }
        let wanted = self.roles;
        for of_cadre in at.chunk_by(|(one, _), (other, _)| one == other) {
            let cadre = of_cadre.first().and_then(|(cadre, _)| cadres.get(*cadre));
            let own = cadre.and_then(|(no, _)| roles_of.get(no));
            let own = own.map(String::as_str).unwrap_or_default();
            let fits = |role: &VillageRole| {
                role.by == Helper::Cadre
                    && role.at.contains(&Bond::Household)
                    && self.bears(role, own)
            };
            let fits: Vec<bool> = wanted.iter().map(fits).collect();
            for (code, _) in of_cadre.iter().filter_map(|(_, village)| villages.get(*village)) {
                let place = self.village(code);
                place.line.roles.iter_mut().zip(&fits).for_each(|(has, fits)| *has |= fits);
            }
        }
        for (no, households) in cadres.into_iter().filter(|(_, households)| *households > 0) {
            *self.loads.entry(no).or_default() += households;
        }
    }

    /// Counts who helps areas, and teams.
    pub(super) fn helps(&mut self, helps: &Helps) {
        helps.pairings.iter().for_each(|pairing| self.pairing(pairing));
        helps.township.iter().for_each(|pairing| self.township_of_village(pairing));
        helps.members.iter().for_each(|member| self.member(member));
    }

    fn bears(&self, role: &VillageRole, roles: &str) -> bool {
        let mut codes = roles.split(' ').filter_map(|code| code.parse().ok());
        let marks =
            |code| role.roles.iter().any(|mark| self.marks.has("干部角色", Some(code), mark));
        role.roles.is_empty() || codes.any(marks)
    }

    /// Counts what helps an area.
    fn pairing(&mut self, pairing: &AreaPairing) {
        let level = AreaCode::parse(&pairing.area).map(|code| code.level()).ok();
        let bond = match level {
            Some(AreaLevel::Village) => Bond::Village,
            _ => Bond::Township,
        };
        let fits = |role: &VillageRole| {
            role.by == pairing.helper
                && role.at.contains(&bond)
                && (pairing.helper != Helper::Cadre || self.bears(role, &pairing.roles))
        };
        let fits: Vec<bool> = self.roles.iter().map(fits).collect();
        let join = |roles: &mut Vec<bool>| {
            roles.iter_mut().zip(&fits).for_each(|(has, fits)| *has |= fits);
        };
        if level == Some(AreaLevel::Village) {
            let place = self.village(&pairing.area);
            place.is_paired = true;
            join(&mut place.line.roles);
            if pairing.helper == Helper::Cadre {
                place.persons.insert(pairing.no.clone());
            }
        } else if let Some(above) = self.above.get_mut(&pairing.area) {
            above.is_paired = true;
            join(&mut above.roles);
        }
        let is_outside = self.above.get(&pairing.area).is_some_and(|above| above.is_outside);
        if pairing.helper == Helper::Organisation && !is_outside {
            self.organisations.insert(pairing.no.clone(), pairing.level);
        }
    }

    /// Lets the villages have whom their township has, where only one of them is asked for.
    fn township_of_village(&mut self, pairing: &AreaPairing) {
        let roles = vec![false; self.roles.len()];
        let above = Above { roles, is_outside: true, ..Above::default() };
        self.above.entry(pairing.area.clone()).or_insert(above);
        self.pairing(pairing);
    }

    /// Counts a member of a team.
    fn member(&mut self, member: &Member) {
        let fits = |role: &VillageRole| match role.by {
            Helper::Team => true,
            Helper::Cadre => role.at.contains(&Bond::Team) && self.bears(role, &member.roles),
            Helper::Organisation => false,
        };
        let fits: Vec<bool> = self.roles.iter().map(fits).collect();
        let place = self.village(&member.village);
        place.line.roles.iter_mut().zip(fits).for_each(|(has, fits)| *has |= fits);
        place.persons.insert(member.cadre.clone());
        self.teams.insert(member.team.clone());
        self.members.insert(member.cadre.clone());
    }

    /// What it comes to.
    pub(super) fn coverage(self) -> Coverage {
        let (roles, limits) = (self.roles.len(), self.limits);
        let level = self.area.level().below().map_or(AreaLevel::Village, |below| below);
        let digits = level.min(AreaLevel::Village).digits();
        let empty = || Counts { with_role: vec![0; roles], ..Counts::default() };
        let mut below: BTreeMap<String, Counts> = BTreeMap::new();
        let mut villages = Vec::new();
        for (code, mut place) in self.villages {
            let township = code.get(..AreaLevel::Township.digits());
            if let Some(above) = township.and_then(|code| self.above.get(code)) {
                let own = place.line.roles.iter_mut().zip(&above.roles);
                own.for_each(|(has, above)| *has |= above);
            }
            place.line.persons = i64::try_from(place.persons.len()).unwrap_or(i64::MAX);
            let key = code.get(..digits).unwrap_or(&code).to_owned();
            let counts = below.entry(key).or_insert_with(empty);
            counts.add_village(&place.line, place.is_paired, limits);
            villages.push(place.line);
        }
        for (code, above) in self.above.iter().filter(|(_, above)| !above.is_outside) {
            let own = if code.len() == AreaLevel::County.digits() { 0 } else { 1 };
            let key = code.get(..digits).unwrap_or(code).to_owned();
            let counts = below.entry(key).or_insert_with(empty);
            if let Some(paired) = counts.paired.get_mut(own) {
                paired.add(above.is_poor, above.is_paired);
            }
        }
        let mut counts = empty();
        below.values().for_each(|part| counts.add(part));
        let area = self.area.to_string();
        let mut organisations = BTreeMap::new();
        for level in self.organisations.into_values() {
            *organisations.entry(level).or_default() += 1;
        }
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        Coverage {
            counts,
            below: below.into_iter().filter(|(code, _)| *code != area).collect(),
            villages,
            loads: self.loads.into_iter().map(|(no, households)| Load { no, households }).collect(),
            teams: number(self.teams.len()),
            team_members: number(self.members.len()),
            organisations,
        }
    }
}

impl Paired {
    fn add(&mut self, is_poor: bool, is_paired: bool) {
        self.areas += 1;
        self.paired += i64::from(is_paired);
        self.poor += i64::from(is_poor);
        self.poor_paired += i64::from(is_poor && is_paired);
    }
}

impl Counts {
    fn add_village(&mut self, village: &Village, is_paired: bool, limits: &Helping) {
        self.households += village.households;
        self.answered += village.answered;
        // Households that are left in a village that has ended are counted, the village is not.
        if village.name.is_none() {
            return;
        }
        if let Some(paired) = self.paired.last_mut() {
            paired.add(village.is_poor, is_paired);
        }
        if village.is_poor {
            self.poor_villages += 1;
            for (count, has) in self.with_role.iter_mut().zip(&village.roles) {
                *count += i64::from(*has);
            }
            self.complete += i64::from(village.is_complete());
            self.staffed += i64::from(village.persons >= limits.persons_per_village_min);
        }
    }

    fn add(&mut self, other: &Self) {
        self.households += other.households;
        self.answered += other.answered;
        self.poor_villages += other.poor_villages;
        self.complete += other.complete;
        self.staffed += other.staffed;
        for (mine, theirs) in self.with_role.iter_mut().zip(&other.with_role) {
            *mine += theirs;
        }
        for (mine, theirs) in self.paired.iter_mut().zip(&other.paired) {
            mine.areas += theirs.areas;
            mine.paired += theirs.paired;
            mine.poor += theirs.poor;
            mine.poor_paired += theirs.poor_paired;
        }
    }
}

impl Coverage {
    /// Cadres who answer for more households than one should.
    pub(super) fn overloaded(&self, limits: &Helping) -> i64 {
        let over = self.loads.iter().filter(|load| is_over(load, limits));
        i64::try_from(over.count()).unwrap_or(i64::MAX)
    }
}

/// True if a cadre answers for more households than one should.
pub(super) fn is_over(load: &Load, limits: &Helping) -> bool {
    load.households > limits.households_per_cadre_max
}
