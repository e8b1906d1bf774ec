//! Who is suspected to be one with whom, and what judgements say. Pure.

use std::collections::{HashMap, HashSet};

use daohu_base::AreaLevel;
use daohu_db::Value;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    Lang,
    households::{Derived, Marks, PersonRow, rows::Alike},
    keys::{Keys, hex},
    sheet::{Meta, person},
};

/// What was judged of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing, or nothing any more.
    Open,
    /// They are two persons.
    Different,
    /// They are one, to be merged.
    Same,
    /// They were one: a record of the two ended.
    Merged,
}

impl Verdict {
    const ALL: [Self; 4] = [Self::Open, Self::Different, Self::Same, Self::Merged];

    /// As stored and as written in requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Different => "different",
            Self::Same => "same",
            Self::Merged => "merged",
        }
    }

    /// In a file for people.
    pub(super) const fn says(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Open, Lang::Zh) => "未判断",
            (Self::Different, Lang::Zh) => "不是同一人",
            (Self::Same, Lang::Zh) => "是同一人，待合并",
            (Self::Merged, Lang::Zh) => "已合并",
            (verdict, Lang::En) => verdict.as_str(),
        }
    }

    /// The verdict of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verdict| verdict.as_str() == name)
    }
}

/// Why two are suspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Ground {
    /// Their names are written alike.
    Name,
    /// Their names only sound alike.
    Sound,
}

impl Ground {
    pub(super) fn of(one: &str, other: &str) -> Self {
        if one == other { Self::Name } else { Self::Sound }
    }

    /// In a file for people.
    pub(super) const fn says(self, lang: Lang) -> &'static str {
        match (self, lang) {
            (Self::Name, Lang::Zh) => "姓名相同",
            (Self::Name, Lang::En) => "name",
            (Self::Sound, Lang::Zh) => "姓名同音",
            (Self::Sound, Lang::En) => "sound",
        }
    }
}

/// Who somebody is: what a judgement is about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who<'a> {
    pub(crate) person: i64,
    pub(crate) name: &'a str,
    pub(crate) born_on: Option<&'a str>,
    /// The blind index of the ID number.
    pub(crate) identity: Option<&'a [u8]>,
}

impl<'a> Who<'a> {
    /// Of a line of those who are alike.
    pub(crate) fn of(alike: &'a Alike) -> Self {
        Self {
            person: alike.person,
            name: &alike.name,
            born_on: alike.born_on.as_deref(),
            identity: alike.identity.as_deref(),
        }
    }

    /// Of a record.
    pub(super) fn of_row(row: &'a PersonRow) -> Self {
        Self {
            person: row.id(),
            name: row.text(person::NAME).unwrap_or_default(),
            born_on: row.text(person::BORN_ON),
            identity: row.identity(),
        }
    }
}

/// What a judgement of a pair was made on.
pub(super) fn print(one: Who<'_>, other: Who<'_>) -> Vec<u8> {
    let (first, second) = if one.person < other.person { (one, other) } else { (other, one) };
    let mut hash = Sha256::new();
    for who in [first, second] {
        let parts = [Some(who.name.as_bytes()), who.born_on.map(str::as_bytes), who.identity];
        for part in parts {
            // Lengths stand before the bytes; nothing known is no length.
            hash.update(part.map_or(u64::MAX, |part| part.len() as u64).to_be_bytes());
            hash.update(part.unwrap_or_default());
        }
    }
    hash.finalize().to_vec()
}

/// The township of a village.
pub(crate) fn township(village: &str) -> &str {
    village.get(..AreaLevel::Township.digits()).unwrap_or(village)
}

/// True if these two current members are suspected to be one person.
pub(super) fn are_suspects(one: &Alike, other: &Alike) -> bool {
    one.alike == other.alike
        && one.household != other.household
        && township(&one.village) == township(&other.village)
}

/// As [`are_suspects`], of two records.
pub(super) fn are_suspected(one: &PersonRow, other: &PersonRow) -> bool {
    one.is_current()
        && other.is_current()
        && one.alike().is_some()
        && one.alike() == other.alike()
        && one.household() != other.household()
        && township(one.village()) == township(other.village())
}

/// Pairs of those who are alike, the smaller id first, in the order of what they have in common and of
/// their ids; `members` are sorted by these.
pub(super) fn pairs(members: &[Alike]) -> impl Iterator<Item = (&Alike, &Alike)> {
    members.chunk_by(|one, other| one.alike == other.alike).flat_map(|like| {
        let rest = |i: usize| like.get(i + 1..).unwrap_or_default();
        let with_rest = like.iter().enumerate().map(move |(i, one)| (one, rest(i)));
        with_rest.flat_map(|(one, rest)| rest.iter().map(move |other| (one, other)))
    })
}

/// Pairs that were judged to be two persons, by each of the two.
#[derive(Debug, Default)]
pub(crate) struct Different(HashMap<i64, HashMap<i64, Vec<u8>>>);

impl Different {
    /// Adds what a judgement says.
    pub(super) fn add(&mut self, judgement: Judgement) {
        let Judgement { person, other, print, .. } = judgement;
        self.0.entry(person).or_default().insert(other, print.clone());
        self.0.entry(other).or_default().insert(person, print);
    }

    /// Adds all of another.
    pub(crate) fn join(&mut self, other: Self) {
        for (person, others) in other.0 {
            self.0.entry(person).or_default().extend(others);
        }
    }

    /// True if the two were judged to be two persons, and are still who they were.
    pub(crate) fn holds(&self, one: Who<'_>, other: Who<'_>) -> bool {
        let judged = self.0.get(&one.person).and_then(|others| others.get(&other.person));
        judged.is_some_and(|judged| *judged == print(one, other))
    }
}

/// Persons who may be one with somebody of another household of their township.
pub(crate) fn suspects(alike: &[Alike], different: &Different) -> HashSet<i64> {
    let mut groups: HashMap<(i64, &str), Vec<&Alike>> = HashMap::new();
    for one in alike {
        groups.entry((one.alike, township(&one.village))).or_default().push(one);
    }
    let mut found = HashSet::new();
    for group in groups.values() {
        let mut homes: HashMap<i64, usize> = HashMap::new();
        group.iter().for_each(|one| *homes.entry(one.household).or_default() += 1);
        for one in group {
            let elsewhere = group.len() - homes.get(&one.household).copied().unwrap_or_default();
            let judged = different.0.get(&one.person);
            let is_other = |other: &&&Alike| {
                other.household != one.household
                    && judged.is_some_and(|judged| judged.contains_key(&other.person))
                    && different.holds(Who::of(one), Who::of(other))
            };
            // Nearly nobody was judged: only of them are all the others looked at.
            let others = judged.map_or(0, |_| group.iter().filter(is_other).count());
            if elsewhere > others {
                found.insert(one.person);
            }
        }
    }
    found
}

/// What was judged of two persons of a county; `person` is the smaller id.
#[derive(Clone, Debug)]
pub(super) struct Judgement {
    pub(super) county: String,
    pub(super) person: i64,
    pub(super) other: i64,
    pub(super) verdict: Verdict,
    pub(super) reason: String,
    pub(super) print: Vec<u8>,
    /// Of a pair that is merged.
    pub(super) merge: Option<Merge>,
    pub(super) meta: Meta,
}

/// What is needed to undo a merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Merge {
    /// The person whose record stays.
    pub(super) kept: i64,
    /// The versions of the two records afterwards.
    pub(super) kept_version: i64,
    pub(super) ended_version: i64,
    pub(super) before: Before,
}

/// What a merge replaced in the two records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Before {
    /// Of the record that stays, if it got the other's number: it had none.
    pub(super) document: Option<Document>,
    /// Of the record that ended.
    pub(super) change_kind: Option<i64>,
    pub(super) change_on: Option<String>,
}

/// What goes with an ID number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) id_kind: Option<i64>,
    pub(super) born_on: Option<String>,
}

impl Judgement {
    /// The key as the journal names it.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.person, self.other)
    }

    /// The journal's object.
    pub(super) fn to_journal(&self) -> String {
        let merge = self.merge.as_ref();
        serde_json::json!({
            "county": self.county,
            "person": self.person,
            "other": self.other,
            "verdict": self.verdict.as_str(),
            "reason": self.reason,
            "print": hex(&self.print),
            "kept": merge.map(|merge| merge.kept),
            "kept_version": merge.map(|merge| merge.kept_version),
            "ended_version": merge.map(|merge| merge.ended_version),
            "before": merge.map(|merge| &merge.before),
        })
        .to_string()
    }
}

/// What is judged of two persons now: that those are different who are not who they were, nobody said.
pub(super) fn present(judgement: Option<&Judgement>, one: Who<'_>, other: Who<'_>) -> Verdict {
    match judgement {
        None => Verdict::Open,
        Some(judgement) if judgement.verdict == Verdict::Different => {
            if judgement.print == print(one, other) { Verdict::Different } else { Verdict::Open }
        }
        Some(judgement) => judgement.verdict,
    }
}

/// Lays a merge over two records of one person: the one that ends left its household today, by this change;
/// the one that stays gets its number where it has none. Gives what was there before.
pub(super) fn merge(
    (marks, keys): (Marks<'_>, &Keys),
    kept: &mut PersonRow,
    ended: &mut PersonRow,
    (change, today): (i64, String),
) -> Before {
    let document = (kept.text(person::ID_NUMBER), ended.text(person::ID_NUMBER));
    let document = match document {
        (None, Some(number)) => {
            let number = number.to_owned();
            let (id_kind, born_on) = (kept.int(person::ID_KIND), kept.text(person::BORN_ON));
            let before = Document { id_kind, born_on: born_on.map(str::to_owned) };
            kept.0.set(person::ID_NUMBER, number);
            kept.0.set(person::ID_KIND, ended.int(person::ID_KIND));
            kept.0.set(person::BORN_ON, ended.text(person::BORN_ON).map(str::to_owned));
            Some(before)
        }
        _ => None,
    };
    let before = Before {
        document,
        change_kind: ended.int(person::CHANGE_KIND),
        change_on: ended.text(person::CHANGE_ON).map(str::to_owned),
    };
    ended.0.set(person::CHANGE_KIND, change);
    ended.0.set(person::CHANGE_ON, today);
    derive((marks, keys), kept, None);
    let into = kept.id();
    derive((marks, keys), ended, Some(into));
    before
}

/// Takes a merge back.
pub(super) fn unmerge(
    (marks, keys): (Marks<'_>, &Keys),
    kept: &mut PersonRow,
    ended: &mut PersonRow,
    before: &Before,
) {
    if let Some(document) = &before.document {
        kept.0.set(person::ID_NUMBER, Value::Null);
        kept.0.set(person::ID_KIND, document.id_kind);
        kept.0.set(person::BORN_ON, document.born_on.clone());
    }
    ended.0.set(person::CHANGE_KIND, before.change_kind);
    ended.0.set(person::CHANGE_ON, before.change_on.clone());
    derive((marks, keys), kept, None);
    derive((marks, keys), ended, None);
}

fn derive((marks, keys): (Marks<'_>, &Keys), row: &mut PersonRow, merged_into: Option<i64>) {
    let derived = Derived::of(marks, keys, &row.0.values);
    let alike = crate::households::alike(&row.0.values);
    row.0.derived = derived.columns(&row.0.values, alike, merged_into);
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;
    use proptest::prelude::*;

    use super::*;
    use crate::sheet::{PERSONS, Record, tests::legal};

    fn alike(person: i64, household: i64, village: &str) -> Alike {
        Alike {
            alike: 7,
            person,
            household,
            household_no: String::new(),
            village: village.to_owned(),
            name: "张伟".to_owned(),
            born_on: Some("1980-01-01".to_owned()),
            identity: None,
            is_current: true,
        }
    }

    fn judged(one: &Alike, other: &Alike) -> Judgement {
        let meta = Meta { created_at: 0, created_by: String::new(), updated_at: 0, version: 1 };
        Judgement {
            county: "990101".to_owned(),
            person: one.person,
            other: other.person,
            verdict: Verdict::Different,
            reason: String::new(),
            print: print(Who::of(one), Who::of(other)),
            merge: None,
            meta,
        }
    }

    #[test]
    fn who_was_told_from_all_others_is_not_suspected() {
        let all = [
            alike(1, 10, "990101100200"),
            alike(2, 20, "990101100201"),
            alike(3, 30, "990101100201"),
            // Of the same household, and of another township.
            alike(4, 10, "990101100200"),
            alike(5, 50, "990101101200"),
        ];
        let found = |different: &Different| {
            let mut found: Vec<i64> = suspects(&all, different).into_iter().collect();
            found.sort_unstable();
            found
        };
        let mut different = Different::default();
        assert_eq!(found(&different), [1, 2, 3, 4]);
        let listed: Vec<_> = pairs(&all).filter(|(one, other)| are_suspects(one, other)).collect();
        assert_eq!(listed.len(), 5);
        different.add(judged(&all[0], &all[1]));
        different.add(judged(&all[0], &all[2]));
        assert_eq!(found(&different), [2, 3, 4]);
        // Of all pairs of the list that are left, somebody is suspected, and nobody else is.
        let left = listed.iter().filter(|(a, b)| !different.holds(Who::of(a), Who::of(b)));
        let of_pairs: HashSet<i64> = left.flat_map(|(a, b)| [a.person, b.person]).collect();
        assert_eq!(of_pairs, suspects(&all, &different));
    }

    #[test]
    fn a_judgement_is_about_who_they_were() {
        let (one, other) = (alike(1, 10, "990101100200"), alike(2, 20, "990101100200"));
        let mut different = Different::default();
        different.add(judged(&one, &other));
        assert!(different.holds(Who::of(&one), Who::of(&other)));
        assert!(different.holds(Who::of(&other), Who::of(&one)));
        let changes: [fn(&mut Alike); 3] = [
            |who| who.name = "章伟".to_owned(),
            |who| who.born_on = None,
            |who| who.identity = Some(vec![1; 16]),
        ];
        for change in changes {
            let mut changed = other.clone();
            change(&mut changed);
            assert!(!different.holds(Who::of(&one), Who::of(&changed)));
        }
        let moved = Alike { village: "990101100201".to_owned(), household: 30, ..other };
        assert!(different.holds(Who::of(&one), Who::of(&moved)));
    }

    /// The record of a person with these values.
    fn record(with: (Marks<'_>, &Keys), id: i64, values: Vec<Value>) -> PersonRow {
        let meta = Meta { created_at: 0, created_by: String::new(), updated_at: 0, version: 1 };
        let lead = vec!["990101".into(), id.into(), id.into(), "990101100200".into()];
        let mut row = PersonRow(Record { lead, values, derived: Vec::new(), meta });
        derive(with, &mut row, None);
        row
    }

    proptest! {
        #[test]
        fn what_was_merged_and_taken_apart_is_as_it_was(
            kept in legal::row(&PERSONS, &Policy::embedded().unwrap()),
            ended in legal::row(&PERSONS, &Policy::embedded().unwrap()),
        ) {
            let (policy, keys) = (Policy::embedded().unwrap(), Keys::generate().unwrap());
            let with = (Marks::new(&policy), &keys);
            let change = policy.list("变动类型").unwrap().marked("merged").unwrap();
            let (mut one, mut other) = (record(with, 1, kept), record(with, 2, ended));
            let (kept, ended) = (one.clone(), other.clone());
            let before = merge(with, &mut one, &mut other, (change, "2020-11-22".to_owned()));
            prop_assert!(!other.is_current() && other.merged_into() == Some(1));
            prop_assert_eq!((one.is_current(), one.merged_into()), (kept.is_current(), None));
            let number = |row: &PersonRow| row.text(person::ID_NUMBER).map(str::to_owned);
            prop_assert_eq!(number(&one), number(&kept).or_else(|| number(&ended)));
            prop_assert_eq!((number(&other), other.identity()), (number(&ended), ended.identity()));
            // As it is read back from its column.
            let text = serde_json::to_string(&before).unwrap();
            unmerge(with, &mut one, &mut other, &serde_json::from_str(&text).unwrap());
            prop_assert_eq!((one, other), (kept, ended));
        }
    }
}
