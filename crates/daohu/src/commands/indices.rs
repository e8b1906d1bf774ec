//! `daohu indices`: how many are poor, how deeply, how unequal, and in how many ways.

use std::process::ExitCode;

use daohu_app::{
    Error, Lang,
    monitoring::{IndicesAsked, IndicesOf, indices},
};
use daohu_base::{Fen, Scope};

use super::{Done, monitor::under};
use crate::{
    cli::IndicesArgs,
    output::{Failure, json},
    tables::print_rows,
};

pub(crate) async fn run(args: IndicesArgs, lang: Lang) -> Done {
    let context = under(&args.db, args.pack.as_deref()).await?;
    let asked = IndicesAsked { area: args.area.clone(), year: args.year, by: args.by };
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
    Ok(ExitCode::SUCCESS)
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
