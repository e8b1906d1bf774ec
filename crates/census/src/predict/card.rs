//! The model card: what a model was made of, how good it would have been, and how it may be used.
//!
//! Chinese first, English beneath. Every figure is one of the backtest; nothing is left out because it is bad.

use std::fmt::Write as _;

use super::{
    Backtest, Cohort, Estimate, Figures, Gain, Gains, Kind, LEARNER, Scores, Settings, Shape,
};

/// What a card says besides figures; a text in Chinese, and the same in English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// What is predicted.
    pub title: [String; 2],
    /// Of which households, of which years, from where.
    pub data: [String; 2],
    /// What else a reader must know.
    pub limits: [String; 2],
    /// How a household learns its reasons and objects.
    pub contest: [String; 2],
}

/// The card as Markdown.
pub fn model_card(
    about: &About,
    shape: &Shape,
    backtest: &Backtest,
    settings: &Settings,
) -> String {
    let mut card = format!("# {}\n\n{}\n", about.title[0], about.title[1]);
    let judged: Vec<(&Cohort, &Scores)> = backtest
        .cohorts
        .iter()
        .filter_map(|cohort| Some((cohort, cohort.scores.as_ref().ok()?)))
        .collect();
    part(&mut card, "怎样使用 · Use", &USE.map(str::to_owned));
    part(&mut card, "数据 · Data", &about.data);
    features(&mut card, shape);
    part(&mut card, "学习方法 · Learner", &learner(settings));
    part(&mut card, "成绩 · Figures", &summary(&judged, settings));
    scores(&mut card, backtest);
    gains(&mut card, &judged);
    reliability(&mut card, &judged);
    incomes(&mut card, &judged);
    groups(&mut card, shape, &judged, settings);
    part(&mut card, "局限 · Limits", &LIMITS.map(str::to_owned));
    part(&mut card, "", &about.limits);
    part(&mut card, "申诉 · How to object", &about.contest);
    card
}

const USE: [&str; 2] = [
    "本预测只作参考，不作决定：识别、退出、帮扶与监测均由人按规定程序决定。每户的概率须连同理由一并展示。",
    "It advises and never decides: people identify, release, help and watch households, by the procedures that the rules lay down. \
     A household's probability is shown with its reasons or not at all.",
];

const LIMITS: [&str; 2] = [
    "概率由往年推得，政策、价格或登记办法一变即可能失准；理由说明的是模型，不是因果；登记有误，预测亦误。未写明优于基准之处，不得称其更好。",
    "Probabilities follow from past years: new policies, prices or ways of registering may undo them. Reasons tell of the model, not of causes; \
     where records are wrong, so is the prediction. Where it is not said to be better than a baseline, nobody may call it so.",
];

/// A heading, if there is one, with a text in both languages.
fn part(card: &mut String, heading: &str, texts: &[String; 2]) {
    if !heading.is_empty() {
        line(card, &format!("\n## {heading}"));
    }
    for text in texts.iter().filter(|text| !text.is_empty()) {
        line(card, &format!("\n{text}"));
    }
}

fn line(card: &mut String, text: &str) {
    card.push_str(text);
    card.push('\n');
}

/// The header of a table.
fn header(card: &mut String, heading: &str, columns: &[&str]) {
    line(card, &format!("\n### {heading}\n\n| {} |", columns.join(" | ")));
    line(card, &format!("|{}", "---|".repeat(columns.len())));
}

fn features(card: &mut String, shape: &Shape) {
    header(card, "特征 · Features", &["特征 · Feature", "名称 · Name", "类型 · Kind"]);
    for feature in &shape.features {
        let kind = match feature.kind {
            Kind::Yuan | Kind::YuanAbove => "元 · yuan",
            Kind::Count => "数 · count",
            Kind::Flag => "是否 · flag",
            Kind::Code(_) => "代码 · code",
        };
        let titles = (&feature.title, &feature.title_en);
        line(card, &format!("| {} · {} | `{}` | {kind} |", titles.0, titles.1, feature.id));
    }
}

fn learner(settings: &Settings) -> [String; 2] {
    let Settings { penalties, rows_max, seed, outcome_rows_min, .. } = settings;
    [
        format!(
            "{LEARNER}：带惩罚（从 {penalties:?} 中由留作校准的一年选定）的逻辑回归，每个特征一条折线，“未知”自成一项；收入用岭回归，水平以留作校准的一年为准，此后的普遍增长不计。最多用 {rows_max} 行训练（种子 {seed}）。\
             预测某年只用更早的年份：最后一年留作校准，其余用于训练。两种结果各须至少 {outcome_rows_min} 户，否则只写“数据太少”。"
        ),
        format!(
            "{LEARNER}: logistic regression with a penalty (of {penalties:?}, chosen by the year that calibrates), a piecewise linear curve for each feature, “not known” as a term of its own; \
             incomes by ridge regression, at the level of the year that calibrates: what all incomes rose by since then is not in it. Trained on {rows_max} rows at most (seed {seed}). Each year is predicted from earlier ones alone: the last of them calibrates, \
             the others train. Of each outcome {outcome_rows_min} households are needed, otherwise it says “too little data”."
        ),
    ]
}

/// In how many years the model is better, undecided, worse.
fn summary(judged: &[(&Cohort, &Scores)], settings: &Settings) -> [String; 2] {
    let count = |of: &dyn Fn(&Scores) -> Gain| {
        let mut counts = [0, 0, 0];
        for (_, scores) in judged {
            match of(scores) {
                Gain::Better(_) => counts[0] += 1,
                Gain::Undecided(_) => counts[1] += 1,
                Gain::Worse(_) => counts[2] += 1,
            }
        }
        counts
    };
    let counts = [
        count(&|scores| scores.over_last_state.auc),
        count(&|scores| scores.over_last_state.brier),
        count(&|scores| scores.over_income_alone.auc),
        count(&|scores| scores.over_income_alone.brier),
    ];
    let errors = settings.standard_errors;
    let [last_auc, last_brier, income_auc, income_brier] =
        counts.map(|[better, even, worse]| format!("{better} / {even} / {worse}"));
    [
        format!(
            "共 {} 个年份可评，区间为 ±{errors} 个标准误。优 / 难分 / 劣的年份数——比“去年状态”：AUC {last_auc}，Brier {last_brier}；比“仅看收入”：AUC {income_auc}，Brier {income_brier}。",
            judged.len()
        ),
        format!(
            "{} years could be judged; intervals are ±{errors} standard errors. Years in which it is better / undecided / worse than last year's state: AUC {last_auc}, Brier {last_brier}; \
             than income alone: AUC {income_auc}, Brier {income_brier}.",
            judged.len()
        ),
    ]
}

fn scores(card: &mut String, backtest: &Backtest) {
    let columns = [
        "年度 · Year",
        "户数 · Rows",
        "实际 · Observed",
        "方法 · Method",
        "预测均值 · Predicted",
        "AUC",
        "Brier",
        "对数损失 · Log loss",
        "校准斜率 · Slope",
        "校准截距 · Intercept",
    ];
    header(card, "各年成绩 · By year", &columns);
    for cohort in &backtest.cohorts {
        let Cohort { year, rows, .. } = cohort;
        match &cohort.scores {
            Err(reason) => line(
                card,
                &format!("| {year} | {rows} | — | 数据太少 · {reason} | — | — | — | — | — | — |"),
            ),
            Ok(scores) => {
                let mut row = |method: &str, own: &Figures| {
                    let head = format!("{year} | {rows} | {:.3} | {method}", scores.observed);
                    line(card, &format!("| {head} | {} |", cells(own)));
                };
                let penalty = scores.penalty;
                let model = match scores.calibrated_on {
                    Some(_) => format!("模型（惩罚 {penalty}） · model (penalty {penalty})"),
                    None => "模型（未校准） · model (not calibrated)".to_owned(),
                };
                row(&model, &scores.model);
                row("去年状态 · last year's state", &scores.last_state);
                row("仅看收入 · income alone", &scores.income_alone);
            }
        }
    }
}

fn cells(own: &Figures) -> String {
    let optional = |figure: &Option<Estimate>| figure.as_ref().map_or("—".to_owned(), three);
    let cells = [
        format!("{:.3}", own.predicted),
        three(&own.auc),
        three(&own.brier),
        three(&own.log_loss),
        optional(&own.slope),
        optional(&own.intercept),
    ];
    cells.join(" | ")
}

/// A figure with three decimals, and its interval.
fn three(own: &Estimate) -> String {
    format!("{:.3} [{:.3}, {:.3}]", own.value, own.low, own.high)
}

fn gains(card: &mut String, judged: &[(&Cohort, &Scores)]) {
    let columns = ["年度 · Year", "基准 · Baseline", "AUC", "Brier", "对数损失 · Log loss"];
    header(card, "胜过基准多少（正为优） · Gain over the baselines (positive is better)", &columns);
    for (cohort, scores) in judged {
        let mut row = |baseline: &str, own: &Gains| {
            let cells = [own.auc, own.brier, own.log_loss].map(|own| verdict(&own)).join(" | ");
            line(card, &format!("| {} | {baseline} | {cells} |", cohort.year));
        };
        row("去年状态 · last year's state", &scores.over_last_state);
        row("仅看收入 · income alone", &scores.over_income_alone);
    }
}

fn verdict(gain: &Gain) -> String {
    let word = match gain {
        Gain::Better(_) => "优 · better",
        Gain::Worse(_) => "劣 · worse",
        Gain::Undecided(_) => "难分 · undecided",
    };
    format!("{word} {}", three(&gain.difference()))
}

fn reliability(card: &mut String, judged: &[(&Cohort, &Scores)]) {
    let columns = ["年度 · Year", "户数 · Rows", "预测 · Predicted", "实际 · Observed"];
    header(card, "可靠性 · Reliability", &columns);
    for (cohort, scores) in judged {
        for own in &scores.reliability {
            let observed = three(&own.observed);
            line(
                card,
                &format!("| {} | {} | {:.3} | {observed} |", cohort.year, own.rows, own.predicted),
            );
        }
    }
}

fn incomes(card: &mut String, judged: &[(&Cohort, &Scores)]) {
    let columns = [
        "年度 · Year",
        "户数 · Rows",
        "平均误差（元） · Mean error (yuan)",
        "去年收入的误差 · Of last year's income",
        "胜过 · Gain",
        "偏高 · Excess",
        "落在区间内 · Within bounds",
    ];
    header(card, "预期收入 · Expected income", &columns);
    for (cohort, scores) in judged {
        let Some(own) = &scores.income else { continue };
        let whole = |own: &Estimate| format!("{:.0} [{:.0}, {:.0}]", own.value, own.low, own.high);
        let gain = match own.gain {
            Gain::Better(_) => "优 · better",
            Gain::Worse(_) => "劣 · worse",
            Gain::Undecided(_) => "难分 · undecided",
        };
        let within = own.within.as_ref().map_or("—".to_owned(), three);
        let cells = [
            cohort.year.to_string(),
            own.rows.to_string(),
            whole(&own.error_yuan),
            whole(&own.error_last_yuan),
            format!("{gain} {}", whole(&own.gain.difference())),
            whole(&own.excess_yuan),
            within,
        ];
        line(card, &format!("| {} |", cells.join(" | ")));
    }
}

fn groups(card: &mut String, shape: &Shape, judged: &[(&Cohort, &Scores)], settings: &Settings) {
    let Some((cohort, scores)) = judged.last() else { return };
    let columns = [
        "组 · Group",
        "户数 · Rows",
        "实际 · Observed",
        "预测 · Predicted",
        "偏高 · Excess",
        "AUC",
        "误报 · False alarms",
        "漏报 · Misses",
    ];
    let optional = |figure: &Option<Estimate>| figure.as_ref().map_or("—".to_owned(), three);
    for own in &scores.groups {
        let Some(dimension) = shape.dimensions.get(own.dimension) else { continue };
        let heading = format!(
            "偏差：{}（{}） · Bias by {}",
            dimension.title, cohort.year, dimension.title_en
        );
        header(card, &heading, &columns);
        for group in &own.shown {
            let cells = [
                group.name.clone(),
                group.rows.to_string(),
                format!("{:.3}", group.observed),
                format!("{:.3}", group.predicted),
                three(&group.excess),
                optional(&group.auc),
                optional(&group.false_alarms),
                optional(&group.misses),
            ];
            line(card, &format!("| {} |", cells.join(" | ")));
        }
        let (hidden, least) = (own.hidden, settings.group_rows_min);
        // Writing to a text cannot fail.
        let _ = writeln!(
            card,
            "\n不足 {least} 户的 {hidden} 组不列出。误报、漏报按概率 {at} 划分。\n\n{hidden} groups of fewer than {least} households are not shown. \
             False alarms and misses are told at a probability of {at}.",
            at = settings.alarm_at
        );
    }
}
