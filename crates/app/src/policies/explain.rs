//! What packs say of an item in an area on a day, and where it stands. Pure.

use daohu_base::{AreaCode, Day, Fen};
use daohu_policy::{CostRatio, Head, Item, Items, Policy, Standing};
use serde::Serialize;
use utoipa::ToSchema;

/// What holds of an item, and what else is said of it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Explained {
    /// Its id.
    pub item: String,
    /// `standard`, `guarantee`, `class`, `warning`, `coverage`, `income_part`, `cost_ratio` or `crosscheck`.
    pub kind: &'static str,
    /// In Chinese.
    pub title: String,
    /// In English.
    pub title_en: String,
    /// What holds in the area on the day; none if nothing does.
    pub in_force: Option<Said>,
    /// What else packs say of it there, at other times or in the areas above, what is open included; what goes first stands
    /// first.
    pub others: Vec<Said>,
}

/// What a pack says.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Said {
    /// The value of a standard as people write it: yuan, not fen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The expressions, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expressions: Vec<SaidPart>,
    /// The area for which it is said; none where it is said for all.
    pub area: Option<String>,
    /// The first day.
    pub since: Option<String>,
    /// The last day.
    pub until: Option<String>,
    /// True of what is doubtful or still to be set: it does not hold.
    pub open: bool,
    /// Where it comes from.
    pub source: String,
    /// The file of the pack.
    pub file: String,
    /// The line of the file.
    pub line: usize,
}

/// An expression of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SaidPart {
    /// `unmet`, `met`, `when`, `among`, `has`.
    pub part: &'static str,
    /// As it stands in the pack.
    pub text: String,
}

impl Said {
    fn of(
        standing: &Standing,
        value: Option<String>,
        expressions: &[(&'static str, &str)],
    ) -> Self {
        let part = |(part, text): &(&'static str, &str)| {
            // As one line, however it is broken in the file.
            let words: Vec<&str> = text.split_whitespace().collect();
            SaidPart { part, text: words.join(" ") }
        };
        Self {
            value,
            expressions: expressions.iter().map(part).collect(),
            area: standing.area.as_ref().map(ToString::to_string),
            since: standing.since.map(|day| day.to_string()),
            until: standing.until.map(|day| day.to_string()),
            open: standing.open,
            source: standing.source.clone(),
            file: standing.file.clone(),
            line: standing.line,
        }
    }
}

/// What is explained, and for where and when.
struct Asked<'p> {
    policy: &'p Policy,
    area: &'p str,
    on: Day,
}

impl Asked<'_> {
    fn item<T: Item>(
        &self,
        (kind, items, id): (&'static str, &Items<T>, &str),
        (title, title_en): (&str, &str),
        said: impl Fn(&T) -> Said,
    ) -> Explained {
        let in_force = items.find(id, self.area, self.on).map(&said);
        let all = items.of_id(id, self.area).into_iter().map(&said);
        let others = all.filter(|other| Some(other) != in_force.as_ref()).collect();
        let [item, title, title_en] = [id, title, title_en].map(str::to_owned);
        Explained { item, kind, title, title_en, in_force, others }
    }

    fn judged<T: Item>(
        &self,
        (kind, items): (&'static str, &Items<T>),
        head: impl Fn(&T) -> &Head,
        parts: impl Fn(&T) -> Vec<(&'static str, &str)>,
    ) -> Vec<Explained> {
        let explained = items.ids().into_iter().filter_map(|id| {
            let nearest = items.find(id, self.area, self.on);
            let named = nearest.or_else(|| items.of_id(id, self.area).first().copied())?;
            let titles = (head(named).title.as_str(), head(named).title_en.as_str());
            let said = |item: &T| Said::of(item.standing(), None, &parts(item));
            Some(self.item((kind, items, id), titles, said))
        });
        explained.collect()
    }

    /// Items that have no other name than their id, with what is said of them.
    fn told<T: Item>(
        &self,
        (kind, items): (&'static str, &Items<T>),
        value: impl Fn(&T) -> String,
    ) -> Vec<Explained> {
        let said = |item: &T| Said::of(item.standing(), Some(value(item)), &[]);
        let ids = items.ids().into_iter();
        ids.map(|id| self.item((kind, items, id), (id, id), said)).collect()
    }

    fn all(&self) -> Vec<Explained> {
        let policy = self.policy;
        let standards = policy.standards().iter().map(|standard| {
            let titles = (standard.title.as_str(), standard.title_en.as_str());
            self.item(("standard", policy.values(), &standard.id), titles, |value| {
                let amount = value.amount.map(|amount| standard.written(amount));
                Said::of(value.standing(), amount, &[])
            })
        });
        let mut all: Vec<Explained> = standards.collect();
        all.extend(self.judged(
            ("guarantee", policy.guarantees()),
            |own| &own.head,
            |own| vec![("unmet", own.unmet.text.as_str()), ("met", own.met.text.as_str())],
        ));
        all.extend(self.judged(
            ("class", policy.classes()),
            |own| &own.head,
            |own| vec![("when", own.when.text.as_str())],
        ));
        all.extend(self.judged(
            ("warning", policy.warnings()),
            |own| &own.head,
            |own| vec![("when", own.when.text.as_str())],
        ));
        all.extend(self.judged(
            ("coverage", policy.coverages()),
            |own| &own.head,
            |own| vec![("among", own.among.text.as_str()), ("has", own.has.text.as_str())],
        ));
        all.extend(self.told(("income_part", policy.income_parts()), |own| {
            (if own.counted { "计入" } else { "不计入" }).to_owned()
        }));
        let share = |own: &CostRatio| Fen(own.ratio_bp).to_string();
        all.extend(
            self.told(("cost_ratio", policy.cost_ratios()), |own| format!("{}%", share(own))),
        );
        all.extend(self.judged(
            ("crosscheck", policy.crosscheck_list()),
            |own| &own.head,
            |_| Vec::new(),
        ));
        all
    }
}

/// What holds of all items that differ by area, in the order of the packs.
pub fn explain_all(policy: &Policy, area: &AreaCode, on: Day) -> Vec<Explained> {
    Asked { policy, area: area.as_str(), on }.all()
}
