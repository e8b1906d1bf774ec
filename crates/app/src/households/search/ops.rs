//! Asking the store what a text may mean.

use std::collections::{BTreeSet, HashMap};

use daohu_base::{Scope, mask_id_number};
use daohu_db::{FutureExt, Tx};

use super::{
    model::{Match, Question, Span, questions, spans},
    sql,
};
use crate::{
    Context, Error, areas,
    households::{
        model::{HouseholdRow, PersonRow},
        sql as rows,
    },
    keys::Keys,
    sheet::{household, person},
};

/// A record that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) how: Match,
    /// True for a person, false for a household.
    pub(super) is_person: bool,
    pub(super) id: i64,
    pub(super) household: i64,
    pub(super) no: String,
    pub(super) name: Option<String>,
    pub(super) village: String,
    pub(super) village_name: Option<String>,
    pub(super) id_number: Option<String>,
    pub(super) is_current: bool,
}

/// What was found, and in which ways it was looked for.
pub(super) struct Answered {
    pub(super) found: Vec<Found>,
    pub(super) asked: Vec<Match>,
    /// True if there may be more.
    pub(super) is_cut: bool,
}

impl Found {
    fn household(how: Match, row: &HouseholdRow) -> Self {
        Self {
            how,
            is_person: false,
            id: row.id(),
            household: row.id(),
            no: row.no().to_owned(),
            name: row.text(household::HEAD_NAME).map(str::to_owned),
            village: row.village().to_owned(),
            village_name: None,
            id_number: None,
            is_current: true,
        }
    }

    fn person(how: Match, row: &PersonRow, no: String) -> Self {
        Self {
            how,
            is_person: true,
            id: row.id(),
            household: row.household(),
            no,
            name: row.text(person::NAME).map(str::to_owned),
            village: row.village().to_owned(),
            village_name: None,
            id_number: row.text(person::ID_NUMBER).map(mask_id_number),
            is_current: row.is_current(),
        }
    }
}

/// True if the text would be looked for as an ID number or its tail: who tries many learns numbers.
pub(super) fn asks_for_id(text: &str, scope: &Scope) -> bool {
    let is_id = |how| matches!(how, Match::IdNumber | Match::IdTail);
    questions(text, scope).iter().any(|question| is_id(question.how))
}

/// The records of a scope that a text may mean.
pub(super) async fn search(
    context: &Context,
    scope: Scope,
    text: String,
    limit: usize,
) -> Result<Answered, Error> {
    let keys = context.keys.clone();
    let work = async move |tx: &mut Tx| {
        tx.plan_by_values().await?;
        let (questions, spans) = (questions(&text, &scope), spans(&scope));
        let asked = questions.iter().map(|question| question.how).collect();
        let mut found: Vec<Found> = Vec::new();
        for question in questions {
            // One more than is shown tells whether there is more.
            if found.len() > limit {
                break;
            }
            let some = answer(tx, &keys, (&question, &scope, &spans), limit + 1).await?;
            for one in some {
                let is_known = found.iter().any(|f| (f.is_person, f.id) == (one.is_person, one.id));
                if !is_known {
                    found.push(one);
                }
            }
        }
        let is_cut = found.len() > limit;
        found.truncate(limit);
        name_villages(tx, &mut found).await?;
        Ok(Answered { found, asked, is_cut })
    };
    context.db.read(move |tx| async move { work(tx).await }.boxed()).await
}

async fn answer(
    tx: &mut Tx,
    keys: &Keys,
    (question, scope, spans): (&Question, &Scope, &[Span]),
    limit: usize,
) -> Result<Vec<Found>, Error> {
    let how = question.how;
    let person = |(row, no): (PersonRow, String)| Found::person(how, &row, no);
    let mut found = Vec::new();
    if how == Match::IdNumber {
        for (_, holder) in rows::holders(tx, [keys.identity(&question.text)]).await? {
            found.extend(sql::held_by(tx, keys, &holder, scope).await?.into_iter().map(person));
        }
        return Ok(found.into_iter().take(1).collect());
    }
    for span in spans {
        let rest = limit.saturating_sub(found.len());
        if rest == 0 {
            break;
        }
        let rows = i64::try_from(rest).unwrap_or(i64::MAX);
        let households = sql::households(tx, keys, question, span, rows).await?;
        found.extend(households.iter().map(|row| Found::household(how, row)));
        let persons = sql::persons(tx, keys, question, span, rows).await?;
        found.extend(persons.into_iter().map(person));
    }
    // Households before persons, each by village.
    found.sort_by(|a, b| {
        (a.is_person, &a.village, &a.no, a.id).cmp(&(b.is_person, &b.village, &b.no, b.id))
    });
    Ok(found)
}

async fn name_villages(tx: &mut Tx, found: &mut [Found]) -> Result<(), Error> {
    let villages: BTreeSet<String> = found.iter().map(|one| one.village.clone()).collect();
    if villages.is_empty() {
        return Ok(());
    }
    let names: HashMap<String, String> = areas::ops::names(tx, villages).await?;
    for one in found {
        one.village_name = names.get(&one.village).cloned();
    }
    Ok(())
}
