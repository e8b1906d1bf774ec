//! `daohu monitor`: what the guarantees say of households.

use std::{process::ExitCode, sync::Arc, time::Instant};

use daohu_app::{
    Context, Error, Lang,
    monitoring::{Asked, Summary, run as ask},
};
use daohu_base::Scope;
use serde::Serialize;

use super::{Done, policy::over_published};
use crate::{
    cli::MonitorRunArgs,
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

pub(crate) async fn run(args: MonitorRunArgs, lang: Lang) -> Done {
    let started = Instant::now();
    let mut context = open(&args.db, Wanted::Existing).await?;
    if let Some(folder) = &args.pack {
        let policy = over_published(&context, folder).await?;
        context = Context { policy: Arc::new(policy), ..context };
    }
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
