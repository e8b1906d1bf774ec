//! SQL of the search. `cross join` keeps SQLite to the order of the tables: counties first, then an
//! index that leads with the county.

use daohu_base::{AreaLevel, Scope};
use daohu_db::{Filter, Row, Tx, Value, prefix_end};

use super::model::{Match, Question, Span};
use crate::{
    Error, areas,
    households::{
        model::{HouseholdRow, PersonRow, layouts},
        sql::Holder,
    },
    keys::Keys,
};

/// Where names are looked for, by county.
fn around(filter: &mut Filter, span: &Span, villages: &'static str) {
    let level = i64::from(AreaLevel::County.list_code());
    let (from, to) = &span.counties;
    let counties = [level.into(), from.as_str().into(), to.as_str().into()];
    filter.and("a.level = ? and a.code >= ? and a.code < ?", counties);
    within(filter, span, villages);
}

fn within(filter: &mut Filter, span: &Span, villages: &'static str) {
    let (from, to) = &span.villages;
    filter.and(villages, [from.as_str().into(), to.as_str().into()]);
}

fn range(text: &str) -> [Value; 2] {
    [text.into(), prefix_end(text).into()]
}

/// The query's tables and conditions for households; none if the question is not about them.
pub(super) fn of_households(question: &Question, span: &Span) -> Option<(&'static str, Filter)> {
    const VILLAGES: &str = "h.village >= ? and h.village < ?";
    const BY_COUNTY: &str = "areas a cross join households h";
    let text = question.text.as_str();
    let mut filter = Filter::new();
    let condition = match question.how {
        // A number stands once in each county; the rows are few before the scope is looked at.
        Match::No => {
            filter.and("h.no = ?", [text.into()]);
            within(&mut filter, span, VILLAGES);
            return Some(("households h", filter));
        }
        // Less than a county: the villages' index has all the numbers of a few thousand rows.
        Match::NoPrefix if span.is_part => {
            within(&mut filter, span, VILLAGES);
            filter.and("h.no >= ? and h.no < ?", range(text));
            return Some(("households h", filter));
        }
        Match::NamePart => {
            within(&mut filter, span, VILLAGES);
            filter.and("replace(h.head_name, ?, '') <> h.head_name", [text.into()]);
            return Some(("households h", filter));
        }
        Match::NoPrefix => ("h.county = a.code and h.no >= ? and h.no < ?", range(text).to_vec()),
        Match::Name => ("h.county = a.code and h.head_name = ?", vec![text.into()]),
        Match::NamePrefix => {
            ("h.county = a.code and h.head_name >= ? and h.head_name < ?", range(text).to_vec())
        }
        Match::Initials => ("h.county = a.code and h.head_initials = ?", vec![text.into()]),
        Match::InitialsPrefix => (
            "h.county = a.code and h.head_initials >= ? and h.head_initials < ?",
            range(text).to_vec(),
        ),
        Match::IdNumber | Match::IdTail => return None,
    };
    around(&mut filter, span, VILLAGES);
    filter.and(condition.0, condition.1);
    Some((BY_COUNTY, filter))
}

/// The query's tables and conditions for persons; none if the question is not about them.
pub(super) fn of_persons(
    question: &Question,
    span: &Span,
    keys: &Keys,
) -> Option<(&'static str, Filter)> {
    const VILLAGES: &str = "p.village >= ? and p.village < ?";
    const BY_COUNTY: &str = "areas a cross join persons p";
    let text = question.text.as_str();
    let mut filter = Filter::new();
    let condition = match question.how {
        Match::IdTail => {
            filter.and("p.id_tail = ?", [keys.tail(text).into()]);
            within(&mut filter, span, VILLAGES);
            return Some(("persons p", filter));
        }
        Match::NamePart => {
            within(&mut filter, span, VILLAGES);
            filter.and("replace(p.name, ?, '') <> p.name", [text.into()]);
            return Some(("persons p", filter));
        }
        Match::Name => ("p.county = a.code and p.name = ?", vec![text.into()]),
        Match::NamePrefix => {
            ("p.county = a.code and p.name >= ? and p.name < ?", range(text).to_vec())
        }
        Match::Initials => ("p.county = a.code and p.name_initials = ?", vec![text.into()]),
        Match::InitialsPrefix => (
            "p.county = a.code and p.name_initials >= ? and p.name_initials < ?",
            range(text).to_vec(),
        ),
        Match::No | Match::NoPrefix | Match::IdNumber => return None,
    };
    around(&mut filter, span, VILLAGES);
    filter.and(condition.0, condition.1);
    Some((BY_COUNTY, filter))
}

/// Households that answer a question.
pub(super) async fn households(
    tx: &mut Tx,
    keys: &Keys,
    question: &Question,
    span: &Span,
    limit: i64,
) -> Result<Vec<HouseholdRow>, Error> {
    let Some((tables, mut filter)) = of_households(question, span) else { return Ok(Vec::new()) };
    let limit = filter.param(limit);
    let (columns, clause) = (layouts::HOUSEHOLD.select("h."), filter.clause());
    let sql = format!("select {columns} from {tables}{clause} limit {limit}");
    let mut rows = tx.query(&sql, filter.params()).await?;
    let household = |row: &mut Row| layouts::HOUSEHOLD.from_row(keys, row).map(HouseholdRow);
    rows.iter_mut().map(household).collect()
}

/// Persons that answer a question, each with the number of the household.
pub(super) async fn persons(
    tx: &mut Tx,
    keys: &Keys,
    question: &Question,
    span: &Span,
    limit: i64,
) -> Result<Vec<(PersonRow, String)>, Error> {
    let Some((tables, mut filter)) = of_persons(question, span, keys) else {
        return Ok(Vec::new());
    };
    filter.and("h.county = p.county and h.id = p.household", []);
    let limit = filter.param(limit);
    let (columns, clause) = (layouts::PERSON.select("p."), filter.clause());
    let sql = format!(
        "select {columns}, h.no from {tables} cross join households h{clause} limit {limit}"
    );
    with_numbers(tx, keys, &sql, filter.params()).await
}

/// The person who holds an ID number, inside the scope.
pub(super) async fn held_by(
    tx: &mut Tx,
    keys: &Keys,
    holder: &Holder,
    scope: &Scope,
) -> Result<Vec<(PersonRow, String)>, Error> {
    let mut filter = Filter::new();
    let key = [holder.county.as_str().into(), holder.person.into()];
    filter.and("p.county = ? and p.id = ?", key);
    areas::rows::within(&mut filter, "(p.village >= ? and p.village < ?)", scope);
    filter.and("h.county = p.county and h.id = p.household", []);
    let (columns, clause) = (layouts::PERSON.select("p."), filter.clause());
    let sql = format!("select {columns}, h.no from persons p cross join households h{clause}");
    with_numbers(tx, keys, &sql, filter.params()).await
}

async fn with_numbers(
    tx: &mut Tx,
    keys: &Keys,
    sql: &str,
    params: &[Value],
) -> Result<Vec<(PersonRow, String)>, Error> {
    let mut found = Vec::new();
    for mut row in tx.query(sql, params).await? {
        let no = row.0.pop().and_then(|no| no.as_text().map(str::to_owned)).unwrap_or_default();
        found.push((PersonRow(layouts::PERSON.from_row(keys, &mut row)?), no));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use daohu_base::AreaCode;
    use daohu_db::Engine;

    use super::{super::model::spans, *};
    use crate::households::testing::{filled, plan, reads_all, uses};

    #[tokio::test]
    async fn every_question_is_answered_from_the_index_that_was_made_for_it() {
        for engine in Engine::BOTH {
            let (_scratch, db) = filled(engine).await;
            let keys = Keys::generate().unwrap();
            for (how, text, of_household, of_person) in [
                (Match::No, "H1000100", "households_number", ""),
                (Match::NoPrefix, "H10001", "households_no", ""),
                (Match::IdTail, "123456", "", "persons_tail"),
                (Match::Name, "z100", "households_head_name", "persons_name"),
                (Match::NamePrefix, "z10", "households_head_name", "persons_name"),
                (Match::Initials, "z100", "households_head_initials", "persons_initials"),
                (Match::InitialsPrefix, "z10", "households_head_initials", "persons_initials"),
                (Match::NamePart, "1", "households_village", "persons_village"),
            ] {
                for area in ["99", "990101", "990101100", "990101100200"] {
                    if how == Match::NamePart && area.len() < 12 {
                        continue;
                    }
                    let question = Question { how, text: text.to_owned() };
                    let scope = Scope::of(AreaCode::parse(area));
                    let of_household = match how {
                        Match::NoPrefix if area.len() > 6 => "households_village",
                        _ => of_household,
                    };
                    for span in spans(&scope) {
                        let households = of_households(&question, &span);
                        let persons = of_persons(&question, &span, &keys);
                        let persons = persons.map(|(tables, mut filter)| {
                            filter.and("h.county = p.county and h.id = p.household", []);
                            let sql =
                                format!("select p.*, h.no from {tables} cross join households h");
                            (sql, filter)
                        });
                        let households = households
                            .map(|(tables, filter)| (format!("select h.* from {tables}"), filter));
                        for (asked, index) in [(households, of_household), (persons, of_person)] {
                            let Some((sql, filter)) = asked else { continue };
                            let sql = format!("{sql}{} limit 21", filter.clause());
                            let plan = plan(&db, sql, filter.params().to_vec()).await;
                            assert!(!reads_all(&plan), "{how:?} {area}: {plan}");
                            // PostgreSQL knows better where a village has fewer rows than a name,
                            // and a number may be found without its county.
                            let is_other = engine == Engine::Postgres
                                && (area.len() == 12 || how == Match::NoPrefix)
                                && ["households_number", "households_village", "persons_village"]
                                    .iter()
                                    .any(|other| uses(&plan, other));
                            assert!(uses(&plan, index) || is_other, "{how:?} {area}: {plan}");
                        }
                    }
                }
            }
        }
    }
}
