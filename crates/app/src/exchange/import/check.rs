//! Rules that one row can break by itself, and those of a household's rows together.
//!
//! Rules that refuse a row return its note as an error; all others only add notes.

use daohu_base::Day;
use daohu_db::Value;
use daohu_policy::Policy;

use crate::{
    Lang,
    exchange::outcome::Note,
    households::Marks,
    sheet::{CellError, HOUSEHOLDS, INCOMES, PERSONS, Sheet, household, id_number, income, person},
};

/// Checks rows against the policy in force.
#[derive(Clone, Copy)]
pub(super) struct Checker<'p> {
    policy: &'p Policy,
    pub(super) marks: Marks<'p>,
    pub(super) today: Day,
    pub(super) lang: Lang,
}

/// The values of a row by position.
#[derive(Clone, Copy)]
pub(super) struct Cells<'a>(pub(super) &'a [Value]);

impl<'a> Cells<'a> {
    pub(super) fn int(self, i: usize) -> Option<i64> {
        self.0.get(i).and_then(Value::as_int)
    }

    pub(super) fn text(self, i: usize) -> Option<&'a str> {
        self.0.get(i).and_then(Value::as_text)
    }

    fn real(self, i: usize) -> Option<f64> {
        self.0.get(i).and_then(Value::as_real)
    }

    fn flag(self, i: usize) -> Option<bool> {
        self.int(i).map(|flag| flag != 0)
    }

    fn day(self, i: usize) -> Option<Day> {
        self.text(i).and_then(|day| Day::parse(day).ok())
    }

    /// True if one of several codes in a cell bears the mark.
    fn any_marked(self, i: usize, marks: Marks<'_>, list: &str, mark: &str) -> bool {
        let codes = self.text(i).into_iter().flat_map(|codes| codes.split(' '));
        codes.into_iter().any(|code| marks.has(list, code.parse().ok(), mark))
    }
}

/// A note that a cell is refused.
pub(super) fn cell_note(
    sheet: &Sheet,
    i: usize,
    shown: Option<String>,
    error: &CellError,
    lang: Lang,
) -> Note {
    let header = sheet.columns.get(i).map_or("", |column| column.header);
    let says = error.says(lang);
    let message = match (&shown, lang) {
        (Some(value), Lang::Zh) => format!("“{header}”填的是 {value}，{says}"),
        (None, Lang::Zh) => format!("“{header}”{says}"),
        (Some(value), Lang::En) => format!("{header}: {value} {says}"),
        (None, Lang::En) => format!("{header} {says}"),
    };
    Note { column: header.to_owned(), value: shown, code: error.code().to_owned(), message }
}

impl<'p> Checker<'p> {
    pub(super) fn new(policy: &'p Policy, today: Day, lang: Lang) -> Self {
        Self { policy, marks: Marks::new(policy), today, lang }
    }

    /// The note of a rule; none where no pack has the rule.
    pub(super) fn note(&self, rule: &str, sheet: &Sheet, i: usize) -> Option<Note> {
        let rule = self.policy.rule(rule)?;
        let column = sheet.columns.get(i).map_or("", |column| column.header).to_owned();
        let message = format!("{} {}", rule.id, self.lang.pick(&rule.says, &rule.says_en));
        Some(Note { column, value: None, code: format!("quality.{}", rule.id), message })
    }

    fn bound(&self, rule: &str, name: &str) -> Option<i64> {
        self.policy.rule(rule).and_then(|rule| rule.bound(name))
    }

    /// True if the rule admits the number; a rule that no pack has admits all.
    fn within(&self, rule: &str, name: &str, number: i64) -> bool {
        self.policy.rule(rule).is_none_or(|rule| rule.admits(name, number))
    }

    /// Rules that refuse a person's row, and what follows from a good ID number: it gives the birth
    /// date. The note says which column is to blame.
    pub(super) fn accept_person(&self, values: &mut [Value]) -> Result<(), Note> {
        let refused = self.marks.accept_document(values, self.today);
        refused.map_err(|(i, error)| cell_note(&PERSONS, i, None, &error, self.lang))
    }

    /// What is doubtful about a person's row. `born_cell` is the birth date as it was typed.
    pub(super) fn doubt_person(&self, values: &[Value], born_cell: Option<&str>) -> Vec<Note> {
        let cells = Cells(values);
        let marked = |i, list, mark| self.marks.has(list, cells.int(i), mark);
        let mut notes = Vec::new();
        let mut doubt = |holds: bool, rule: &str, i: usize| {
            if holds {
                notes.extend(self.note(rule, &PERSONS, i));
            }
        };
        let stage = cells.int(person::SCHOOL_STAGE);
        let health = |mark| cells.any_marked(person::HEALTH, self.marks, "健康状况", mark);
        let several = cells.text(person::HEALTH).is_some_and(|codes| codes.contains(' '));
        let labour = |mark| marked(person::LABOUR, "劳动技能", mark);
        let months = cells.int(person::WORK_MONTHS);
        let age = cells.day(person::BORN_ON).map(|born| born.age_years(self.today));
        let is_of = |rule| age.is_some_and(|age| self.within(rule, "age", age));
        doubt(stage.is_some() == cells.int(person::EDUCATION).is_some(), "R07", person::EDUCATION);
        let no_health = cells.text(person::HEALTH).is_none();
        doubt(no_health || (health("healthy") && several), "R08", person::HEALTH);
        doubt(cells.int(person::LABOUR).is_none(), "R09", person::LABOUR);
        let away = cells.text(person::WORK_PLACE).is_some();
        let too_long = months.is_some_and(|months| !self.within("R10", "months", months));
        doubt(away != months.is_some_and(|m| m > 0) || too_long, "R10", person::WORK_MONTHS);
        let insured = [person::RESIDENT_MEDICAL, person::EMPLOYEE_MEDICAL].map(|i| cells.flag(i));
        let alike = insured == [Some(true); 2] || insured == [Some(false); 2];
        doubt(alike, "R11", person::RESIDENT_MEDICAL);
        let critical = cells.flag(person::CRITICAL_ILLNESS);
        doubt(critical != Some(true), "R12", person::CRITICAL_ILLNESS);
        doubt(cells.text(person::PHONE).is_some_and(|p| !is_phone(p)), "R13", person::PHONE);
        let pupil = stage.is_some() && !marked(person::SCHOOL_STAGE, "在校生状况", "preschool");
        let able_pupil = pupil && cells.int(person::LABOUR).is_some() && !labour("none");
        doubt(able_pupil, "R14", person::LABOUR);
        let fit = health("healthy") && !several && stage.is_none() && is_of("R15");
        doubt(fit && labour("unable"), "R15", person::LABOUR);
        doubt(labour("unable") && months.is_some_and(|m| m > 0), "R16", person::WORK_MONTHS);
        doubt(self.is_odd_stage(cells, age), "R17", person::SCHOOL_STAGE);
        doubt(self.contradicts_id(cells, born_cell), "R18", person::ID_NUMBER);
        let unknown_school = cells.flag(person::DROPPED_OUT).is_none() && stage.is_none();
        doubt(is_of("R19") && unknown_school, "R19", person::DROPPED_OUT);
        notes
    }

    fn is_odd_stage(&self, cells: Cells<'_>, age: Option<i64>) -> bool {
        let stages = ["preschool", "primary", "junior", "senior", "college", "graduate"];
        let stage = cells.int(person::SCHOOL_STAGE);
        let Some(age) = age else { return false };
        let named = |mark: &&str| self.marks.has("在校生状况", stage, mark);
        stages.iter().find(|mark| named(mark)).is_some_and(|mark| !self.within("R17", mark, age))
    }

    fn contradicts_id(&self, cells: Cells<'_>, born_cell: Option<&str>) -> bool {
        let number = cells.text(person::ID_NUMBER);
        let checked = self.marks.is_checked_id(cells.int(person::ID_KIND));
        let number = number.filter(|_| checked).and_then(|n| id_number(n, self.today).ok());
        let Some(number) = number else { return false };
        let mark = match number.sex() {
            daohu_base::Sex::Male => "male",
            daohu_base::Sex::Female => "female",
        };
        let sex = cells.int(person::SEX);
        let born = born_cell.is_some_and(|born| born != number.born_on().to_string());
        born || (sex.is_some() && !self.marks.has("性别", sex, mark))
    }

    /// What is doubtful about a household's row beside its current members.
    pub(super) fn doubt_household(&self, values: &[Value], members: usize) -> Vec<Note> {
        let cells = Cells(values);
        let mut notes = Vec::new();
        let mut doubt = |holds: bool, rule: &str, i: usize| {
            if holds {
                notes.extend(self.note(rule, &HOUSEHOLDS, i));
            }
        };
        let phone = cells.text(household::PHONE);
        doubt(phone.is_some_and(|phone| !is_phone(phone)), "R13", household::PHONE);
        let grade = cells.int(household::UNSAFE_GRADE);
        let is = |mark| self.marks.has("危房等级", grade, mark);
        let contradicts = match (cells.flag(household::IS_UNSAFE), grade) {
            (None, Some(_)) => true,
            (Some(flag), Some(_)) => {
                if flag {
                    is("safe")
                } else {
                    is("unsafe")
                }
            }
            (_, None) => false,
        };
        doubt(contradicts, "R26", household::UNSAFE_GRADE);
        let per_head = |i: usize| {
            let heads = i32::try_from(members).ok().filter(|heads| *heads > 0).map(f64::from);
            cells.real(i).zip(heads).map(|(total, heads)| total / heads)
        };
        #[expect(clippy::cast_precision_loss, reason = "bounds are small")]
        let bound = |name: &str| self.bound("R27", name).map(|bound| bound as f64);
        let above = |x: Option<f64>, name| x.zip(bound(name)).is_some_and(|(x, max)| x > max);
        let below = |x: Option<f64>, name| x.zip(bound(name)).is_some_and(|(x, min)| x < min);
        let floor = per_head(household::FLOOR_AREA_M2);
        let odd = above(floor, "area_per_head_m2_max") || below(floor, "area_per_head_m2_min");
        doubt(odd, "R27", household::FLOOR_AREA_M2);
        let farmland = per_head(household::FARMLAND_MU);
        doubt(above(farmland, "farmland_per_head_mu_max"), "R27", household::FARMLAND_MU);
        let out = self.marks.has("脱贫状态", cells.int(household::EXIT_STATUS), "out");
        let exit = cells.int(household::EXIT_YEAR);
        let identified = cells.int(household::IDENTIFIED_YEAR);
        let early = exit.zip(identified).is_some_and(|(exit, identified)| exit < identified);
        doubt((out && exit.is_none()) || early, "R28", household::EXIT_YEAR);
        notes
    }

    /// What is doubtful about an income's row beside the household's members.
    pub(super) fn doubt_income(&self, values: &[Value], members: &[&[Value]]) -> Vec<Note> {
        let cells = Cells(values);
        let mut notes = Vec::new();
        let mut doubt = |holds: bool, rule: &str, i: usize| {
            if holds {
                notes.extend(self.note(rule, &INCOMES, i));
            }
        };
        let end = cells.int(income::YEAR).and_then(|year| Day::new(year, 12, 31));
        let present: Vec<Cells<'_>> = members
            .iter()
            .map(|values| Cells(values))
            .filter(|member| end.is_none_or(|end| self.is_member_on(*member, end)))
            .collect();
        let positive = |i: usize| cells.int(i).is_some_and(|fen| fen > 0);
        let aged = |member: &Cells<'_>, min: Option<i64>| {
            let age = member.day(person::BORN_ON).zip(end).map(|(born, end)| born.age_years(end));
            age.zip(min).is_none_or(|(age, min)| age >= min)
        };
        let workers = present.iter().any(|m| aged(m, self.bound("R22", "work_age_min")));
        doubt(positive(income::WAGE_FEN) && !workers, "R22", income::WAGE_FEN);
        let entitled = present.iter().any(|m| m.flag(person::HAS_ALLOWANCE) != Some(false));
        doubt(positive(income::ALLOWANCE_FEN) && !entitled, "R22", income::ALLOWANCE_FEN);
        let pension = |m: &Cells<'_>| {
            let woman = self.marks.has("性别", m.int(person::SEX), "female");
            let min = if woman { "pension_age_min_women" } else { "pension_age_min" };
            aged(m, self.bound("R22", min))
        };
        let pensioners = present.iter().any(pension);
        doubt(positive(income::PENSION_FEN) && !pensioners, "R22", income::PENSION_FEN);
        doubt(self.parts_differ(cells), "R23", income::TRANSFER_FEN);
        let size = cells.int(income::MEMBERS);
        let counted = i64::try_from(present.len()).unwrap_or(i64::MAX);
        doubt(size.is_some_and(|size| size < 1 || size != counted), "R24", income::MEMBERS);
        notes
    }

    /// Parts that are not known may hold the rest, so only an excess or a full list is doubtful.
    fn parts_differ(&self, cells: Cells<'_>) -> bool {
        let parts = [
            income::FAMILY_PLANNING_FEN,
            income::ALLOWANCE_FEN,
            income::HARDSHIP_FEN,
            income::PENSION_FEN,
            income::ECOLOGY_FEN,
            income::OTHER_TRANSFER_FEN,
        ];
        let given: Vec<i64> = parts.iter().filter_map(|i| cells.int(*i)).collect();
        let total = cells.int(income::TRANSFER_FEN).unwrap_or_default();
        let sum: i64 = given.iter().fold(0, |sum, part| sum.saturating_add(*part));
        let tolerance = self.bound("R23", "tolerance_fen").unwrap_or_default();
        let excess = sum.saturating_sub(total) >= tolerance.max(1);
        excess || (given.len() == parts.len() && total.saturating_sub(sum) >= tolerance.max(1))
    }

    /// True if a person, current or gone, belonged to the household on a day.
    fn is_member_on(&self, member: Cells<'_>, on: Day) -> bool {
        let change = member.int(person::CHANGE_KIND);
        let changed_on = member.day(person::CHANGE_ON);
        if self.marks.leaves(change) {
            changed_on.is_some_and(|left| left > on)
        } else {
            change.is_none() || changed_on.is_none_or(|joined| joined <= on)
        }
    }
}

/// Eleven digits starting with 1, or a landline with its area code.
fn is_phone(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let mobile = digits.len() == 11 && digits.starts_with('1');
    mobile || (digits.starts_with('0') && (10..=12).contains(&digits.len()))
}
