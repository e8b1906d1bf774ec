//! `daohu monitor trajectory`: when and why the state of a household changed.

use std::process::ExitCode;

use daohu_app::{
    Error, Lang,
    households::Named,
    monitoring::{self, ChangeOf, Event, Spell, Trajectory, in_words},
};
use daohu_base::{Fen, Scope};

use super::Done;
use crate::{
    cli::MonitorTrajectoryArgs,
    open::{Wanted, open},
    output::{Failure, json, line},
    tables::print_rows,
};

pub(super) async fn run(args: MonitorTrajectoryArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let named = Named::No(args.household.clone());
    let part = (args.before, args.limit);
    let told = monitoring::trajectory(&context, Scope::all(), named, part).await;
    let told = told.map_err(|error| match error {
        Error::Policy(bad) => Failure::of_pack(&bad),
        other => Failure::of_household(&args.household, other),
    })?;
    if args.json {
        json(&told)?;
    } else {
        print(&told, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(told: &Trajectory, lang: Lang) -> Result<(), Failure> {
    line(format!("{} {}", told.county, told.no))?;
    for spell in &told.spells {
        line(spell_words(spell, lang))?;
    }
    let heads = match lang {
        Lang::Zh => ["年度", "人均纯收入", "贫困标准"],
        Lang::En => ["year", "income per head", "poverty line"],
    };
    let fen = |fen: Option<i64>| fen.map(|fen| Fen(fen).to_string()).unwrap_or_default();
    let mut rows = vec![heads.map(str::to_owned).to_vec()];
    rows.extend(
        told.years
            .iter()
            .map(|own| vec![own.year.to_string(), fen(own.income_per_head_fen), fen(own.line_fen)]),
    );
    print_rows(rows)?;
    told.events.iter().try_for_each(|event| print_event(event, lang))?;
    match (&told.next, lang) {
        (Some(next), Lang::Zh) => line(format!("更早的变化：--before {next}")),
        (Some(next), Lang::En) => line(format!("earlier changes: --before {next}")),
        (None, _) => Ok(()),
    }
}

fn spell_words(spell: &Spell, lang: Lang) -> String {
    let from = spell.from_year.map(|year| year.to_string()).or_else(|| spell.from_on.clone());
    let until = spell.until_year.map(|year| year.to_string()).or_else(|| spell.until_on.clone());
    let unknown = || lang.pick("不详", "unknown").to_owned();
    let what = match spell.is_relapse {
        true => lang.pick("返贫", "fell back"),
        false => lang.pick("贫困", "poor"),
    };
    let until = match spell.is_open {
        true => lang.pick("至今", "now").to_owned(),
        false => until.unwrap_or_else(unknown),
    };
    format!("{what}：{} — {until}", from.unwrap_or_else(unknown))
}

fn print_event(event: &Event, lang: Lang) -> Result<(), Failure> {
    line(format!("{}  {} → {}", event.on, event.overall_before.unwrap_or("—"), event.overall))?;
    for ChangeOf { title, title_en, before, after, because, .. } in &event.changes {
        let words = |own: &Option<&'static str>| own.map_or("—", |own| in_words(own, lang));
        let title = lang.pick(title.as_str(), title_en.as_str());
        line(format!("  {title}：{} → {}", words(before), words(after)))?;
        for part in because {
            line(format!("    {}", lang.pick(part.words.as_str(), part.words_en.as_str())))?;
        }
    }
    for own in &event.wrote {
        let name = own.name.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
        let value = own.value.as_deref().unwrap_or("—");
        let who = (own.source.actor(), own.source.source());
        line(format!("  {name}{} = {value}  （{} {}）", own.title, who.0, who.1))?;
    }
    Ok(())
}
