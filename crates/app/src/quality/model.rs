//! Rules that records can break by themselves and beside those of their household. Pure.

use daohu_base::Day;
use daohu_db::Value;
use daohu_policy::{Bounds, CodeSet, Policy};

use super::terms::Terms;
use crate::sheet::{HOUSEHOLDS, INCOMES, PERSONS, Sheet, household, id_number, income, person};

/// Something doubtful about a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finding {
    /// The rule's id.
    pub(crate) rule: &'static str,
    /// The sheet of the record.
    pub(crate) sheet: &'static Sheet,
    /// The column that is to blame.
    pub(crate) column: usize,
}

/// The columns by which a record is told to people, and by which a page finds who is alike.
pub(super) const TOLD_BY: (&[usize], &[usize]) = (&[household::NO], &[person::NAME]);

/// The columns of households, persons and incomes that the rules look at, and where a household lies.
pub(super) const LOOKED_AT: (&[usize], &[usize], &[usize]) = (
    &[
        household::VILLAGE,
        household::PHONE,
        household::UNSAFE_GRADE,
        household::IS_UNSAFE,
        household::FLOOR_AREA_M2,
        household::FARMLAND_MU,
        household::EXIT_STATUS,
        household::EXIT_YEAR,
        household::IDENTIFIED_YEAR,
        household::MAIN_CAUSE,
        household::POVERTY_KIND,
        household::LONGITUDE_DEG,
        household::LATITUDE_DEG,
    ],
    &[
        person::ID_KIND,
        person::ID_NUMBER,
        person::PHONE,
        person::RELATION,
        person::SEX,
        person::BORN_ON,
        person::EDUCATION,
        person::SCHOOL_STAGE,
        person::DROPPED_OUT,
        person::HEALTH,
        person::LABOUR,
        person::WORK_PLACE,
        person::WORK_MONTHS,
        person::RESIDENT_MEDICAL,
        person::EMPLOYEE_MEDICAL,
        person::CRITICAL_ILLNESS,
        person::HAS_ALLOWANCE,
        person::CHANGE_KIND,
        person::CHANGE_ON,
    ],
    &[
        income::YEAR,
        income::MEMBERS,
        income::WAGE_FEN,
        income::BUSINESS_FEN,
        income::BUSINESS_COST_FEN,
        income::PROPERTY_FEN,
        income::TRANSFER_FEN,
        income::FAMILY_PLANNING_FEN,
        income::ALLOWANCE_FEN,
        income::HARDSHIP_FEN,
        income::PENSION_FEN,
        income::ECOLOGY_FEN,
        income::OTHER_TRANSFER_FEN,
    ],
);

/// Checks records against the rules in force on a day.
#[derive(Clone, Copy)]
pub(crate) struct Checks<'p> {
    policy: &'p Policy,
    terms: Terms,
    pub(crate) today: Day,
}

/// The values of a row by position.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a>(pub(crate) &'a [Value]);

impl<'a> Cells<'a> {
    pub(crate) fn int(self, i: usize) -> Option<i64> {
        self.0.get(i).and_then(Value::as_int)
    }

    pub(crate) fn text(self, i: usize) -> Option<&'a str> {
        self.0.get(i).and_then(Value::as_text)
    }

    pub(crate) fn real(self, i: usize) -> Option<f64> {
        self.0.get(i).and_then(Value::as_real)
    }

    pub(crate) fn flag(self, i: usize) -> Option<bool> {
        self.int(i).map(|flag| flag != 0)
    }

    pub(crate) fn day(self, i: usize) -> Option<Day> {
        self.text(i).and_then(|day| Day::parse(day).ok())
    }

    /// True if the code in a cell is one of these.
    fn is(self, i: usize, of: CodeSet) -> bool {
        of.has(self.int(i))
    }

    /// True if one of several codes in a cell is.
    fn has_any(self, i: usize, of: CodeSet) -> bool {
        let codes = self.text(i).into_iter().flat_map(|codes| codes.split(' '));
        codes.into_iter().any(|code| of.has(code.parse().ok()))
    }
}

impl<'p> Checks<'p> {
    pub(crate) fn new(policy: &'p Policy, today: Day) -> Self {
        Self { policy, terms: Terms::of(policy), today }
    }

    /// A finding of a rule; none where no pack has the rule in force.
    pub(crate) fn finding(
        &self,
        rule: &'static str,
        sheet: &'static Sheet,
        column: usize,
    ) -> Option<Finding> {
        let in_force = self.policy.rule(rule)?.is_in_force(self.today);
        in_force.then_some(Finding { rule, sheet, column })
    }

    /// True if a member is the head of its household.
    pub(super) fn is_head(&self, member: &[Value]) -> bool {
        Cells(member).is(person::RELATION, self.terms.head)
    }

    /// What is doubtful about a person's row. `born_cell`: the birth date of the row itself, not of its ID number.
    pub(crate) fn person(&self, values: &[Value], born_cell: Option<&str>) -> Vec<Finding> {
        let (cells, terms) = (Cells(values), &self.terms);
        let mut findings = Vec::new();
        let mut doubt = |holds: bool, rule: &'static str, i: usize| {
            if holds {
                findings.extend(self.finding(rule, &PERSONS, i));
            }
        };
        let stage = cells.int(person::SCHOOL_STAGE);
        let healthy = cells.has_any(person::HEALTH, terms.healthy);
        let several = cells.text(person::HEALTH).is_some_and(|codes| codes.contains(' '));
        let unable = cells.is(person::LABOUR, terms.unable);
        let months = cells.int(person::WORK_MONTHS);
        let age = cells.day(person::BORN_ON).map(|born| born.age_years(self.today));
        let is_of = |ages: Bounds| age.is_some_and(|age| ages.admit(age));
        doubt(stage.is_some() == cells.int(person::EDUCATION).is_some(), "R07", person::EDUCATION);
        let no_health = cells.text(person::HEALTH).is_none();
        doubt(no_health || (healthy && several), "R08", person::HEALTH);
        doubt(cells.int(person::LABOUR).is_none(), "R09", person::LABOUR);
        let away = cells.text(person::WORK_PLACE).is_some();
        let too_long = months.is_some_and(|months| !terms.work_months.admit(months));
        doubt(away != months.is_some_and(|m| m > 0) || too_long, "R10", person::WORK_MONTHS);
        let insured = [person::RESIDENT_MEDICAL, person::EMPLOYEE_MEDICAL].map(|i| cells.flag(i));
        let alike = insured == [Some(true); 2] || insured == [Some(false); 2];
        doubt(alike, "R11", person::RESIDENT_MEDICAL);
        let critical = cells.flag(person::CRITICAL_ILLNESS);
        doubt(critical != Some(true), "R12", person::CRITICAL_ILLNESS);
        doubt(cells.text(person::PHONE).is_some_and(|p| !is_phone(p)), "R13", person::PHONE);
        let pupil = stage.is_some() && !terms.preschool.has(stage);
        let skill = cells.int(person::LABOUR);
        let able_pupil = pupil && skill.is_some() && !terms.no_skill.has(skill);
        doubt(able_pupil, "R14", person::LABOUR);
        let fit = healthy && !several && stage.is_none() && is_of(terms.fit_ages);
        doubt(fit && unable, "R15", person::LABOUR);
        doubt(unable && months.is_some_and(|m| m > 0), "R16", person::WORK_MONTHS);
        doubt(self.is_odd_stage(cells, age), "R17", person::SCHOOL_STAGE);
        doubt(self.contradicts_id(cells, born_cell), "R18", person::ID_NUMBER);
        let unknown_school = cells.flag(person::DROPPED_OUT).is_none() && stage.is_none();
        doubt(is_of(terms.compulsory_ages) && unknown_school, "R19", person::DROPPED_OUT);
        findings
    }

    fn is_odd_stage(&self, cells: Cells<'_>, age: Option<i64>) -> bool {
        let stage = cells.int(person::SCHOOL_STAGE);
        let ages = self.terms.stages.iter().find(|(codes, _)| codes.has(stage));
        ages.zip(age).is_some_and(|((_, ages), age)| !ages.admit(age))
    }

    fn contradicts_id(&self, cells: Cells<'_>, born_cell: Option<&str>) -> bool {
        let number = cells.text(person::ID_NUMBER);
        let kind = cells.int(person::ID_KIND);
        // As `Marks::is_checked_id` says.
        let is_checked = kind.is_none() || self.terms.checked.has(kind);
        let number = number.filter(|_| is_checked).and_then(|n| id_number(n, self.today).ok());
        let Some(number) = number else { return false };
        let own = match number.sex() {
            daohu_base::Sex::Male => self.terms.male,
            daohu_base::Sex::Female => self.terms.female,
        };
        let sex = cells.int(person::SEX);
        let other_day = born_cell.is_some_and(|born| Day::parse(born) != Ok(number.born_on()));
        other_day || (sex.is_some() && !own.has(sex))
    }

    /// What is doubtful about a household beside its current members.
    pub(crate) fn household(&self, values: &[Value], members: &[&[Value]]) -> Vec<Finding> {
        let (cells, terms) = (Cells(values), &self.terms);
        let mut findings = Vec::new();
        let mut doubt = |holds: bool, rule: &'static str, i: usize| {
            if holds {
                findings.extend(self.finding(rule, &HOUSEHOLDS, i));
            }
        };
        let phone = cells.text(household::PHONE);
        doubt(phone.is_some_and(|phone| !is_phone(phone)), "R13", household::PHONE);
        let grade = cells.int(household::UNSAFE_GRADE);
        let contradicts = match (cells.flag(household::IS_UNSAFE), grade) {
            (None, Some(_)) => true,
            (Some(flag), Some(_)) => {
                if flag {
                    terms.safe.has(grade)
                } else {
                    terms.unsafe_grade.has(grade)
                }
            }
            (_, None) => false,
        };
        doubt(contradicts, "R26", household::UNSAFE_GRADE);
        let per_head = |i: usize| {
            let heads = i32::try_from(members.len()).ok().filter(|heads| *heads > 0).map(f64::from);
            cells.real(i).zip(heads).map(|(total, heads)| total / heads)
        };
        let measures = [
            (household::FLOOR_AREA_M2, terms.floor_m2),
            (household::FARMLAND_MU, terms.farmland_mu),
        ];
        for (i, bounds) in measures {
            doubt(per_head(i).is_some_and(|own| !bounds.admit_real(own)), "R27", i);
        }
        let out = cells.is(household::EXIT_STATUS, terms.out);
        let exit = cells.int(household::EXIT_YEAR);
        let identified = cells.int(household::IDENTIFIED_YEAR);
        let early = exit.zip(identified).is_some_and(|(exit, identified)| exit < identified);
        doubt((out && exit.is_none()) || early, "R28", household::EXIT_YEAR);
        doubt(self.is_other_cause(cells, members), "R20", household::MAIN_CAUSE);
        let hardship = cells.is(household::POVERTY_KIND, terms.hardship);
        let able = |member: &&[Value]| {
            let age = Cells(member).day(person::BORN_ON).map(|born| born.age_years(self.today));
            let of_age = age.is_some_and(|age| terms.able_ages.admit(age));
            of_age && self.is_able(Cells(member))
        };
        doubt(hardship && members.iter().any(able), "R21", household::POVERTY_KIND);
        findings
    }

    fn is_able(&self, member: Cells<'_>) -> bool {
        member.is(person::LABOUR, self.terms.able)
    }

    /// True if nobody of the household is as its main cause of poverty says. Of whom it is not known, it may be
    /// so.
    fn is_other_cause(&self, household: Cells<'_>, members: &[&[Value]]) -> bool {
        let terms = &self.terms;
        let is = |cause| household.is(household::MAIN_CAUSE, cause);
        let healths = || members.iter().map(|member| Cells(member));
        let all = |of| healths().all(|member| member.has_any(person::HEALTH, of));
        let known = || healths().all(|member| member.text(person::HEALTH).is_some());
        let any = |of| healths().any(|member| member.has_any(person::HEALTH, of));
        let pupils = healths().any(|member| member.int(person::SCHOOL_STAGE).is_some());
        let able = healths().filter(|member| self.is_able(*member)).count();
        !members.is_empty()
            && (is(terms.illness) && all(terms.healthy)
                || is(terms.disability) && known() && !any(terms.disabled)
                || is(terms.schooling) && !pupils
                || is(terms.labour) && able * 2 > members.len())
    }

    /// Members whose relations do not go together, by their position: spouses.
    pub(crate) fn family(&self, current: &[&[Value]]) -> Vec<(usize, Finding)> {
        let sex = |member: &[Value]| Cells(member).int(person::SEX);
        let spouse = self.terms.spouse;
        let is_spouse = |member: &&[Value]| Cells(member).is(person::RELATION, spouse);
        let head = current.iter().find(|member| self.is_head(member));
        let spouses: Vec<usize> =
            (0..current.len()).filter(|i| current.get(*i).is_some_and(is_spouse)).collect();
        let mut findings = Vec::new();
        for i in &spouses {
            let own = current.get(*i).and_then(|spouse| sex(spouse));
            let alike = own.is_some() && head.is_some_and(|head| sex(head) == own);
            let doubts =
                [(spouses.len() > 1, "R05", person::RELATION), (alike, "R06", person::SEX)];
            for (_, rule, column) in doubts.into_iter().filter(|(holds, ..)| *holds) {
                findings.extend(self.finding(rule, &PERSONS, column).map(|found| (*i, found)));
            }
        }
        findings
    }

    /// Years whose income a head is not plausible beside the year before, or beside the poverty line of the village.
    pub(crate) fn incomes(&self, village: &str, years: &[&[Value]]) -> Vec<(usize, Finding)> {
        let all: Vec<Option<NetIncome>> =
            years.iter().map(|values| NetIncome::of(Cells(values))).collect();
        let mut findings = Vec::new();
        for (i, own) in all.iter().enumerate() {
            let Some(own) = own else { continue };
            let before = all.iter().flatten().find(|other| other.year == own.year - 1);
            let jumps = before.zip(self.terms.factor_max).is_some_and(|(before, max)| {
                own.is_more_than(max, *before) || before.is_more_than(max, *own)
            });
            let line = self.policy.poverty_line_fen(village, own.year);
            let line = line.map(|fen| NetIncome { year: own.year, fen, members: 1 });
            let above = line.zip(self.terms.line_times_max);
            if jumps || above.is_some_and(|(line, max)| own.is_more_than(max, line)) {
                let finding = self.finding("R25", &INCOMES, income::YEAR);
                findings.extend(finding.map(|found| (i, found)));
            }
        }
        findings
    }

    /// What is doubtful about an income beside the household's members, present and gone.
    pub(crate) fn income(&self, values: &[Value], members: &[&[Value]]) -> Vec<Finding> {
        let (cells, terms) = (Cells(values), &self.terms);
        let mut findings = Vec::new();
        let mut doubt = |holds: bool, rule: &'static str, i: usize| {
            if holds {
                findings.extend(self.finding(rule, &INCOMES, i));
            }
        };
        let end = cells.int(income::YEAR).and_then(|year| Day::new(year, 12, 31));
        let is_present = |m: &Cells<'_>| end.is_none_or(|end| self.is_member_on(*m, end));
        let present = || members.iter().map(|values| Cells(values)).filter(is_present);
        let positive = |i: usize| cells.int(i).is_some_and(|fen| fen > 0);
        let aged = |member: Cells<'_>, min: Option<i64>| {
            let age = member.day(person::BORN_ON).zip(end).map(|(born, end)| born.age_years(end));
            age.zip(min).is_none_or(|(age, min)| age >= min)
        };
        let worker = |m: Cells<'_>| aged(m, terms.work_age_min);
        doubt(positive(income::WAGE_FEN) && !present().any(worker), "R22", income::WAGE_FEN);
        let entitled = |m: Cells<'_>| m.flag(person::HAS_ALLOWANCE) != Some(false);
        let allowance = positive(income::ALLOWANCE_FEN);
        doubt(allowance && !present().any(entitled), "R22", income::ALLOWANCE_FEN);
        let pensioner = |m: Cells<'_>| {
            let woman = m.is(person::SEX, terms.female);
            aged(m, if woman { terms.pension_age_min_women } else { terms.pension_age_min })
        };
        let pension = positive(income::PENSION_FEN);
        doubt(pension && !present().any(pensioner), "R22", income::PENSION_FEN);
        doubt(self.parts_differ(cells), "R23", income::TRANSFER_FEN);
        let counted = || i64::try_from(present().count()).unwrap_or(i64::MAX);
        let differs = |size| size < 1 || size != counted();
        doubt(cells.int(income::MEMBERS).is_some_and(differs), "R24", income::MEMBERS);
        findings
    }

    /// Parts that are not known may hold the rest, so only an excess or a full list is doubtful.
    fn parts_differ(&self, cells: Cells<'_>) -> bool {
        let parts = income::OF_TRANSFERS;
        let given = || parts.iter().filter_map(|i| cells.int(*i));
        let total = cells.int(income::TRANSFER_FEN).unwrap_or_default();
        let sum = given().fold(0, i64::saturating_add);
        let tolerance = self.terms.tolerance_fen.unwrap_or_default();
        let excess = sum.saturating_sub(total) >= tolerance.max(1);
        excess || (given().count() == parts.len() && total.saturating_sub(sum) >= tolerance.max(1))
    }

    /// True if a person, current or gone, belonged to the household on a day.
    fn is_member_on(&self, member: Cells<'_>, on: Day) -> bool {
        let change = member.int(person::CHANGE_KIND);
        let changed_on = member.day(person::CHANGE_ON);
        if self.terms.leaves.has(change) {
            changed_on.is_some_and(|left| left > on)
        } else {
            change.is_none() || changed_on.is_none_or(|joined| joined <= on)
        }
    }
}

/// What a household earned in a year, and how many shared it.
#[derive(Clone, Copy)]
struct NetIncome {
    year: i64,
    fen: i64,
    members: i64,
}

impl NetIncome {
    /// Of a year that says what was earned; none where nothing is known, or nobody lived there.
    fn of(year: Cells<'_>) -> Option<Self> {
        let known = income::KINDS.into_iter().filter_map(|i| year.int(i));
        let sum = known.reduce(i64::saturating_add)?;
        let members = year.int(income::MEMBERS).filter(|members| *members > 0)?;
        let cost = year.int(income::BUSINESS_COST_FEN).unwrap_or_default();
        Some(Self { year: year.int(income::YEAR)?, fen: sum.saturating_sub(cost), members })
    }

    /// True if it is a head more than so many times as much as another, which is more than nothing.
    fn is_more_than(self, times: i64, other: Self) -> bool {
        let product = |fen: i64, members: i64| i128::from(fen) * i128::from(members);
        let bound = product(other.fen, self.members).saturating_mul(times.into());
        other.fen > 0 && product(self.fen, other.members) > bound
    }
}

/// Eleven digits starting with 1, or a landline with its area code.
fn is_phone(text: &str) -> bool {
    let digits = || text.bytes().filter(u8::is_ascii_digit);
    let (first, count) = (digits().next(), digits().count());
    let mobile = count == 11 && first == Some(b'1');
    mobile || (first == Some(b'0') && (10..=12).contains(&count))
}
