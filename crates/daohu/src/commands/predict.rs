//! `daohu predict`: how likely households are to stand above the line next year, and how good such predictions were.

use std::{io::Write, path::Path, process::ExitCode};

use daohu_app::{
    Context, Error, Lang,
    monitoring::predict::{
        Asked, Explained, Predicted, Report, Silence, Tested, ToldCohort, ToldGain, ToldMethod,
        TooLittle, backtest, explain, run as ask,
    },
};
use daohu_base::{Fen, Scope};
use daohu_policy::Prospect;

use super::Done;
use crate::{
    cli::PredictArgs,
    open::{Wanted, open},
    output::{FINDING, Failure, NONE, json, line},
    tables::print_rows,
    traces::is_there,
};

pub(crate) async fn run(args: PredictArgs, lang: Lang) -> Done {
    for file in [&args.out, &args.card].into_iter().flatten() {
        if is_there(file) && !args.force {
            let file = file.display();
            return Err(Failure::refusal(
                format!("{file} 已经存在；请换一个文件，或用 --force 覆盖"),
                format!("{file} is there already: choose another file, or replace it with --force"),
            ));
        }
    }
    let context = open(&args.db, Wanted::Existing).await?;
    let prospect = if args.relapse { Prospect::BelowAgain } else { Prospect::AboveLine };
    let asked = Asked { area: args.area.clone(), year: args.year, prospect, lang };
    if args.backtest {
        return test(&context, &args, asked, lang).await;
    }
    let failed = |error| match error {
        Error::NotFound("household") => {
            let no = args.household.as_deref().unwrap_or_default();
            Failure::refusal(
                format!("这个区划里没有这一户：{no}"),
                format!("no such household in the area: {no}"),
            )
        }
        Error::Ambiguous(choices) => {
            let choices = choices.join(" ");
            Failure::refusal(
                format!("几个县都有，请选一个：{choices}"),
                format!("several counties have it, choose one: {choices}"),
            )
        }
        Error::File(error) => {
            Failure::unwritable(args.out.as_deref().unwrap_or("-".as_ref()), &error)
        }
        other => Failure::of_area(&args.area, other),
    };
    if let Some(household) = args.household.clone() {
        let said = explain(&context, &Scope::all(), asked, household).await.map_err(failed)?;
        let told = said.map_err(silent)?;
        if args.json {
            json(&told)?
        } else {
            print_household(&told, lang)?
        }
        return Ok(ExitCode::SUCCESS);
    }
    let said = ask(&context, &Scope::all(), asked, args.out.clone()).await.map_err(failed)?;
    let told = said.map_err(silent)?;
    if args.json {
        json(&told)?
    } else {
        print(&told, lang)?
    }
    Ok(ExitCode::SUCCESS)
}

/// Why nothing is predicted.
fn silent(why: Silence) -> Failure {
    match why {
        Silence::TooLittle(why) => Failure::refusal(in_chinese(&why), why.to_string()),
        Silence::NotAsked => Failure::refusal(
            "这一户该年末未在被预测之列：尚未建档立卡、已无人口，或（问返贫时）尚未脱贫",
            "the household cannot be asked about at the end of that year: it was not registered yet, nobody lived there, or (for \
             relapse) it had not exited",
        ),
    }
}

fn in_chinese(why: &TooLittle) -> String {
    match why {
        TooLittle::NoYears => "数据太少：没有更早的、结果已知的年份".to_owned(),
        TooLittle::Rows { yes, no, need } => {
            format!("数据太少：处于该状态的 {yes} 户、不处于的 {no} 户，各须至少 {need} 户")
        }
        TooLittle::Unsettled => "数据太少：学习没有收敛".to_owned(),
    }
}

async fn test(context: &Context, args: &PredictArgs, asked: Asked, lang: Lang) -> Done {
    let told = backtest(context, &Scope::all(), asked, args.note.clone()).await;
    let told = told.map_err(|error| Failure::of_area(&args.area, error))?;
    if let Some(card) = &args.card {
        write(card, &told.card).map_err(|error| Failure::unwritable(card, &error))?;
    }
    if args.json {
        json(&told)?
    } else {
        print_test(&told, lang)?
    }
    // Where no year can be judged, nothing is known of how good predictions are: that is a finding.
    let is_judged = told.cohorts.iter().any(|own| own.scores.is_some());
    Ok(if is_judged { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

/// Whole or not at all.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn percent(share: f64) -> String {
    format!("{:.1}%", 100.0 * share)
}

fn print(told: &Report, lang: Lang) -> Result<(), Failure> {
    let [zh, en] = &told.meaning;
    line(format_args!("{}  {} → {}", told.area, told.year, told.predicted_year))?;
    line(lang.pick(zh, en))?;
    let calibrated = told.calibrated_on.map_or_else(
        || lang.pick("未校准", "not calibrated").to_owned(),
        |year| format!("{} {year}", lang.pick("校准于", "calibrated on")),
    );
    let Report { trained_on, rows_trained, households, asked, .. } = told;
    line(match lang {
        Lang::Zh => format!(
            "{households} 户，其中年末可问 {asked} 户；学自 {trained_on:?}（{rows_trained} 户年），{calibrated}"
        ),
        Lang::En => format!(
            "{households} households, {asked} of which can be asked about; learned of {trained_on:?} ({rows_trained} rows), {calibrated}"
        ),
    })?;
    let at = told.alarm_at;
    let mut rows = vec![vec![
        lang.pick("乡镇", "township").to_owned(),
        lang.pick("户数", "households").to_owned(),
        lang.pick("预期占比", "expected").to_owned(),
        match lang {
            Lang::Zh => format!("概率 ≥ {at}"),
            Lang::En => format!("probability >= {at}"),
        },
    ]];
    rows.extend(told.townships.iter().map(|own| {
        let counts = [own.asked.to_string(), percent(own.expected_share)];
        let [asked, share] = counts;
        vec![own.township.clone(), asked, share, own.at_or_above.to_string()]
    }));
    let share = told.expected_share.map_or_else(|| NONE.to_owned(), percent);
    let all = lang.pick("合计", "together").to_owned();
    rows.push(vec![all, asked.to_string(), share, told.at_or_above.to_string()]);
    print_rows(rows)?;
    advice(lang)
}

fn advice(lang: Lang) -> Result<(), Failure> {
    line(lang.pick(
        "只作参考，不作决定；准不准，看 --backtest。",
        "It advises and never decides; how good it is, --backtest tells.",
    ))
}

fn print_household(told: &Explained, lang: Lang) -> Result<(), Failure> {
    let own: &Predicted = &told.predicted;
    let [zh, en] = &told.meaning;
    line(format_args!("{}  {}  {}", own.household_no, own.township, own.predicted_year))?;
    line(lang.pick(zh, en))?;
    let average = percent(told.average);
    line(format_args!(
        "{} {}{}{average}{}",
        lang.pick("概率", "probability"),
        percent(own.probability),
        lang.pick("（平均户 ", " (the average household "),
        lang.pick("）", ")"),
    ))?;
    if let Some(income) = own.expected_income_fen {
        let bounds = own.expected_income_low_fen.zip(own.expected_income_high_fen);
        let bounds = bounds
            .map_or_else(String::new, |(low, high)| format!(" [{}, {}]", Fen(low), Fen(high)));
        let title = lang.pick("预期人均纯收入（元）", "expected net income a head (yuan)");
        line(format_args!("{title} {}{bounds}", Fen(income)))?;
    }
    for own in &told.contributions {
        line(format_args!("  {} ({:+.3})", own.words, own.log_odds))?;
    }
    advice(lang)
}

/// A figure, and the interval that it is known to lie in.
fn interval(own: &[f64; 3]) -> String {
    let [value, low, high] = own;
    format!("{value:.3} [{low:.3}, {high:.3}]")
}

fn print_test(told: &Tested, lang: Lang) -> Result<(), Failure> {
    let [zh, en] = &told.meaning;
    let Tested { area, year, households, .. } = told;
    line(format_args!("{area}  – {year}  {households} {}", lang.pick("户", "households")))?;
    line(lang.pick(zh, en))?;
    let titles = [
        lang.pick("年度", "year"),
        lang.pick("户数", "rows"),
        lang.pick("实际", "observed"),
        lang.pick("方法", "method"),
        "AUC",
        "Brier",
        lang.pick("校准斜率", "slope"),
        lang.pick("模型比它", "model is"),
    ];
    let mut rows = vec![titles.map(str::to_owned).to_vec()];
    told.cohorts.iter().for_each(|own| rows.extend(cohort(own, lang)));
    print_rows(rows)?;
    advice(lang)
}

/// The lines of a year: the model and both baselines, or why there is nothing to tell.
fn cohort(own: &ToldCohort, lang: Lang) -> Vec<Vec<String>> {
    let head = [own.year.to_string(), own.rows.to_string()];
    let Some(scores) = &own.scores else {
        let why = own.too_little.clone().unwrap_or_default();
        let why = format!("{}{why}", lang.pick("数据太少：", ""));
        return vec![[head.as_slice(), &[NONE.to_owned(), why]].concat()];
    };
    let observed = percent(scores.observed);
    let name = |method: &ToldMethod| match (method.method, scores.calibrated_on) {
        ("model", Some(_)) => lang.pick("模型", "model"),
        ("model", None) => lang.pick("模型（未校准）", "model (not calibrated)"),
        ("last_state", _) => lang.pick("去年状态", "last year's state"),
        _ => lang.pick("仅看收入", "income alone"),
    };
    let gain = |method: &ToldMethod| {
        let gain = scores.gains.iter().find(|gain| gain.over == method.method);
        gain.map_or_else(String::new, |gain| verdicts(gain, lang))
    };
    let row = |method: &ToldMethod| {
        let slope = method.slope.as_ref().map_or_else(|| NONE.to_owned(), interval);
        let figures = [interval(&method.auc), interval(&method.brier), slope, gain(method)];
        let head = [head.as_slice(), &[observed.clone(), name(method).to_owned()]].concat();
        [head, figures.to_vec()].concat()
    };
    scores.methods.iter().map(row).collect()
}

/// Whether the model is better than a baseline, by AUC and by Brier score.
fn verdicts(gain: &ToldGain, lang: Lang) -> String {
    let verdict = |what: &str, (word, [value, ..]): &(&str, [f64; 3])| {
        let word = match *word {
            "better" => lang.pick("优", "better"),
            "worse" => lang.pick("劣", "worse"),
            _ => lang.pick("难分", "undecided"),
        };
        format!("{what} {word} {value:+.4}")
    };
    let [auc, brier] = [verdict("AUC", &gain.auc), verdict("Brier", &gain.brier)];
    format!("{auc}{}{brier}", lang.pick("，", ", "))
}
