//! What is asked of households on a day, by place: guarantees and classes of the packs, compiled. Pure.

use std::collections::BTreeSet;

use daohu_base::{AreaCode, Day};
use daohu_census::{Place, Plan, Rule};
use daohu_policy::{
    BadPack, Class, Expression, Guarantee, Item, Policy,
    expr::{self, Named, Test, Words, is_never_true},
};

use super::fields::Fields;

/// What is asked on a day.
pub(super) struct Rulebook {
    /// What households must have.
    pub(super) guarantees: Plan,
    /// What they are by rule: met by those of whom it is true.
    pub(super) classes: Plan,
    /// What the rules are called, in the order of the plans.
    pub(super) guarantee_heads: Vec<Head>,
    pub(super) class_heads: Vec<Head>,
    /// Where packs say something of their own: the places after the first, which is everywhere.
    areas: Vec<AreaCode>,
}

/// What a rule is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) title_en: String,
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

    fn guarantee(&self, own: &Guarantee) -> Result<Rule, BadPack> {
        let unmet = self.read(("unmet", &own.id), &own.unmet)?;
        Ok(Rule::new(&own.id, unmet, self.read(("met", &own.id), &own.met)?))
    }

    fn class(&self, own: &Class) -> Result<Rule, BadPack> {
        let when = self.read(("when", &own.id), &own.when)?;
        Ok(Rule::new(&own.id, Test::Not(Box::new(when.clone())), when))
    }

    /// What holds here: the rules of these ids, and the amounts.
    fn place<T: Item>(
        &self,
        ids: &[&str],
        items: &daohu_policy::Items<T>,
        rule: impl Fn(&T) -> Result<Rule, BadPack>,
    ) -> Result<Place, BadPack> {
        let found = ids.iter().map(|id| items.find(id, self.area, self.on).map(&rule).transpose());
        let standards = self.policy.standards().iter();
        let amounts = standards.map(|own| self.policy.amount(&own.id, self.area, self.on));
        Ok(Place { rules: found.collect::<Result<_, _>>()?, amounts: amounts.collect() })
    }
}

impl Rulebook {
    /// What the packs ask on a day; refused if one of their expressions cannot be meant.
    pub(super) fn of(policy: &Policy, fields: &Fields, on: Day) -> Result<Self, BadPack> {
        let areas: Vec<AreaCode> = policy.areas().into_iter().cloned().collect();
        let everywhere = std::iter::once("");
        let places = || everywhere.clone().chain(areas.iter().map(AreaCode::as_str));
        let at = |area| At { policy, area, on, fields };
        let in_force = |item: &dyn Item| item.standing().is_in_force(on);
        let (guarantees, classes) = (policy.guarantees(), policy.classes());
        let guarantee_heads = heads(guarantees.all().iter().filter(|own| in_force(*own)), |own| {
            (&own.id, &own.title, &own.title_en)
        });
        let class_heads = heads(classes.all().iter().filter(|own| in_force(*own)), |own| {
            (&own.id, &own.title, &own.title_en)
        });
        let ids = |heads: &[Head]| heads.iter().map(|head| head.id.clone()).collect::<Vec<_>>();
        let mut of_guarantees = Plan { ids: ids(&guarantee_heads), places: Vec::new() };
        let mut of_classes = Plan { ids: ids(&class_heads), places: Vec::new() };
        let names: Vec<&str> = guarantee_heads.iter().map(|head| head.id.as_str()).collect();
        let class_names: Vec<&str> = class_heads.iter().map(|head| head.id.as_str()).collect();
        for area in places() {
            let at = at(area);
            of_guarantees.places.push(at.place(&names, guarantees, |own| at.guarantee(own))?);
            of_classes.places.push(at.place(&class_names, classes, |own| at.class(own))?);
        }
        let (guarantees, classes) = (of_guarantees, of_classes);
        Ok(Self { guarantees, classes, guarantee_heads, class_heads, areas })
    }

    /// The place of a village: that of the nearest area of which packs say something.
    pub(super) fn place_of(&self, village: &str) -> u16 {
        let around =
            self.areas.iter().zip(1..).filter(|(area, _)| village.starts_with(area.as_str()));
        let nearest = around.max_by_key(|(area, _)| area.as_str().len());
        nearest.map_or(0, |(_, place)| place)
    }

    /// An amount where a village lies, by the place of its standard in the policy.
    pub(super) fn amount(&self, village: &str, standard: usize) -> Option<f64> {
        let place = self.guarantees.places.get(usize::from(self.place_of(village)))?;
        place.amounts.get(standard).copied().flatten()
    }
}

/// The heads of rules, one of each id.
fn heads<'i, T: 'i>(
    items: impl Iterator<Item = &'i T>,
    head: impl Fn(&T) -> (&String, &String, &String),
) -> Vec<Head> {
    let mut heads: Vec<Head> = Vec::new();
    for item in items {
        let (id, title, title_en) = head(item);
        if heads.iter().all(|own| own.id != *id) {
            heads.push(Head { id: id.clone(), title: title.clone(), title_en: title_en.clone() });
        }
    }
    heads
}

/// What is wrong with packs: all of their expressions are read at every place, on every day on which something changes.
pub(super) fn check(policy: &Policy) -> Vec<BadPack> {
    let fields = match Fields::of(policy) {
        Ok(fields) => fields,
        Err(bad) => return vec![bad],
    };
    let mut found = Vec::new();
    let guarantees = policy.guarantees().all().iter().map(Item::standing);
    let standings = guarantees.chain(policy.classes().all().iter().map(Item::standing));
    let changes = standings.flat_map(|own| [own.since, own.until.and_then(|until| until.next())]);
    let days: BTreeSet<Day> = changes.flatten().chain([Day::from_epoch_days(0)]).collect();
    let places = policy.areas().into_iter().map(AreaCode::as_str);
    for area in std::iter::once("").chain(places) {
        for on in &days {
            let at = At { policy, area, on: *on, fields: &fields };
            let guarantees = policy.guarantees().at(area, *on);
            found.extend(guarantees.into_iter().filter_map(|own| at.guarantee(own).err()));
            let classes = policy.classes().at(area, *on);
            found.extend(classes.into_iter().filter_map(|own| at.class(own).err()));
        }
    }
    found.sort_by(|one, other| (&one.file, &one.reason).cmp(&(&other.file, &other.reason)));
    found.dedup();
    found
}
