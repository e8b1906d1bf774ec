//! `daohu monitor`: what the guarantees say of households.

use std::{path::Path, process::ExitCode, sync::Arc, time::Instant};

use daohu_app::{
    Context, Error, Lang,
    households::Named,
    monitoring::{self, Asked, Judgement, Summary, Transfer, WhatIf, WhatIfReport, run as ask},
};
use daohu_base::{Fen, Scope};
use serde::Serialize;

use super::{Done, policy::over_published, prove, trajectory, warn};
use crate::{
    cli::{DbArgs, MonitorCommand, MonitorExplainArgs, MonitorRunArgs, WhatIfArgs},
    open::{Wanted, open},
    output::{Failure, json, line, peak_rss_bytes},
    tables::print_rows,
};

/// What programs are told.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    told: Summary,
    seconds: f64,
    peak_rss_bytes: u64,
}

pub(crate) async fn run(command: MonitorCommand, lang: Lang) -> Done {
    match command {
        MonitorCommand::Run(args) => ask_all(args, lang).await,
        MonitorCommand::Warn(args) => warn::run(args, lang).await,
        MonitorCommand::Prove(args) => prove::run(args, lang).await,
        MonitorCommand::Trajectory(args) => trajectory::run(args, lang).await,
        MonitorCommand::Explain(args) => explain(args, lang).await,
        MonitorCommand::Whatif(args) => whatif(args, lang).await,
    }
}

/// What stands in the database, under its packs and those of a folder before them.
pub(super) async fn under(db: &DbArgs, pack: Option<&Path>) -> Result<Context, Failure> {
    let context = open(db, Wanted::Existing).await?;
    let Some(folder) = pack else { return Ok(context) };
    let policy = over_published(&context, folder).await?;
    Ok(Context { policy: Arc::new(policy), ..context })
}

async fn ask_all(args: MonitorRunArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let context = under(&args.db, args.pack.as_deref()).await?;
    let (area, out) = (args.area.clone(), args.out.clone());
    let asked = Asked { area, on: args.on, out, repeat: args.repeat };
    let told = ask(&context, &Scope::all(), asked).await.map_err(|error| match error {
        Error::Policy(bad) => Failure::of_pack(&bad),
        Error::File(error) => {
            Failure::unwritable(args.out.as_deref().unwrap_or("-".as_ref()), &error)
        }
        other => Failure::of_area(&args.area, other),
    })?;
    if args.json {
        let seconds = started.elapsed().as_secs_f64();
        json(&Report { told, seconds, peak_rss_bytes: peak_rss_bytes() })?;
    } else {
        print(&told, lang)?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn explain(args: MonitorExplainArgs, lang: Lang) -> Done {
    let context = under(&args.db, args.pack.as_deref()).await?;
    let asked = (Named::No(args.household.clone()), args.on);
    let told = monitoring::explain(&context, Scope::all(), asked, args.as_of).await;
    let told = told.map_err(|error| match error {
        Error::Policy(bad) => Failure::of_pack(&bad),
        other => Failure::of_household(&args.household, other),
    })?;
    if args.json {
        json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    line(format_args!("{}  {}  {}", told.no, told.on, state(told.overall, lang)))?;
    for own in &told.guarantees {
        print_judgement(own, lang)?;
    }
    let others = [
        (lang.pick("属于", "is of these classes"), &told.classes),
        (lang.pick("预警", "to be looked after"), &told.warnings),
    ];
    for (title, all) in others.into_iter().filter(|(_, all)| !all.is_empty()) {
        line(format_args!("\n{title}"))?;
        all.iter().try_for_each(|own| print_judgement(own, lang))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn state(overall: &str, lang: Lang) -> &str {
    match (overall, lang) {
        ("达标", Lang::En) => "met",
        ("未达标", Lang::En) => "unmet",
        ("待核实", Lang::En) => "unknown",
        (zh, _) => zh,
    }
}

fn print_judgement(own: &Judgement, lang: Lang) -> Result<(), Failure> {
    let title = lang.pick(own.title.as_str(), own.title_en.as_str());
    let outcome = monitoring::in_words(own.outcome, lang);
    line(format_args!("  {title}  {outcome}"))?;
    for because in &own.because {
        line(format_args!("    {}", lang.pick(because.words.as_str(), because.words_en.as_str())))?;
        for looked in &because.facts {
            let unknown = lang.pick("不明", "not known");
            let value = looked.value.as_deref().unwrap_or(unknown);
            let of = looked.name.as_ref().map_or_else(String::new, |name| format!("{name} "));
            let field = lang.pick(looked.title.as_str(), looked.field.as_str());
            let from = looked.source.as_ref().map_or_else(String::new, |source| {
                format!("  （{} {} {}）", source.day(), source.actor(), source.source())
            });
            line(format_args!("      {of}{field}{}{value}{from}", lang.pick("：", ": ")))?;
        }
    }
    Ok(())
}

async fn whatif(args: WhatIfArgs, lang: Lang) -> Done {
    let context = open(&args.db, Wanted::Existing).await?;
    let pack = args.pack.as_deref().map(super::policy::read).transpose()?;
    let transfer = args.transfer.map(|per_head| Transfer { per_head, class: args.to.clone() });
    let (area, set, by) = (args.area.clone(), args.set, args.by);
    let asked = WhatIf { area, on: args.on, set, transfer, pack, by };
    let told = monitoring::whatif(&context, &Scope::all(), asked).await;
    let told = told.map_err(|error| match error {
        Error::Policy(bad) => Failure::of_pack(&bad),
        Error::NotFound("class") => {
            let class = args.to.clone().unwrap_or_default();
            Failure::usage(format!("没有这一类户：{class}"), format!("there is no class {class}"))
        }
        other => Failure::of_area(&args.area, other),
    })?;
    let told = told.map_err(|found| Failure::of_packs(&found))?;
    if args.json {
        json(&told)?;
        return Ok(ExitCode::SUCCESS);
    }
    print_changes(&told, lang)?;
    Ok(ExitCode::SUCCESS)
}

fn print_changes(told: &WhatIfReport, lang: Lang) -> Result<(), Failure> {
    let head = [
        lang.pick("地区", "area"),
        lang.pick("未达标户", "unmet"),
        lang.pick("变为", "would be"),
        lang.pick("转入", "fall in"),
        lang.pick("转出", "fall out"),
        lang.pick("低于标准人口", "persons below the line"),
        lang.pick("变为", "would be"),
        lang.pick("缺口（元）", "gap (yuan)"),
        lang.pick("变为", "would be"),
        lang.pick("转移支付（元）", "transfer (yuan)"),
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(std::iter::once(&told.whole).chain(&told.parts).map(|own| {
        let name = own.name.clone().unwrap_or_default();
        vec![
            format!("{} {name}", own.code),
            own.before.unmet.to_string(),
            own.after.unmet.to_string(),
            own.r#in.households.to_string(),
            own.out.households.to_string(),
            own.poor_before.persons.to_string(),
            own.poor_after.persons.to_string(),
            Fen(own.gap_before_fen).to_string(),
            Fen(own.gap_after_fen).to_string(),
            Fen(own.cost_fen).to_string(),
        ]
    }));
    print_rows(rows)
}

fn print(told: &Summary, lang: Lang) -> Result<(), Failure> {
    let Summary { area, on, households, .. } = told;
    line(format_args!("{area}  {on}  {} {households}", lang.pick("户", "households")))?;
    let head = [
        lang.pick("项目", "guarantee"),
        lang.pick("达标", "met"),
        lang.pick("未达标", "unmet"),
        lang.pick("待核实", "unknown"),
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    let counts = |name: &str, counts: [usize; 3]| {
        std::iter::once(name.to_owned()).chain(counts.map(|count| count.to_string())).collect()
    };
    rows.extend(told.rules.iter().map(|rule| {
        let title = lang.pick(rule.title.as_str(), rule.title_en.as_str());
        counts(title, [rule.met, rule.unmet, rule.unknown])
    }));
    let all = &told.overall;
    rows.push(counts(lang.pick("总体", "all together"), [all.met, all.unmet, all.unknown]));
    print_rows(rows)
}
