//! The fields that rules may name: the columns of 户 and 人, and what is derived of them.

use std::sync::Arc;

use daohu_census::{Derived, Shape, Source};
use daohu_db::Value;
use daohu_policy::{
    BadPack, CodeSet, Policy,
    expr::{Field, FieldKind, FieldRef, Level, Unit, Vocabulary},
};

use super::earned::{self, IncomeRules};
use crate::{
    households::Marks,
    sheet::{Column, HOUSEHOLDS, INCOMES, Kind, PERSONS, person},
};

/// What is read of the sheets, and what the census makes of it.
#[derive(Clone)]
pub(super) struct Fields {
    pub(super) shape: Arc<Shape>,
    /// The columns of 户 that are stored, in the order of the census' cells.
    pub(super) household: Vec<usize>,
    /// The same of 人.
    pub(super) member: Vec<usize>,
    /// The standards by their ids, in the order of the amounts that a plan gives.
    pub(super) standards: Vec<String>,
    /// What counts as income.
    pub(super) incomes: Arc<IncomeRules>,
}

/// What is derived of a household, as rules name it.
const OF_HOUSEHOLD: [(&str, &str, Unit, Derived); 3] = [
    ("income_per_head", "人均纯收入", Unit::Yuan, Derived::IncomePerHead),
    ("income_per_head_before", "上年人均纯收入", Unit::Yuan, Derived::IncomePerHeadBefore),
    ("sharing", "家庭人口（收入）", Unit::Plain, Derived::Sharing),
];
/// What is derived of a member.
const OF_MEMBER: [(&str, &str, Unit, Derived); 1] = [("age", "年龄", Unit::Age, Derived::Age)];

impl Fields {
    /// The fields that there are with a policy; refused if one of its names is taken.
    pub(super) fn of(policy: &Policy) -> Result<Self, BadPack> {
        let (household, mut fields) = stored(HOUSEHOLDS.columns);
        let (member, mut of_member) = stored(PERSONS.columns);
        let mut sources = [&household, &member]
            .map(|columns| (0..columns.len()).map(Source::Stored).collect::<Vec<Source>>());
        let [of_households, of_members] = &mut sources;
        for (name, title, unit, derived) in OF_HOUSEHOLD {
            fields.push(field(name, title, FieldKind::Number(unit)));
            of_households.push(Source::Derived(derived));
        }
        for (nth, place) in of_year().enumerate() {
            let Some(column) = INCOMES.columns.get(place) else { continue };
            let Some(name) = earned::name_in_packs(column) else { continue };
            fields.push(field(name, column.header, FieldKind::Number(Unit::Yuan)));
            of_households.push(Source::Derived(Derived::OfYear(nth)));
        }
        for (nth, standard) in policy.standards().iter().enumerate() {
            let kind = FieldKind::Number(standard.unit);
            fields.push(field(&standard.id, &standard.title, kind));
            of_households.push(Source::Derived(Derived::Amount(nth)));
        }
        for (name, title, unit, derived) in OF_MEMBER {
            of_member.push(field(name, title, FieldKind::Number(unit)));
            of_members.push(Source::Derived(derived));
        }
        let place = |wanted: usize| member.iter().position(|column| *column == wanted);
        let place = |wanted: usize| place(wanted).unwrap_or(usize::MAX);
        let leaving: CodeSet = Marks::new(policy).set("变动类型", "leaves");
        let [household_sources, member_sources] = sources;
        let shape = Arc::new(Shape {
            vocabulary: Vocabulary { household: fields, member: of_member },
            household: household_sources,
            member: member_sources,
            born_on: place(person::BORN_ON),
            change: (place(person::CHANGE_KIND), place(person::CHANGE_ON), leaving),
        });
        let standards = policy.standards().iter().map(|own| own.id.clone()).collect();
        let incomes = Arc::new(IncomeRules::of(policy)?);
        let fields = Self { shape, household, member, standards, incomes };
        fields.check_names(policy).map(|()| fields)
    }

    /// What a field of the household is derived from, if it is not stored.
    pub(super) fn derived(&self, field: FieldRef) -> Option<Derived> {
        match (field.level, self.shape.household.get(field.place)?) {
            (Level::Household, Source::Derived(derived)) => Some(*derived),
            _ => None,
        }
    }

    /// The columns of 人 that tell how and when somebody left, and the codes of who did.
    pub(super) fn leaving(&self) -> (&'static str, &'static str, CodeSet) {
        let name = |place: usize| PERSONS.columns.get(place).map_or("", |column| column.name);
        (name(person::CHANGE_KIND), name(person::CHANGE_ON), self.shape.change.2)
    }

    /// Each name of an expression stands for one thing.
    fn check_names(&self, policy: &Policy) -> Result<(), BadPack> {
        let fields = self.shape.vocabulary.household.iter().map(|field| field.name.as_str());
        // Of warnings and coverage nobody speaks by name.
        let of_packs = policy.guarantees().ids().into_iter().chain(policy.classes().ids());
        let mut names: Vec<&str> = fields.chain(of_packs).chain(["members"]).collect();
        names.sort_unstable();
        match names.array_windows().find(|[one, next]| one == next) {
            None => Ok(()),
            Some([name, _]) => Err(BadPack {
                file: "*.toml".to_owned(),
                reason: format!(
                    "{name} 已是一项数据或另一条目的名称，请换一个 id | {name} is the name of a field or of \
                     another item: choose another id"
                ),
            }),
        }
    }
}

/// The columns of 年度收入 that rules may name: all amounts, of the year that is asked about.
pub(super) fn of_year() -> impl Iterator<Item = usize> {
    let columns = INCOMES.columns.iter().enumerate();
    columns.filter(|(_, column)| earned::name_in_packs(column).is_some()).map(|(place, _)| place)
}

/// The columns of a sheet that rules may name.
fn stored(columns: &[Column]) -> (Vec<usize>, Vec<Field>) {
    let known =
        columns.iter().enumerate().filter_map(|(i, column)| Some((i, kind(column)?, column)));
    known.map(|(i, kind, column)| (i, field(column.name, column.header, kind))).unzip()
}

fn field(name: &str, title: &str, kind: FieldKind) -> Field {
    Field { name: name.to_owned(), title: title.to_owned(), kind }
}

/// What rules make of a column; none of keys, of numbers that name a person, and of names.
fn kind(column: &Column) -> Option<FieldKind> {
    Some(match column.kind {
        Kind::Flag => FieldKind::Flag,
        Kind::Code(list) => FieldKind::Code(list.to_owned()),
        Kind::Codes(list, _) => FieldKind::Codes(list.to_owned()),
        Kind::Yuan => FieldKind::Number(Unit::Yuan),
        Kind::Quantity(..) => FieldKind::Number(Unit::Quantity),
        Kind::Count(_) => FieldKind::Number(Unit::Plain),
        Kind::Year => FieldKind::Number(Unit::Year),
        Kind::Day => FieldKind::Day,
        // One that every row has says nothing.
        Kind::Text(_) if !column.required => FieldKind::Text,
        Kind::Text(_)
        | Kind::Key
        | Kind::Area(_)
        | Kind::Group
        | Kind::Period
        | Kind::Secret(_) => {
            return None;
        }
    })
}

/// A stored value as the census takes it.
pub(super) fn cell(value: Option<&Value>) -> daohu_census::Cell<'_> {
    use daohu_census::Cell;
    match value {
        Some(Value::Int(number)) => Cell::Int(*number),
        Some(Value::Real(number)) => Cell::Real(*number),
        Some(Value::Text(text)) => Cell::Text(text),
        Some(Value::Null | Value::Blob(_)) | None => Cell::Unknown,
    }
}
