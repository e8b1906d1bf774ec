//! Why a household has a guarantee, lacks it, or is not known to: each part of the rules in words, with the values it looked at and
//! where these come from.

use std::collections::BTreeMap;

use daohu_base::{Day, Scope};
use daohu_census::{Builder, Census, Outcome, Plan, Rule};
use daohu_db::Value;
use daohu_policy::{
    Policy,
    expr::{FieldRef, Level, Number, Test},
};
use serde::Serialize;
use serde_json::{Map, Value as Json};
use utoipa::ToSchema;

use super::{
    fields::Fields,
    load::{Read, add},
    model::state,
    picture::threads,
    rulebook::{Book, Rulebook},
    words::{Counted, Wording, written},
};
use crate::{
    Context, Error, Lang,
    households::{self, Dossier, Named, Source, Sources},
    sheet::{Column, HOUSEHOLDS, INCOMES, Kind, PERSONS, Sheet, in_words},
};

/// What the rules say of a household, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Explanation {
    /// The household's id.
    pub id: i64,
    /// 户编号
    pub no: String,
    /// The county that it is stored under.
    pub county: String,
    /// The day on which members, ages and the year of income are looked at.
    pub on: String,
    /// The day whose records these are; none for those of now.
    pub as_of: Option<String>,
    /// Which packs said so.
    pub policy: String,
    /// 达标, 未达标 or 待核实.
    pub overall: &'static str,
    /// The guarantees, in the order of the packs.
    pub guarantees: Vec<Judgement>,
    /// The classes to which the household belongs.
    pub classes: Vec<Judgement>,
    /// What there is reason to warn of.
    pub warnings: Vec<Judgement>,
}

/// What one rule says, and why.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Judgement {
    /// Its id.
    pub rule: String,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// `met`, `unmet`, `unknown`.
    pub outcome: &'static str,
    /// The parts of the rule that decided it.
    pub because: Vec<Because>,
    /// Where the rule comes from.
    pub source: String,
}

/// A part of a rule.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Because {
    /// What must be so for it to hold, in Chinese.
    pub words: String,
    /// In English.
    pub words_en: String,
    /// `yes`, `no` or `unknown`.
    pub holds: &'static str,
    /// What it looked at.
    pub facts: Vec<Looked>,
}

/// A value that a rule looked at.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Looked {
    /// The field, as expressions name it.
    pub field: String,
    /// In Chinese.
    pub title: String,
    /// The member's id, of what is a member's.
    pub person: Option<i64>,
    /// The member's name.
    pub name: Option<String>,
    /// As people read it; none where it is not known.
    pub value: Option<String>,
    /// Who wrote it last, and when; none of what is worked out or stands in a pack.
    pub source: Option<Source>,
}

/// Explains a household within a scope: by its records of now, or of a past day.
pub async fn explain(
    context: &Context,
    scope: Scope,
    (named, on): (Named, Day),
    as_of: Option<Day>,
) -> Result<Explanation, Error> {
    let policy = &context.policy;
    let (dossier, facts) = households::with_sources(context, scope, named, as_of).await?;
    let book = context.live.book(policy, on)?;
    explained(policy, (dossier, &facts), &book, (on, as_of))
}

/// What a book says of a household, and why.
pub(super) fn explained(
    policy: &Policy,
    (dossier, facts): (Dossier, &Sources),
    book: &Book,
    (on, as_of): (Day, Option<Day>),
) -> Result<Explanation, Error> {
    let rulebook = &book.rules;
    let one = One::of(dossier, book.fields.clone(), on)?;
    let teller = Teller { policy, one: &one, rulebook, on, facts };
    let guarantees = teller.all(&rulebook.guarantees, |_| true);
    let is_any = |outcome: Outcome| guarantees.iter().any(|own| own.outcome == outcome.as_str());
    let overall = [Outcome::Unmet, Outcome::Unknown].into_iter().find(|own| is_any(*own));
    let overall = state(overall.unwrap_or(Outcome::Met));
    Ok(Explanation {
        id: one.dossier.id,
        no: text(&one.dossier.household, "no"),
        county: one.dossier.county.clone(),
        on: on.to_string(),
        as_of: as_of.map(|day| day.to_string()),
        policy: policy.version().to_owned(),
        overall,
        guarantees,
        classes: teller.all(&rulebook.classes, |outcome| outcome == Outcome::Met),
        warnings: teller.all(&rulebook.warnings, |outcome| outcome == Outcome::Met),
    })
}

/// Net income a head of each year that is on record, in fen; none where it is not known.
pub(super) fn incomes_of(
    dossier: Dossier,
    fields: &Fields,
) -> Result<BTreeMap<i64, Option<i64>>, Error> {
    let years = dossier.incomes.iter().filter_map(|own| own.get("year")?.as_i64());
    let years: Vec<i64> = years.collect();
    let latest = years.iter().max().and_then(|year| Day::new(*year, 12, 31));
    let Some(latest) = latest else { return Ok(BTreeMap::new()) };
    let one = One::of(dossier, fields.clone(), latest)?;
    Ok(years.into_iter().map(|year| (year, one.census.income_of(0, year).fen)).collect())
}

fn text(object: &Map<String, Json>, name: &str) -> String {
    object.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// A household alone in a census.
struct One {
    dossier: Dossier,
    fields: Fields,
    census: Census,
    village: String,
}

impl One {
    fn of(dossier: Dossier, fields: Fields, on: Day) -> Result<Self, Error> {
        let values = |sheet: &Sheet, object: &Map<String, Json>| -> Vec<Value> {
            let value = |column: &Column| object.get(column.name).map(|json| stored(column, json));
            sheet.columns.iter().map(|column| value(column).unwrap_or(Value::Null)).collect()
        };
        let village = text(&dossier.household, "village");
        let household = values(&HOUSEHOLDS, &dossier.household);
        let persons = dossier.persons.iter().map(|own| values(&PERSONS, own));
        let incomes = dossier.incomes.iter().map(|own| values(&INCOMES, own));
        let read = Read {
            id: dossier.id,
            village: &village,
            household: &household,
            persons: persons.collect(),
            incomes: incomes.collect(),
        };
        let mut builder = Builder::new(fields.shape.clone());
        add(&mut builder, &read, &fields, on.year())?;
        let census = builder.finish();
        Ok(Self { dossier, fields, census, village })
    }
}

/// A value of the API as it is stored.
fn stored(column: &Column, json: &Json) -> Value {
    match (column.kind, json) {
        (Kind::Flag, Json::Bool(flag)) => Value::Int(i64::from(*flag)),
        (Kind::Code(_), Json::String(code)) => code.parse().map_or(Value::Null, Value::Int),
        (Kind::Codes(..), Json::Array(codes)) => {
            let codes: Vec<&str> = codes.iter().filter_map(Json::as_str).collect();
            Value::from(codes.join(" ").as_str())
        }
        (Kind::Quantity(..), Json::Number(number)) => {
            number.as_f64().map_or(Value::Null, Value::Real)
        }
        (_, Json::Number(number)) => number.as_i64().map_or(Value::Null, Value::Int),
        (_, Json::String(text)) => Value::from(text.as_str()),
        _ => Value::Null,
    }
}

/// Tells why.
struct Teller<'t> {
    policy: &'t Policy,
    one: &'t One,
    rulebook: &'t Rulebook,
    on: Day,
    facts: &'t Sources,
}

impl Teller<'_> {
    /// What a plan says at one of its places.
    fn ask(&self, plan: &Plan, place: u16) -> Vec<Outcome> {
        let census = &self.one.census;
        let shape = &self.one.fields.shape;
        let (on, places) = (self.on, &[place][..]);
        let question = daohu_census::Question { shape, on, places, added_fen: &[] };
        let said = daohu_census::assess(census, plan, question, 0..1, threads());
        let first = |rule: &daohu_census::Judged| rule.outcomes.first().copied();
        said.rules.iter().map(|rule| first(rule).unwrap_or(Outcome::NotAsked)).collect()
    }

    /// The judgements of a kind whose outcome is wanted.
    fn all(
        &self,
        asked: &super::rulebook::Asked,
        is_wanted: fn(Outcome) -> bool,
    ) -> Vec<Judgement> {
        let place = self.rulebook.place_of(&self.one.village);
        let told = self.ask(&asked.plan, place).into_iter().zip(&asked.heads).enumerate();
        let told =
            told.filter(|(_, (outcome, _))| *outcome != Outcome::NotAsked && is_wanted(*outcome));
        let judgement = |(nth, (outcome, head)): (usize, (Outcome, &daohu_policy::Head))| {
            let rule = asked.plan.rule(place, nth)?;
            let head = self.own_head(head);
            Some(Judgement {
                rule: head.id.clone(),
                title: head.title.clone(),
                title_en: head.title_en.clone(),
                outcome: outcome.as_str(),
                because: self.because(rule, outcome),
                source: head.standing.source.clone(),
            })
        };
        told.filter_map(judgement).collect()
    }

    /// The head of what holds where the household lives.
    fn own_head<'h>(&'h self, head: &'h daohu_policy::Head) -> &'h daohu_policy::Head {
        let (id, village, on) = (head.id.as_str(), self.one.village.as_str(), self.on);
        let policy = self.policy;
        let guarantee = policy.guarantees().find(id, village, on).map(|own| &own.head);
        let class = || policy.classes().find(id, village, on).map(|own| &own.head);
        let warning = || policy.warnings().find(id, village, on).map(|own| &own.head);
        guarantee.or_else(class).or_else(warning).unwrap_or(head)
    }

    /// Of an unmet rule the parts that make it so; of one that is met those that do; of one that is not known those that leave
    /// it open.
    fn because(&self, rule: &Rule, outcome: Outcome) -> Vec<Because> {
        let parts = if outcome == Outcome::Unmet { rule.unmet() } else { rule.met() };
        let held = |part: &Test| Rule::new("part", Test::Not(Box::new(part.clone())), part.clone());
        let plan = Plan::everywhere(parts.iter().map(held).collect(), self.amounts().to_vec());
        let told = self.ask(&plan, 0).into_iter().zip(parts);
        let told = told.filter(|(holds, _)| match outcome {
            Outcome::Unknown => *holds != Outcome::Met,
            _ => *holds == Outcome::Met,
        });
        told.map(|(holds, part)| self.part(part, holds)).collect()
    }

    /// What rules compare with where the household lives.
    fn amounts(&self) -> &[Option<f64>] {
        let place = usize::from(self.rulebook.place_of(&self.one.village));
        let place = self.rulebook.guarantees.plan.places.get(place);
        place.map(|place| &place.amounts[..]).unwrap_or_default()
    }

    fn part(&self, part: &Test, holds: Outcome) -> Because {
        let words = |lang| {
            let vocabulary = &self.one.fields.shape.vocabulary;
            Wording { policy: self.policy, vocabulary, lang }.test(part)
        };
        let mut fields = Vec::new();
        fields_of(part, &mut fields);
        Because {
            words: words(Lang::Zh),
            words_en: words(Lang::En),
            holds: match holds {
                Outcome::Met => "yes",
                Outcome::Unmet => "no",
                Outcome::Unknown | Outcome::NotAsked => "unknown",
            },
            facts: fields.iter().flat_map(|field| self.looked(*field)).collect(),
        }
    }

    /// What a rule looks at in a field: of the household, or of each member of the day.
    fn looked(&self, field: FieldRef) -> Vec<Looked> {
        let Some(own) = self.one.fields.shape.vocabulary.field(field) else { return Vec::new() };
        let (dossier, lang) = (&self.one.dossier, Lang::Zh);
        let looked = |person: Option<&Map<String, Json>>| {
            let id = person.and_then(|own| own.get("id")).and_then(Json::as_i64);
            let (sheet, object) = match person {
                Some(person) => (&PERSONS, person),
                None => (&HOUSEHOLDS, &dossier.household),
            };
            let column = sheet.columns.iter().find(|column| column.name == own.name);
            let (value, source) = match column {
                Some(column) => {
                    let json = object.get(column.name).unwrap_or(&Json::Null);
                    let value = in_words(column, json, self.policy, lang);
                    (value, self.facts.of(id, column.name))
                }
                None => (self.derived(field, person), None),
            };
            Looked {
                field: own.name.clone(),
                title: own.title.clone(),
                person: id,
                name: person.map(|person| text(person, "name")),
                value,
                source,
            }
        };
        match field.level {
            Level::Household => vec![looked(None)],
            Level::Member => self.present().map(|person| looked(Some(person))).collect(),
        }
    }

    /// Who belongs to the household on the day.
    fn present(&self) -> impl Iterator<Item = &Map<String, Json>> {
        let on = self.on.to_string();
        let (kind, when, leaving) = self.one.fields.leaving();
        self.one.dossier.persons.iter().filter(move |person| {
            let code = person.get(kind).and_then(Json::as_str).and_then(|code| code.parse().ok());
            let day = person.get(when).and_then(Json::as_str);
            !(leaving.has(code) && day.is_some_and(|day| day <= on.as_str()))
        })
    }

    /// What is worked out: an age, an amount of the packs or of the year.
    fn derived(&self, field: FieldRef, person: Option<&Map<String, Json>>) -> Option<String> {
        if let Some(person) = person {
            let born = Day::parse(person.get("born_on")?.as_str()?).ok()?;
            return Some(born.age_years(self.on).to_string());
        }
        let shape = &self.one.fields.shape;
        let number = self.one.census.number_of(shape, 0, field, self.on, self.amounts())?;
        let kind = &self.one.fields.shape.vocabulary.field(field)?.kind;
        let is_yuan =
            *kind == daohu_policy::expr::FieldKind::Number(daohu_policy::expr::Unit::Yuan);
        Some(written(number, is_yuan.then_some(Counted::Fen)))
    }
}

/// The fields that a test looks at, each once.
pub(super) fn fields_of(test: &Test, found: &mut Vec<FieldRef>) {
    let mut add = |field: FieldRef| {
        if !found.contains(&field) {
            found.push(field);
        }
    };
    match test {
        Test::Is(_) => {}
        Test::Flag(field) | Test::Known(field) | Test::OneOf(field, _) | Test::HasAny(field, _) => {
            add(*field)
        }
        Test::Compare(_, one, other) => {
            numbers_of(one, found);
            numbers_of(other, found);
        }
        Test::Not(of) | Test::Someone(of) | Test::Everyone(of) | Test::Decided(of) => {
            fields_of(of, found);
        }
        Test::All(parts) | Test::Any(parts) => {
            parts.iter().for_each(|part| fields_of(part, found));
        }
        Test::Judged(one, other) => {
            fields_of(one, found);
            fields_of(other, found);
        }
    }
}

fn numbers_of(number: &Number, found: &mut Vec<FieldRef>) {
    match number {
        Number::Constant(_) | Number::Members => {}
        Number::Field(field) => {
            if !found.contains(field) {
                found.push(*field);
            }
        }
        Number::Count(test) => fields_of(test, found),
        Number::Sum(one, other)
        | Number::Difference(one, other)
        | Number::Product(one, other)
        | Number::Quotient(one, other) => {
            numbers_of(one, found);
            numbers_of(other, found);
        }
    }
}
