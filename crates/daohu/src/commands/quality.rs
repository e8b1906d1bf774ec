//! `daohu quality`: how good the records of an area are.

use std::process::ExitCode;

use daohu_app::{
    Lang,
    quality::{
        AreaQuality, FindingView, findings, level_in_words, quality, record, trend, worklist,
    },
    sheet::Sheet,
};
use serde::Serialize;
use serde_json::Value as Json;

use super::Done;
use crate::{
    cli::QualityArgs,
    open::{Wanted, open},
    output::{Failure, NONE, json, line, peak_rss_bytes, shown},
    tables::{Column, at, cell, object, percent, print_rows, print_table},
};

/// What programs are told.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    told: AreaQuality,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(args: QualityArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    if let Some(rule) = &args.rule
        && context.policy.rule(rule).is_none()
    {
        return Err(Failure::usage(
            format!("没有这条规则：--rule {rule}"),
            format!("there is no such rule: --rule {rule}"),
        ));
    }
    let of_area = |error| Failure::of_area(&args.area, error);
    if args.trend {
        let told = trend(&context, args.area.clone()).await;
        let told = told.map_err(of_area)?;
        if args.json {
            json(&told)?;
        } else {
            print_table(at(&object(&told)?, "points"), &POINTS, lang)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    if args.record {
        let told = record(&context, args.area.clone()).await;
        shown(&told.map_err(of_area)?, args.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    if args.worklist {
        let told = worklist(&context, args.area.clone(), args.on, args.rule.clone()).await;
        let told = told.map_err(of_area)?;
        if args.json {
            json(&told)?;
        } else {
            print_table(&object(&told)?, &DUTIES, lang)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let told = quality(&context, args.area.clone(), args.on, lang).await;
    let mut told = told.map_err(of_area)?;
    if let Some(rule) = &args.rule {
        told.only(rule);
    }
    if args.json {
        json(&Report { told, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        let told = object(&told)?;
        print(&told, args.rule.is_some(), lang)?;
        if let Some(rule) = &args.rule {
            let of = (args.area.clone(), args.on);
            // Behind the last of them the rest of the area would be read for nothing.
            let hits = at(&told, "rules/0/hits").as_u64().unwrap_or_default();
            let limit = args.limit.min(usize::try_from(hits).unwrap_or(usize::MAX));
            let found = findings(&context, of, rule, limit, lang).await;
            print_findings(&told, found.map_err(of_area)?, lang)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

const POINTS: [Column; 4] = [
    ("on", "日期", "day"),
    ("rows", "记录", "rows"),
    ("clean", "无问题", "clean"),
    ("score", "合格率", "share"),
];
const DUTIES: [Column; 4] = [
    ("cadre", "工号", "cadre"),
    ("name", "姓名", "name"),
    ("households", "户", "households"),
    ("findings", "问题", "findings"),
];
const BELOW: [Column; 5] = [
    ("area", "区划代码", "area"),
    ("name", "名称", "name"),
    ("rows", "记录", "rows"),
    ("clean", "无问题", "clean"),
    ("score", "合格率", "share"),
];
const FINDINGS: [Column; 8] = [
    ("sheet", "表", "sheet"),
    ("column", "列", "column"),
    ("area", "区划代码", "area"),
    ("household_no", "户编号", "household"),
    ("person", "人员编号", "person"),
    ("name", "姓名", "name"),
    ("year", "年度", "year"),
    ("cadres", "帮扶责任人", "cadres"),
];

/// What the records of an area come to: rules that are broken first, and the areas directly below.
fn print(told: &Json, is_one: bool, lang: Lang) -> Result<(), Failure> {
    let of = |place| cell(at(told, place));
    let (area, name, on, rows, clean) = (of("area"), of("name"), of("on"), of("rows"), of("clean"));
    let score = percent(at(told, "score"));
    line(match lang {
        Lang::Zh => format!("{area} {name}  {on}\n记录 {rows} 条，无问题 {clean} 条（{score}）"),
        Lang::En => format!("{area} {name}  {on}\n{rows} rows, {clean} of them clean ({score})"),
    })?;
    let mut table = vec![
        match lang {
            Lang::Zh => ["规则", "级别", "次数", "问题"],
            Lang::En => ["rule", "level", "hits", "what it says"],
        }
        .map(str::to_owned)
        .to_vec(),
    ];
    for rule in at(told, "rules").as_array().map(Vec::as_slice).unwrap_or_default() {
        let level = level_in_words(&cell(at(rule, "level")), lang).to_owned();
        let hits = match at(rule, "is_active").as_bool() {
            Some(true) => cell(at(rule, "hits")),
            _ => NONE.to_owned(),
        };
        table.push(vec![cell(at(rule, "rule")), level, hits, cell(at(rule, "says"))]);
    }
    let has_idle = table.iter().any(|row| row.get(2).is_some_and(|hits| hits == NONE));
    print_rows(table)?;
    if has_idle {
        line(lang.pick("（“-”：当日不生效的规则）", "(\"-\": a rule without effect on the day)"))?;
    }
    let below = at(told, "children");
    if !is_one && below.as_array().is_some_and(|below| !below.is_empty()) {
        line("")?;
        print_table(below, &BELOW, lang)?;
    }
    Ok(())
}

/// The records that break one rule, and how many more there are.
fn print_findings(told: &Json, found: Vec<FindingView>, lang: Lang) -> Result<(), Failure> {
    let listed = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let mut found = object(&found)?;
    for row in found.as_array_mut().into_iter().flatten() {
        if let Some(Json::String(name)) = row.get_mut("sheet") {
            *name = Sheet::called_by(name, lang).to_owned();
        }
    }
    if listed > 0 {
        line("")?;
        print_table(&found, &FINDINGS, lang)?;
    }
    let all = at(told, "rules/0/hits").as_i64().unwrap_or_default();
    let more = all.saturating_sub(listed);
    if more > 0 {
        line(match lang {
            Lang::Zh => format!("… 另有 {more} 条；用 --limit {all} 可列出全部"),
            Lang::En => format!("… {more} more; --limit {all} lists them all"),
        })?;
    }
    Ok(())
}
