//! SQL of what refers to a record.

use std::collections::BTreeSet;

use daohu_base::{AreaCode, AreaLevel};
use daohu_db::{Error, Filter, Row, Tx, Value};

use crate::households::Marks;

/// A column that refers to records, by key.
#[derive(Debug)]
pub(in crate::undo) struct Reference {
    table: &'static str,
    column: &'static str,
    /// Of pairings: where the one who helps is of this kind.
    subject: Option<&'static str>,
}

const fn by(table: &'static str, column: &'static str) -> Reference {
    Reference { table, column, subject: None }
}

const fn helped_by(subject: &'static str) -> Reference {
    Reference { table: "pairings", column: "subject", subject: Some(subject) }
}

/// Where something refers to records of these kinds, each by its key.
pub(in crate::undo) const REFERENCES: [(&str, &[Reference]); 5] = [
    (
        "household",
        &[
            by("persons", "household"),
            by("incomes", "household"),
            by("memberships", "household"),
            by("pairings", "household"),
            by("leads", "household"),
            by("warnings", "household"),
        ],
    ),
    (
        "person",
        &[
            by("judgements", "person"),
            by("judgements", "other"),
            by("memberships", "person"),
            by("leads", "person"),
        ],
    ),
    ("organisation", &[by("cadres", "organisation"), helped_by("organisation")]),
    ("cadre", &[by("teams", "cadre"), helped_by("cadre")]),
    ("team_member", &[helped_by("team")]),
];

/// The columns that name an area.
pub(in crate::undo) const AREA_REFERENCES: [Reference; 12] = [
    by("households", "village"),
    by("households", "group_code"),
    by("persons", "village"),
    by("organisations", "area"),
    by("cadres", "area"),
    by("teams", "village"),
    by("villages", "village"),
    by("pairings", "object"),
    by("targets", "area"),
    by("indicators", "area"),
    by("grants", "area"),
    by("successions", "successor"),
];

/// Those of these keys that a column still names; of a county, where its table has counties of its own. A team is
/// there while one of its members is.
pub(in crate::undo) async fn named_in(
    tx: &mut Tx,
    (reference, marks): (&Reference, Marks<'_>),
    county: Option<&str>,
    keys: &[Value],
) -> Result<BTreeSet<String>, Error> {
    let Reference { table, column, .. } = reference;
    let mut found = BTreeSet::new();
    for mut filter in Filter::lists(column, keys.iter().cloned()) {
        narrow(&mut filter, reference, marks, county);
        let sql = format!("select distinct {column} from {table}{}", filter.clause());
        for row in tx.query(&sql, filter.params()).await? {
            found.insert(part_of_key(row.value(0)?));
        }
    }
    Ok(found)
}

/// A column of a key as the journal has it.
fn part_of_key(value: &Value) -> String {
    match value {
        Value::Int(number) => number.to_string(),
        other => other.as_text().unwrap_or_default().to_owned(),
    }
}

/// Narrows what names a key to what counts.
fn narrow(
    filter: &mut Filter,
    Reference { table, subject, .. }: &Reference,
    marks: Marks<'_>,
    county: Option<&str>,
) {
    if let Some(county) = county {
        filter.and("county = ?", [county.into()]);
    }
    if let Some(subject) = subject {
        let kinds = marks.codes("主体类型", subject);
        filter.and_in("subject_kind", kinds.into_iter().map(Value::from));
    }
    // What nobody looked after yet goes with its household.
    if *table == "warnings" {
        filter.and("closed_on is not null", []);
    }
    if *subject == Some("team") {
        filter.and("not exists (select 1 from teams t where t.no = pairings.subject)", []);
    }
}

/// A record that names another: kind, county and key as the journal has them.
pub(in crate::undo) type Naming = (&'static str, String, String);

/// How a table's records are called in the journal, and the columns of their keys.
fn key_columns(table: &str) -> (&'static str, &'static str) {
    match table {
        "households" => ("household", "id"),
        "persons" => ("person", "id"),
        "incomes" => ("income", "household, year"),
        "memberships" => ("membership", "household, person"),
        "judgements" => ("judgement", "person, other"),
        "leads" => ("lead", "household, id"),
        "warnings" => ("warning", "household, id"),
        "organisations" => ("organisation", "no"),
        "cadres" => ("cadre", "no"),
        "teams" => ("team_member", "no, cadre, starts_on"),
        "villages" => ("village", "village, year"),
        "pairings" => ("pairing", "subject_kind, subject, object_kind, object, starts_on"),
        "targets" => ("target", "area, year, indicator"),
        "indicators" => ("indicator", "area, period, indicator"),
        // Whose role it is, is for who may see accounts.
        "grants" => ("grant", "area"),
        _ => ("area", "predecessor"),
    }
}

/// The first records of a table that a filter leaves.
async fn first_of(
    tx: &mut Tx,
    table: &'static str,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Naming>, Error> {
    let (kind, columns) = key_columns(table);
    // Engines differ in whether a constant is an order.
    let (county, order) = match table {
        "grants" | "successions" => ("''", columns.to_owned()),
        _ => ("county", format!("county, {columns}")),
    };
    let sql = format!(
        "select {county}, {columns} from {table}{} order by {order} limit {limit}",
        filter.clause()
    );
    let mut found = Vec::new();
    for row in tx.query(&sql, filter.params()).await? {
        let mut parts = Vec::new();
        for i in 1..=columns.split(',').count() {
            parts.push(part_of_key(row.value(i)?));
        }
        found.push((kind, row.text(0)?.to_owned(), parts.join("/")));
    }
    Ok(found)
}

/// Some of the records whose column names one of these keys, which [`named_in`] found.
pub(in crate::undo) async fn naming(
    tx: &mut Tx,
    (reference, marks): (&Reference, Marks<'_>),
    county: Option<&str>,
    key: &Value,
    limit: usize,
) -> Result<Vec<Naming>, Error> {
    let mut filter = Filter::new();
    filter.and_in(reference.column, [key.clone()]);
    narrow(&mut filter, reference, marks, county);
    first_of(tx, reference.table, &filter, limit).await
}

/// Some of the records whose column names an area.
pub(in crate::undo) async fn naming_area(
    tx: &mut Tx,
    reference: &Reference,
    area: &AreaCode,
    limit: usize,
) -> Result<Vec<Naming>, Error> {
    first_of(tx, reference.table, &of_area(reference, area), limit).await
}

/// True if a column names an area.
async fn is_area_named(tx: &mut Tx, reference: &Reference, area: &AreaCode) -> Result<bool, Error> {
    let filter = of_area(reference, area);
    let sql = format!("select 1 from {}{} limit 1", reference.table, filter.clause());
    Ok(tx.query_opt(&sql, filter.params()).await?.is_some())
}

/// The condition that a column names an area.
fn of_area(Reference { table, column, .. }: &Reference, area: &AreaCode) -> Filter {
    let mut filter = Filter::new();
    filter.and_in(column, [area.as_str().into()]);
    match *table {
        // Known in every county.
        "organisations" | "cadres" | "grants" | "successions" => {}
        "households" if *column == "group_code" => {
            // An index knows the villages.
            let village = area.at(AreaLevel::Village).map(|village| village.to_string());
            filter.and("county = ?", [area.county().into()]);
            filter.and("village = ?", [village.into()]);
        }
        _ => filter.and("county = ?", [area.county().into()]),
    }
    if *table == "pairings" {
        filter.and("household is null", []);
    }
    filter
}

/// True if households are in a villagers' group.
pub(in crate::undo) async fn is_group_used(tx: &mut Tx, group: &AreaCode) -> Result<bool, Error> {
    is_area_named(tx, &by("households", "group_code"), group).await
}

/// Some of the households of a village.
pub(in crate::undo) async fn households_in(
    tx: &mut Tx,
    village: &str,
    limit: usize,
) -> Result<Vec<Naming>, Error> {
    let mut filter = Filter::new();
    filter.and("village = ?", [village.into()]);
    first_of(tx, "households", &filter, limit).await
}

/// Some of the areas below one.
pub(in crate::undo) async fn below(
    tx: &mut Tx,
    code: &str,
    limit: usize,
) -> Result<Vec<Naming>, Error> {
    let sql =
        format!("select code from areas where code > $1 and code < $2 order by code limit {limit}");
    let end = format!("{code}:");
    let below = |row: &Row| {
        let code = row.text(0)?.to_owned();
        let county = AreaCode::parse(&code).map(|code| code.county()).unwrap_or_default();
        Ok(("area", county, code))
    };
    tx.query(&sql, &[code.into(), end.into()]).await?.iter().map(below).collect()
}

#[cfg(test)]
mod tests {
    use daohu_db::{Engine, FutureExt, tables_of, testing::Scratch};
    use daohu_policy::Policy;

    use super::*;
    use crate::schema::MIGRATIONS;

    /// What columns are called that name a record of another kind, or an area.
    const NAMES: [&str; 13] = [
        "area",
        "cadre",
        "group_code",
        "household",
        "merged_into",
        "object",
        "organisation",
        "other",
        "person",
        "predecessor",
        "subject",
        "successor",
        "village",
    ];
    /// Those that keep nothing from going: what they are part of goes along, or tells of the past.
    const FREE: [(&str, &str); 12] = [
        // May name what the tree does not have.
        ("areas", "predecessor"),
        // Written with `successor`.
        ("successions", "predecessor"),
        // Stands with a judgement.
        ("persons", "merged_into"),
        // Go with the person.
        ("person_keys", "household"),
        ("person_keys", "person"),
        // What was, and who looked at it.
        ("former_villages", "household"),
        ("former_villages", "village"),
        ("accesses", "household"),
        ("accesses", "person"),
        ("accesses", "area"),
        ("quality_trend", "area"),
        ("checked_lists", "area"),
    ];

    #[test]
    fn every_column_that_names_a_record_is_asked_or_known_to_be_free() {
        let asked = REFERENCES.iter().flat_map(|(_, of)| of.iter()).chain(&AREA_REFERENCES);
        let asked: BTreeSet<(&str, &str)> = asked.map(|of| (of.table, of.column)).collect();
        let tables = tables_of(&MIGRATIONS).unwrap();
        let columns = tables.iter().flat_map(|table| {
            table.columns.iter().map(|column| (table.name.as_str(), column.name.as_str()))
        });
        let naming: BTreeSet<(&str, &str)> =
            columns.filter(|(_, column)| NAMES.contains(column)).collect();
        let free: BTreeSet<(&str, &str)> = FREE.into_iter().collect();
        let known: BTreeSet<(&str, &str)> = asked.union(&free).copied().collect();
        assert_eq!(naming, known);
    }

    /// Whoever names a record is found in a refusal alone: here each statement runs, though nobody names this one.
    #[tokio::test]
    async fn whatever_may_name_a_record_can_be_asked() {
        async fn ask(tx: &mut Tx) -> Result<(), Error> {
            let policy = Policy::embedded().unwrap();
            let marks = Marks::new(&policy);
            for reference in REFERENCES.iter().flat_map(|(_, of)| of.iter()) {
                let key: Value = match reference.column {
                    "household" | "person" | "other" => 7.into(),
                    _ => "7".into(),
                };
                for county in [None, Some("990101").filter(|_| reference.table != "cadres")] {
                    let found = naming(tx, (reference, marks), county, &key, 5).await?;
                    assert_eq!(found, [], "{reference:?}");
                }
            }
            Ok(())
        }
        for engine in Engine::BOTH {
            let (_scratch, db) = Scratch::migrated(engine, &MIGRATIONS).await;
            db.read(|tx| async move { ask(tx).await }.boxed()).await.unwrap();
        }
    }
}
