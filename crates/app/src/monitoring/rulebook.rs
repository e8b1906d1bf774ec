//! What is asked of households on a day, by place: guarantees and classes of the packs, compiled. Pure.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use daohu_base::{AreaCode, Day};
use daohu_census::{Derived, Place, Plan, Rule};
use daohu_policy::{
    BadPack, Coverage, Expression, Guarantee, Head, Item, Items, Policy,
    expr::{self, FieldRef, Named, Test, Words, is_never_true},
};

use super::{explain::fields_of, fields::Fields};

/// What is asked on a day, with the names that it is asked by.
pub(super) struct Book {
    pub(super) fields: Fields,
    pub(super) rules: Rulebook,
}

/// Books of the days that were asked about last: reading all expressions at all places takes longer than asking a county.
#[derive(Default)]
pub(super) struct Books(Mutex<Vec<Arc<Book>>>);

/// Books that are kept.
const BOOKS: usize = 6;

impl Books {
    /// The book of a policy and day.
    pub(super) fn of(&self, policy: &Policy, on: Day) -> Result<Arc<Book>, BadPack> {
        let is_it = |own: &Arc<Book>| own.rules.on == on && own.rules.policy == policy.version();
        let mut books = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The one that was asked for last stands behind.
        let known = books.iter().position(is_it).map(|place| books.remove(place));
        let book = match known {
            Some(book) => book,
            None => {
                let fields = Fields::of(policy)?;
                let rules = Rulebook::of(policy, &fields, on)?;
                Arc::new(Book { fields, rules })
            }
        };
        books.push(Arc::clone(&book));
        if books.len() > BOOKS {
            books.remove(0);
        }
        Ok(book)
    }
}

/// What is asked on a day.
pub(super) struct Rulebook {
    /// Which packs ask it.
    policy: String,
    on: Day,

    /// What households must have.
    pub(super) guarantees: Asked,
    /// What they are by rule: met by those of whom it is true, unmet by those of whom it is false.
    pub(super) classes: Asked,
    /// What there is to warn of: met where there is reason to.
    pub(super) warnings: Asked,
    /// Who must have something, by the same order as [`Rulebook::coverages`].
    pub(super) among: Asked,
    /// Who of them has it, and who has not.
    pub(super) coverages: Asked,
    /// Where packs say something of their own: the places after the first, which is everywhere.
    areas: Vec<AreaCode>,
}

/// Rules of a kind.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) plan: Plan,
    /// What they are called, in the order of the plan.
    pub(super) heads: Vec<Head>,
}

impl Asked {
    /// One of the rules alone, if there is one of this id.
    pub(super) fn only(&self, id: &str) -> Option<Self> {
        let nth = self.plan.ids.iter().position(|own| own == id)?;
        let heads = self.heads.get(nth).cloned().into_iter().collect();
        Some(Self { plan: self.plan.only(|own| own == nth), heads })
    }

    /// True if a rule looks at an amount of the year.
    pub(super) fn asks_amounts(&self, fields: &Fields) -> bool {
        let is_amount =
            |field: &FieldRef| matches!(fields.derived(*field), Some(Derived::OfYear(_)));
        let rules = self.plan.places.iter().flat_map(|place| place.rules.iter().flatten());
        rules.flat_map(tests_of).any(|test| {
            let mut found = Vec::new();
            fields_of(test, &mut found);
            found.iter().any(is_amount)
        })
    }
}

/// The parts of a rule.
fn tests_of(rule: &Rule) -> impl Iterator<Item = &Test> {
    rule.unmet().iter().chain(rule.met())
}

/// The packs at a place on a day.
struct At<'p> {
    policy: &'p Policy,
    area: &'p str,
    on: Day,
    fields: &'p Fields,
}

impl<'p> At<'p> {
    fn named(&self, name: &str) -> Option<Named<'p>> {
        let Self { policy, area, on, .. } = *self;
        if let Some(class) = policy.classes().find(name, area, on) {
            return Some(Named::Class(&class.when.text));
        }
        let found = policy.guarantees().find(name, area, on)?;
        Some(Named::Guarantee(&found.unmet.text, &found.met.text))
    }

    fn read(&self, (part, id): (&str, &str), expression: &Expression) -> Result<Test, BadPack> {
        let (list, named) = (|name: &str| self.policy.list(name), |name: &str| self.named(name));
        let vocabulary = &self.fields.shape.vocabulary;
        let words = Words { vocabulary, list: &list, named: &named };
        let what = format!("{part} ({id})");
        let test = expr::compile(&expression.text, Some(id), words)
            .map_err(|error| expression.bad(&what, &error))?;
        if is_never_true(&test) {
            return Err(expression.never(&what));
        }
        Ok(test)
    }

    /// The rule of what is true or false of a household.
    fn held(&self, head: &Head, part: &str, when: &Expression) -> Result<Rule, BadPack> {
        let when = self.read((part, &head.id), when)?;
        Ok(Rule::new(&head.id, Test::Not(Box::new(when.clone())), when))
    }

    fn guarantee(&self, own: &Guarantee) -> Result<Rule, BadPack> {
        let id = own.head.id.as_str();
        let unmet = self.read(("unmet", id), &own.unmet)?;
        Ok(Rule::new(id, unmet, self.read(("met", id), &own.met)?))
    }

    fn coverage(&self, own: &Coverage) -> Result<Rule, BadPack> {
        let id = own.head.id.as_str();
        let among = self.read(("among", id), &own.among)?;
        let has = self.read(("has", id), &own.has)?;
        let lacks = Test::Not(Box::new(has.clone()));
        Ok(Rule::new(id, Test::All(vec![among.clone(), lacks]), Test::All(vec![among, has])))
    }

    /// What holds here of the items with these ids, and the amounts.
    fn place<T: Item>(
        &self,
        items: &Items<T>,
        heads: &[Head],
        rule: impl Fn(&T) -> Result<Rule, BadPack>,
    ) -> Result<Place, BadPack> {
        let found = heads.iter().map(|head| items.find(&head.id, self.area, self.on));
        let rules = found.map(|own| own.map(&rule).transpose());
        let standards = self.fields.standards.iter();
        let amounts = standards.map(|id| self.policy.amount(id, self.area, self.on));
        Ok(Place { rules: rules.collect::<Result<_, _>>()?, amounts: amounts.collect() })
    }
}

/// The packs on a day, at all places.
struct On<'p> {
    policy: &'p Policy,
    fields: &'p Fields,
    on: Day,
    areas: &'p [AreaCode],
}

impl<'p> On<'p> {
    fn at(&self, area: &'p str) -> At<'p> {
        At { policy: self.policy, area, on: self.on, fields: self.fields }
    }

    /// The rules of a kind.
    fn asked<T: Item>(
        &self,
        items: &Items<T>,
        head: impl Fn(&T) -> &Head,
        rule: impl Fn(&At<'p>, &T) -> Result<Rule, BadPack>,
    ) -> Result<Asked, BadPack> {
        let mut heads: Vec<Head> = Vec::new();
        for item in items.all().iter().filter(|item| item.standing().is_in_force(self.on)) {
            if heads.iter().all(|own| own.id != item.id()) {
                heads.push(head(item).clone());
            }
        }
        let areas = std::iter::once("").chain(self.areas.iter().map(AreaCode::as_str));
        let places = areas.map(|area| {
            let at = self.at(area);
            at.place(items, &heads, |own| rule(&at, own))
        });
        let places = places.collect::<Result<_, _>>()?;
        let ids = heads.iter().map(|head| head.id.clone()).collect();
        Ok(Asked { plan: Plan { ids, places }, heads })
    }
}

impl Rulebook {
    /// What the packs ask on a day; refused if one of their expressions cannot be meant.
    pub(super) fn of(policy: &Policy, fields: &Fields, on: Day) -> Result<Self, BadPack> {
        let areas = policy.areas().into_iter().cloned().collect();
        Self::within(policy, fields, on, areas)
    }

    /// The same, at some of the areas for which packs say something of their own: enough to ask who lives in these.
    pub(super) fn within(
        policy: &Policy,
        fields: &Fields,
        on: Day,
        areas: Vec<AreaCode>,
    ) -> Result<Self, BadPack> {
        let guarantees = Self::guarantees(policy, fields, on, areas.clone())?;
        let day = On { policy, fields, on, areas: &areas };
        let classes = day.asked(
            policy.classes(),
            |own| &own.head,
            |at, own| at.held(&own.head, "when", &own.when),
        )?;
        let warnings = day.asked(
            policy.warnings(),
            |own| &own.head,
            |at, own| at.held(&own.head, "when", &own.when),
        )?;
        let among = day.asked(
            policy.coverages(),
            |own| &own.head,
            |at, own| at.held(&own.head, "among", &own.among),
        )?;
        let coverages = day.asked(policy.coverages(), |own| &own.head, At::coverage)?;
        Ok(Self { classes, warnings, among, coverages, ..guarantees })
    }

    /// The guarantees alone, and nothing else of what the packs ask.
    pub(super) fn guarantees(
        policy: &Policy,
        fields: &Fields,
        on: Day,
        areas: Vec<AreaCode>,
    ) -> Result<Self, BadPack> {
        let day = On { policy, fields, on, areas: &areas };
        let guarantees = day.asked(policy.guarantees(), |own| &own.head, At::guarantee)?;
        let policy = policy.version().to_owned();
        let (classes, warnings, among, coverages) = Default::default();
        Ok(Self { policy, on, guarantees, classes, warnings, among, coverages, areas })
    }

    /// Which guarantees of another day or policy may say something else of a household than these do: all, where the two do not
    /// ask the same ones in the same areas. Fields are those of both; `is_raised` where incomes of the other are.
    pub(super) fn differing(&self, other: &Self, fields: &Fields, is_raised: bool) -> Vec<bool> {
        let (own, new) = (&self.guarantees.plan, &other.guarantees.plan);
        if own.ids != new.ids || self.areas != other.areas {
            return vec![true; new.ids.len()];
        }
        let differs = |nth: usize| {
            let mut places = own.places.iter().zip(&new.places);
            places.any(|(own, new)| {
                let (own_rule, new_rule) = (own.rules.get(nth), new.rules.get(nth));
                let asked = new_rule.into_iter().flatten();
                let mut found = Vec::new();
                asked.flat_map(tests_of).for_each(|test| fields_of(test, &mut found));
                let is_moved = |field: &FieldRef| match fields.derived(*field) {
                    Some(Derived::Amount(nth)) => own.amounts.get(nth) != new.amounts.get(nth),
                    Some(Derived::IncomePerHead) => is_raised,
                    _ => false,
                };
                own_rule != new_rule || found.iter().any(is_moved)
            })
        };
        (0..new.ids.len()).map(differs).collect()
    }

    /// The place of a village: that of the nearest area of which packs say something.
    pub(super) fn place_of(&self, village: &str) -> u16 {
        let covers = |area: &AreaCode| village.starts_with(area.as_str());
        let around = self.areas.iter().zip(1..).filter(|(area, _)| covers(area));
        let nearest = around.max_by_key(|(area, _)| area.as_str().len());
        nearest.map_or(0, |(_, place)| place)
    }

    /// The poverty line where a village lies, in fen; none where no pack has it. Fields are those of the rulebook.
    pub(super) fn line_fen(&self, village: &str, fields: &Fields) -> Option<i64> {
        let line = fields.standards.iter().position(|id| id == "line")?;
        let place = self.guarantees.plan.places.get(usize::from(self.place_of(village)))?;
        #[expect(clippy::cast_possible_truncation, reason = "whole fen below 2^53")]
        let fen = |fen: f64| fen as i64;
        place.amounts.get(line).copied().flatten().map(fen)
    }
}

/// What is wrong with packs: all of their expressions are read at every place, on every day on which something changes.
pub(super) fn check(policy: &Policy) -> Vec<BadPack> {
    let fields = match Fields::of(policy) {
        Ok(fields) => fields,
        Err(bad) => return vec![bad],
    };
    let mut found = Vec::new();
    let standings = policy.judged();
    let changes = standings.flat_map(|own| [own.since, own.until.and_then(|until| until.next())]);
    let days: BTreeSet<Day> = changes.flatten().chain([Day::from_epoch_days(0)]).collect();
    let areas: Vec<AreaCode> = policy.areas().into_iter().cloned().collect();
    for on in days {
        let day = On { policy, fields: &fields, on, areas: &areas };
        for area in std::iter::once("").chain(areas.iter().map(AreaCode::as_str)) {
            let at = day.at(area);
            let guarantees = policy.guarantees().at(area, on).into_iter();
            found.extend(guarantees.filter_map(|own| at.guarantee(own).err()));
            let classes = policy.classes().at(area, on).into_iter();
            found.extend(classes.filter_map(|own| at.held(&own.head, "when", &own.when).err()));
            let warnings = policy.warnings().at(area, on).into_iter();
            found.extend(warnings.filter_map(|own| at.held(&own.head, "when", &own.when).err()));
            let coverages = policy.coverages().at(area, on).into_iter();
            found.extend(coverages.filter_map(|own| at.coverage(own).err()));
        }
    }
    found.sort_by(|one, other| (&one.file, &one.reason).cmp(&(&other.file, &other.reason)));
    found.dedup();
    found
}
