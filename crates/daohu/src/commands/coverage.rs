//! `daohu coverage`: who answers for an area.

use std::process::ExitCode;

use daohu_app::{Lang, registers::coverage};
use daohu_policy::Policy;
use serde_json::Value as Json;

use super::Done;
use crate::{
    cli::CoverageArgs,
    open::{Wanted, open},
    output::{Failure, json, line},
    tables::{Column, at, cell, object, print_rows, print_table},
};

pub(crate) async fn run(args: CoverageArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let told = coverage(&context, args.area.clone(), args.on).await;
    let told = told.map_err(|error| Failure::of_area(&args.area, error))?;
    if args.json {
        json(&told)?;
    } else {
        print(&object(&told)?, &context.policy, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What is told of the areas directly below.
const BELOW: [Column; 8] = [
    ("code", "区划代码", "area"),
    ("name", "名称", "name"),
    ("households", "户", "households"),
    ("households_answered", "有帮扶责任人", "answered"),
    ("households_unanswered", "无帮扶责任人", "unanswered"),
    ("villages/total", "村", "villages"),
    ("villages/poor", "贫困村", "poor villages"),
    ("villages_complete", "岗位齐全的贫困村", "with all roles"),
];
const PAIRED: [Column; 4] = [
    ("total", "总数", "total"),
    ("paired", "有结对", "paired"),
    ("poor", "贫困", "poor"),
    ("poor_paired", "贫困且有结对", "poor and paired"),
];

fn print(told: &Json, policy: &Policy, lang: Lang) -> Result<(), Failure> {
    let area = at(told, "area");
    let pick = |zh: &'static str, en: &'static str| lang.pick(zh, en).to_owned();
    line(format_args!(
        "{} {}  {}",
        cell(at(area, "code")),
        cell(at(area, "name")),
        cell(at(told, "on"))
    ))?;
    let count = |zh, en, place: &str| vec![pick(zh, en), cell(at(told, place))];
    print_rows(vec![
        vec![String::new(), pick("数量", "count")],
        count("户", "households", "area/households"),
        count("  有帮扶责任人", "  that a cadre answers for", "area/households_answered"),
        count("  无帮扶责任人", "  that nobody answers for", "area/households_unanswered"),
        count("帮扶干部", "cadres who answer for households", "cadres/helping"),
        count("  人均户数", "  households for each", "cadres/households_per_cadre"),
        count("  一人最多户数", "  households of one at most", "cadres/households_max"),
        count("  规定一人最多", "  allowed at most", "cadres/limit"),
        count("  超过规定的干部", "  cadres with more", "cadres/over_limit"),
        count("工作队", "teams", "teams/teams"),
        count("  队员", "  members", "teams/members"),
    ])?;
    let heads = PAIRED.iter().map(|(_, zh, en)| pick(zh, en));
    let mut rows: Vec<Vec<String>> = vec![std::iter::once(String::new()).chain(heads).collect()];
    for (place, zh, en) in [
        ("counties", "县", "counties"),
        ("townships", "乡镇", "townships"),
        ("villages", "村", "villages"),
    ] {
        let counts = PAIRED.iter().map(|(count, ..)| cell(at(area, &format!("{place}/{count}"))));
        rows.push(std::iter::once(pick(zh, en)).chain(counts).collect());
    }
    line("")?;
    print_rows(rows)?;
    line("")?;
    let title = lang.pick("title", "title_en");
    let role: [Column; 3] = [
        (title, "贫困村必须有的岗位", "role of a poor village"),
        ("villages", "有", "have it"),
        ("missing", "缺", "lack it"),
    ];
    print_table(at(area, "village_roles"), &role, lang)?;
    for (place, list, zh, en) in [
        ("organisations_by_level", "单位级别", "帮扶单位级别", "level of organisations that help"),
        ("cadres_by_role", "干部角色", "干部角色", "role of cadres"),
    ] {
        line("")?;
        let mut rows = vec![vec![pick(zh, en), pick("数量", "count")]];
        for number in at(told, place).as_array().map(Vec::as_slice).unwrap_or_default() {
            let code = at(number, "code").as_str();
            let named = code.and_then(|code| policy.list(list)?.name_of(code.parse().ok()?));
            let name = named.or(code).unwrap_or(lang.pick("未填", "not known")).to_owned();
            rows.push(vec![name, cell(at(number, "count"))]);
        }
        print_rows(rows)?;
    }
    let below = at(told, "children");
    if below.as_array().is_some_and(|below| !below.is_empty()) {
        line("")?;
        print_table(below, &BELOW, lang)?;
    }
    Ok(())
}
