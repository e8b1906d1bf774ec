//! `daohu indices`: how many are poor, how deeply, how unequal, and in how many ways.

use std::process::ExitCode;

use daohu_app::{
    Error, Lang,
    monitoring::{Counted, IndicesAsked, IndicesOf, IndicesReport, indices},
};
use daohu_base::{Fen, Scope};

use super::{Done, monitor::under};
use crate::{
    cli::IndicesArgs,
    output::{Failure, json, line},
    tables::print_rows,
};

pub(crate) async fn run(args: IndicesArgs, lang: Lang) -> Done {
    let context = under(&args.db, args.pack.as_deref()).await?;
    let (area, year, by, class) = (args.area.clone(), args.year, args.by, args.class.clone());
    let asked = IndicesAsked { area, year, by, class };
    let told = indices(&context, &Scope::all(), asked).await.map_err(|error| match error {
        Error::Policy(bad) => Failure::of_pack(&bad),
        other => Failure::of_area(&args.area, other),
    })?;
    if args.json {
        json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    let head = [
        lang.pick("地区", "area"),
        lang.pick("人口", "persons"),
        lang.pick("低于标准", "below the line"),
        lang.pick("发生率%", "incidence %"),
        "P0",
        "P1",
        "P2",
        lang.pick("人均纯收入", "income a head"),
        lang.pick("增长%", "growth %"),
        lang.pick("基尼系数", "Gini"),
        "H",
        "A",
        "M0",
        lang.pick("不明人口", "not known"),
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(std::iter::once(&told.whole).chain(&told.parts).map(row));
    print_rows(rows)?;
    line(format_args!(""))?;
    print_rows(causes(&told.whole, lang))?;
    line(format_args!(""))?;
    print_rows(flows(&told, lang))?;
    Ok(ExitCode::SUCCESS)
}

/// Causes that somebody has.
fn causes(whole: &IndicesOf, lang: Lang) -> Vec<Vec<String>> {
    let head = [
        lang.pick("主要致贫原因", "main cause"),
        lang.pick("户数", "households"),
        lang.pick("人口", "persons"),
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let row = |name: &str, own: &Counted| {
        vec![name.to_owned(), own.households.to_string(), own.persons.to_string()]
    };
    let had = whole.causes.iter().filter(|own| own.counted.households > 0);
    rows.extend(had.map(|own| row(&own.name, &own.counted)));
    rows.push(row(lang.pick("未填", "not known"), &whole.cause_unknown));
    rows
}

/// Households by where they stood in the year before, a line each, and stand now.
fn flows(told: &IndicesReport, lang: Lang) -> Vec<Vec<String>> {
    let name = |state: &str| match state {
        "below" => lang.pick("低于标准", "below the line"),
        "not_below" => lang.pick("不低于标准", "not below"),
        _ => lang.pick("不明", "not known"),
    };
    let mut rows: Vec<Vec<String>> = Vec::new();
    for flow in &told.whole.flows {
        if rows.is_empty() {
            let corner = format!("{} → {}", told.year - 1, told.year);
            let own = told.whole.flows.iter().filter(|own| own.before == flow.before);
            let to = own.map(|own| name(own.after).to_owned());
            rows.push(std::iter::once(corner).chain(to).collect());
        }
        let is_new = rows
            .last()
            .is_none_or(|row| row.first().map(String::as_str) != Some(name(flow.before)));
        if is_new {
            rows.push(vec![name(flow.before).to_owned()]);
        }
        if let Some(row) = rows.last_mut() {
            row.push(flow.counted.households.to_string());
        }
    }
    rows
}

fn row(own: &IndicesOf) -> Vec<String> {
    let number = |number: Option<f64>, digits: usize| {
        number.map_or_else(|| "-".to_owned(), |number| format!("{number:.digits$}"))
    };
    let [p0, p1, p2] = own.fgt.map_or([None; 3], |fgt| fgt.map(Some));
    let ways = &own.multidimensional;
    vec![
        format!("{} {}", own.code, own.name.as_deref().unwrap_or_default()),
        own.known.persons.to_string(),
        own.poor.persons.to_string(),
        number(own.incidence_percent, 2),
        number(p0, 4),
        number(p1, 4),
        number(p2, 4),
        own.income_per_head_fen.map_or_else(|| "-".to_owned(), |fen| Fen(fen).to_string()),
        number(own.growth_percent, 1),
        number(own.gini, 4),
        number(ways.incidence, 4),
        number(ways.intensity, 4),
        number(ways.m0, 4),
        own.unknown.persons.to_string(),
    ]
}
