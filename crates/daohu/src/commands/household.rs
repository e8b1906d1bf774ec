//! `daohu household`: one household, now or on a past day.

use std::process::ExitCode;

use daohu_app::{
    Lang,
    households::{Dossier, dossier},
    sheet::{HOUSEHOLDS, INCOMES, PAIRINGS, PERSONS},
};
use daohu_base::Scope;
use daohu_policy::Policy;

use super::Done;
use crate::{
    cli::HouseholdArgs,
    open::{Wanted, open},
    output::{Failure, json, line},
    tables::{at, cell, known, object, print_rows},
};

pub(crate) async fn run(args: HouseholdArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let found = dossier(&context, Scope::all(), args.id.clone(), args.as_of).await;
    let dossier = found.map_err(|error| Failure::of_household(&args.id, error))?;
    if args.json {
        json(&dossier)?;
    } else {
        print(&dossier, &context.policy, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(dossier: &Dossier, policy: &Policy, lang: Lang) -> Result<(), Failure> {
    let place: Vec<&str> = dossier.place.iter().map(|place| place.name.as_str()).collect();
    let (place, id, county) = (place.join(" "), dossier.id, &dossier.county);
    line(match (&dossier.as_of, lang) {
        (None, Lang::Zh) => format!("{place}（编号 {id}，县 {county}）"),
        (None, Lang::En) => format!("{place} (id {id}, county {county})"),
        (Some(day), Lang::Zh) => format!("{place}（编号 {id}，县 {county}），{day} 的情况"),
        (Some(day), Lang::En) => format!("{place} (id {id}, county {county}), as of {day}"),
    })?;
    let pairs = known(&HOUSEHOLDS, &dossier.household, policy, lang);
    // The first row is taken for the head: here each is a column's.
    print_rows(
        pairs.into_iter().map(|(title, value)| vec![format!("  {title}"), value]).collect(),
    )?;
    for (sheet, records) in
        [(&PERSONS, &dossier.persons), (&INCOMES, &dossier.incomes), (&PAIRINGS, &dossier.helpers)]
    {
        let (title, count) = (sheet.called(lang), records.len());
        line(format_args!("{title} ({count})"))?;
        for record in records {
            let of_household = sheet.columns.iter().find(|column| column.name == "household_no");
            let hidden = of_household.map(|column| lang.pick(column.header, column.name));
            let mut pairs = known(sheet, record, policy, lang);
            // It is the same for all, and stands above.
            pairs.retain(|(title, _)| Some(title.as_str()) != hidden);
            let name = record.get("subject_name").and_then(serde_json::Value::as_str);
            let name = name
                .map(|name| (lang.pick("姓名或名称", "subject_name").to_owned(), name.to_owned()));
            let pairs = name.into_iter().chain(pairs);
            let mark = lang.pick("：", ": ");
            let pairs: Vec<String> =
                pairs.map(|(title, value)| format!("{title}{mark}{value}")).collect();
            line(format_args!("  {}", pairs.join(lang.pick("；", "; "))))?;
        }
    }
    for (zh, en, links) in
        [("迁自", "came from", &dossier.came_from), ("迁往", "went to", &dossier.went_to)]
    {
        for link in links {
            let link = object(link)?;
            let no = at(&link, "household_no").as_str();
            let no = no.unwrap_or(lang.pick("（范围以外的户）", "(a household elsewhere)"));
            let members = at(&link, "members").as_array().map(Vec::as_slice).unwrap_or_default();
            let names: Vec<String> =
                members.iter().map(|member| cell(at(member, "name"))).collect();
            let (on, names) = (cell(at(&link, "on")), names.join("、"));
            line(format_args!("{} {no}  {on}  {names}", lang.pick(zh, en)))?;
        }
    }
    Ok(())
}
