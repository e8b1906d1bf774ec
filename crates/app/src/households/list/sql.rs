//! SQL of lists.

use daohu_base::Scope;
use daohu_db::{Filter, Tx};

use super::model::{Leg, Mark, Sort, legs};
use crate::{
    Error,
    households::model::{HouseholdRow, layouts},
    keys::Keys,
    sheet::Condition,
};

/// Whether a pairing in force binds a cadre to the household.
pub(crate) struct Answered {
    pub(crate) is_answered: bool,
    /// The codes of 主体类型 that are cadres.
    pub(crate) kinds: Vec<i64>,
    pub(crate) day: String,
}

/// A pairing of a kind that is in force on a day, named twice.
macro_rules! answered {
    () => {
        "exists (select 1 from pairings p where p.county = h.county and p.household = h.id
           and p.subject_kind = ? and p.starts_on <= ? and (p.ends_on is null or p.ends_on >= ?))"
    };
}

impl Answered {
    pub(in crate::households) fn add_to(&self, filter: &mut Filter) {
        let of = |kind: &i64| [(*kind).into(), self.day.as_str().into(), self.day.as_str().into()];
        match self.is_answered {
            true => filter.and_any(answered!(), self.kinds.iter().map(of)),
            false => {
                let none = concat!("not ", answered!());
                self.kinds.iter().for_each(|kind| filter.and(none, of(kind)));
            }
        }
    }
}

/// The next households of a scope in an order, after the mark.
pub(super) async fn list(
    tx: &mut Tx,
    keys: &Keys,
    scope: &Scope,
    (sort, conditions, answered): (Sort, &[Condition], Option<&Answered>),
    after: Option<&Mark>,
    limit: i64,
) -> Result<Vec<HouseholdRow>, Error> {
    tx.plan_by_values().await?;
    let mut found: Vec<HouseholdRow> = Vec::new();
    for mut piece in pieces(scope, sort, after) {
        let rest = limit - i64::try_from(found.len()).unwrap_or(limit);
        if rest <= 0 {
            break;
        }
        for condition in conditions {
            condition.add_to(&mut piece.filter);
        }
        if let Some(answered) = answered {
            answered.add_to(&mut piece.filter);
        }
        let rest = piece.filter.param(rest);
        let sql = piece.select(&layouts::HOUSEHOLD.select("h."), &rest);
        for mut row in tx.query(&sql, piece.filter.params()).await? {
            found.push(HouseholdRow(layouts::HOUSEHOLD.from_row(keys, &mut row)?));
        }
    }
    Ok(found)
}

/// One of the queries of a list.
struct Piece {
    filter: Filter,
    order: &'static str,
    /// False if one index serves both the condition and the order; else what is found must be sorted.
    needs_sorting: bool,
}

impl Piece {
    /// To sort whole rows is to carry them all about: keys are sorted, and the few rows that are wanted
    /// are fetched by them.
    fn select(&self, columns: &str, limit: &str) -> String {
        let (clause, order) = (self.filter.clause(), self.order);
        if self.needs_sorting {
            format!(
                "select {columns} from
                   (select county as page_county, id as page_id from households h{clause}
                    order by {order} limit {limit}) page_keys
                 cross join households h
                 where h.county = page_county and h.id = page_id order by {order}"
            )
        } else {
            format!("select {columns} from households h{clause} order by {order} limit {limit}")
        }
    }
}

/// The queries of a list, one after the other.
fn pieces(scope: &Scope, sort: Sort, after: Option<&Mark>) -> Vec<Piece> {
    match sort {
        Sort::Village => by_village(scope, after),
        Sort::No => legs(scope).iter().filter_map(|leg| by_no(leg, after)).collect(),
        Sort::NoDown => legs(scope).iter().rev().filter_map(|leg| by_no_down(leg, after)).collect(),
        Sort::UpdatedDown => legs(scope).iter().map(|leg| by_updated(leg, after)).collect(),
    }
}

/// The mark comes from outside, so it may only narrow what the scope gives, never widen it.
fn by_village(scope: &Scope, after: Option<&Mark>) -> Vec<Piece> {
    let all = || vec![(String::new(), ":".to_owned())];
    let mut pieces = Vec::new();
    for (from, to) in scope.ranges().unwrap_or_else(all) {
        let mut filter = Filter::new();
        match after {
            Some(Mark::Text(village, _)) if *village >= to => continue,
            Some(Mark::Text(village, no)) if *village >= from => {
                let mark = [village.as_str().into(), no.as_str().into()];
                filter.and("(village, no) > (?, ?)", mark);
            }
            _ => filter.and("village >= ?", [from.into()]),
        }
        filter.and("village < ?", [to.into()]);
        pieces.push(Piece { filter, order: "village, no", needs_sorting: false });
    }
    pieces
}

/// Within a part of a county the villages' index finds the rows and a few thousand are sorted; the
/// county itself is left out of the condition and the order is no index's, lest such an index be read
/// from end to end.
fn villages(filter: &mut Filter, leg: &Leg) {
    let ranges = leg.villages.iter().map(|(from, to)| [from.as_str().into(), to.as_str().into()]);
    filter.and_any("(village >= ? and village < ?)", ranges);
}

fn by_no(leg: &Leg, after: Option<&Mark>) -> Option<Piece> {
    let mut filter = Filter::new();
    let (from, to) = &leg.counties;
    let mark = match after {
        Some(Mark::Text(county, _)) if county >= to => return None,
        Some(Mark::Text(county, no)) if county >= from => Some((county, no)),
        _ => None,
    };
    if leg.villages.is_empty() {
        match mark {
            Some((county, no)) => {
                let mark = [county.as_str().into(), no.as_str().into()];
                filter.and("(county, no) > (?, ?)", mark);
            }
            None => filter.and("county >= ?", [from.as_str().into()]),
        }
        filter.and("county < ?", [to.as_str().into()]);
        return Some(Piece { filter, order: "county, no", needs_sorting: false });
    }
    villages(&mut filter, leg);
    if let Some((_, no)) = mark {
        filter.and("no > ?", [no.as_str().into()]);
    }
    Some(Piece { filter, order: "no || ''", needs_sorting: true })
}

fn by_no_down(leg: &Leg, after: Option<&Mark>) -> Option<Piece> {
    let mut filter = Filter::new();
    let (from, to) = &leg.counties;
    let mark = match after {
        Some(Mark::Text(county, _)) if county < from => return None,
        Some(Mark::Text(county, no)) if county < to => Some((county, no)),
        _ => None,
    };
    if leg.villages.is_empty() {
        match mark {
            Some((county, no)) => {
                let mark = [county.as_str().into(), no.as_str().into()];
                filter.and("(county, no) < (?, ?)", mark);
            }
            None => filter.and("county < ?", [to.as_str().into()]),
        }
        filter.and("county >= ?", [from.as_str().into()]);
        return Some(Piece { filter, order: "county desc, no desc", needs_sorting: false });
    }
    villages(&mut filter, leg);
    if let Some((_, no)) = mark {
        filter.and("no < ?", [no.as_str().into()]);
    }
    Some(Piece { filter, order: "no || '' desc", needs_sorting: true })
}

/// Only asked for within one county: there is one leg.
fn by_updated(leg: &Leg, after: Option<&Mark>) -> Piece {
    let mut filter = Filter::new();
    if leg.villages.is_empty() {
        filter.and("county = ?", [leg.counties.0.as_str().into()]);
    } else {
        villages(&mut filter, leg);
    }
    if let Some(Mark::Number(at, id)) = after {
        filter.and("(updated_at, id) < (?, ?)", [(*at).into(), (*id).into()]);
    }
    let needs_sorting = !leg.villages.is_empty();
    Piece { filter, order: "updated_at desc, id desc", needs_sorting }
}

#[cfg(test)]
mod tests {
    use daohu_base::AreaCode;
    use daohu_db::Engine;

    use super::*;
    use crate::households::testing::{filled, plan, reads_all, uses};

    #[tokio::test]
    async fn every_order_is_read_from_an_index() {
        for engine in Engine::BOTH {
            let (_scratch, db) = filled(engine).await;
            let text = |code: &str| Some(Mark::Text(code.to_owned(), "H1006000".to_owned()));
            for area in ["99", "990101", "990101100", "990101100200"] {
                let scope = Scope::of(AreaCode::parse(area));
                let is_part = area.len() > 6;
                for (sort, mark) in [
                    (Sort::No, text("990101")),
                    (Sort::NoDown, text("990101")),
                    (Sort::Village, text("990101100200")),
                    (Sort::UpdatedDown, Some(Mark::Number(1, 2))),
                ] {
                    if sort == Sort::UpdatedDown && area.len() < 6 {
                        continue;
                    }
                    for after in [None, mark.as_ref()] {
                        for piece in pieces(&scope, sort, after) {
                            let (sql, params) = (piece.select("h.*", "51"), piece.filter.params());
                            let plan = plan(&db, sql, params.to_vec()).await;
                            // The sorted keys of a page are few.
                            let read = plan.replacen("SCAN page_keys;", "", 1);
                            assert!(!reads_all(&read), "{area} {sort:?}: {plan}");
                            // A township's few thousand rows may be sorted; more never.
                            let sorts = plan.contains("B-TREE") || plan.contains("Sort");
                            let is_small = is_part && uses(&plan, "households_village");
                            assert!(!sorts || is_small, "{area} {sort:?}: {plan}");
                            assert!(!is_part || is_small, "{area} {sort:?}: {plan}");
                        }
                    }
                }
            }
        }
    }
}
