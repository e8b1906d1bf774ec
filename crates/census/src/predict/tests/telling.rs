//! Words and the card.

use super::{PACK, panel, settings, shape, threads, world};
use crate::predict::{
    About, Contribution, LEARNER, Language, Settings, Shape, backtest, model_card,
};

fn words(feature: usize, value: Option<f64>, points: f64) -> [String; 2] {
    let own = Contribution { feature, value, log_odds: 1.0, points };
    [Language::Chinese, Language::English].map(|language| own.words(&shape(), language).unwrap())
}

#[test]
fn contributions_are_told_in_words() {
    let said = |chinese: &str, english: &str| [chinese.to_owned(), english.to_owned()];
    assert_eq!(
        words(0, Some(1200.0), 12.3),
        said(
            "收入比贫困线高 1,200 元：+12 个百分点",
            "income compared with the line: 1,200 yuan above: +12 percentage points"
        )
    );
    assert_eq!(
        words(0, Some(-31_234_567.6), -0.34),
        said(
            "收入比贫困线低 31,234,568 元：−0.3 个百分点",
            "income compared with the line: 31,234,568 yuan below: −0.3 percentage points"
        )
    );
    assert_eq!(words(1, Some(2.0), 0.02)[0], "劳动力 2：±0 个百分点");
    assert_eq!(words(1, Some(2.5), 0.97)[0], "劳动力 2.5：+1 个百分点");
    assert_eq!(words(2, Some(1.0), -7.0)[0], "有大病成员（是）：−7 个百分点");
    assert_eq!(words(2, Some(0.0), 7.0)[1], "a member gravely ill (no): +7 percentage points");
    assert_eq!(words(3, Some(2.0), 3.0)[0], "致贫原因（因学）：+3 个百分点");
    assert_eq!(words(3, Some(9.0), 3.0)[0], "致贫原因（9）：+3 个百分点");
    assert_eq!(
        words(3, None, 3.0),
        said("致贫原因（未知）：+3 个百分点", "cause (not known): +3 percentage points")
    );
    let gone = Contribution { feature: 9, value: None, log_odds: 1.0, points: 1.0 };
    assert_eq!(gone.words(&shape(), Language::Chinese), None);
}

fn about() -> About {
    let both = |chinese: &str, english: &str| [chinese.to_owned(), english.to_owned()];
    About {
        title: both("次年达标预测", "Standing above the line next year"),
        data: both("样本县 2010—2015 年。", "A sample county, 2010 to 2015."),
        limits: both("样本是编造的。", "The sample is made up."),
        contest: both("向村委会提出。", "Tell the village committee."),
    }
}

#[test]
fn the_card_has_all_figures_even_of_years_without_any() {
    let few = Settings { group_rows_min: 200, ..settings() };
    let found = backtest(&panel(&world(900, 21)), &few, threads(2));
    let card = model_card(&about(), &shape(), &found, &few);
    assert_eq!(card, model_card(&about(), &shape(), &found, &few));
    for text in [
        "# 次年达标预测\n\nStanding above the line next year\n",
        "只作参考，不作决定",
        "It advises and never decides",
        LEARNER,
        "| 2010 | 900 | — | 数据太少 · too little data: no earlier year",
        "| 2011 | 900 |",
        "模型（未校准）",
        "去年状态 · last year's state",
        "仅看收入 · income alone",
        "预期收入 · Expected income",
        "偏差：户主性别（2014） · Bias by sex",
        "不足 200 户的 1 组不列出",
        "Tell the village committee.",
        "收入比贫困线 · income compared with the line | `over`",
    ] {
        assert!(card.contains(text), "{text} is not in\n{card}");
    }
    let scores = found.cohorts[4].scores.as_ref().unwrap();
    for own in [&scores.model, &scores.last_state, &scores.income_alone] {
        assert!(
            card.contains(&format!(
                "{:.3} [{:.3}, {:.3}]",
                own.auc.value, own.auc.low, own.auc.high
            ))
        );
    }
    assert!(!card.contains("NaN"), "{card}");
}

#[test]
fn a_card_of_nothing_says_so() {
    let none = backtest(&panel(&[]), &settings(), threads(1));
    let card = model_card(&about(), &Shape { features: Vec::new(), ..shape() }, &none, &settings());
    assert!(card.contains("共 0 个年份可评") && card.contains("0 years could be judged"));
}

#[test]
fn the_card_names_the_library_that_is_built_in() {
    let lock = include_str!("../../../../../Cargo.lock");
    let (name, version) = LEARNER.split_once(' ').unwrap();
    assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}\"\n")));
    assert!(PACK.contains("source = "));
}
