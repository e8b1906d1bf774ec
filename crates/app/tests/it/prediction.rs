//! Predictions of households' next year, on both engines.

use std::{fmt::Write as _, fs, path::Path};

use daohu_app::{
    Error, Lang,
    exchange::import::{ImportOptions, OnError},
    monitoring::predict::{Asked, Explained, Report, Silence, TooLittle, backtest, explain, run},
};
use daohu_base::{AreaCode, Scope};
use daohu_db::Engine;
use daohu_policy::Prospect;

use crate::{exchange::options, harness::TestApp};

const COUNTY: &str = "990102";
const VILLAGES: [&str; 4] = ["990102101200", "990102101201", "990102100200", "990102100201"];
const AREAS: &str = "区划代码,名称,级别
99,测试省,省
9901,测试市,市
990102,测试县,县
990102100,甲镇,乡
990102101,乙镇,乡
990102100200,甲一村,村
990102100201,甲二村,村
990102101200,乙一村,村
990102101201,乙二村,村
";

/// A made-up world: what it tells of the years up to 2014 is always the same.
#[derive(Clone, Copy)]
struct World {
    households: u32,
    /// Everything dated after 2014, and everything that has no date, is otherwise.
    is_other_later: bool,
    /// The incomes of 2014 are otherwise.
    is_other_in_2014: bool,
}

const WORLD: World = World { households: 800, is_other_later: false, is_other_in_2014: false };

/// Chance of a number, from 0 to 1.
fn chance(of: u64) -> f64 {
    let mut mixed = of.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    f64::from(u32::try_from((mixed ^ (mixed >> 31)) >> 32).unwrap()) / 2f64.powi(32)
}

impl World {
    /// Net income a head in whole yuan: a household has a level, and luck.
    fn income(self, household: u32, year: u32) -> u32 {
        let luck = u64::from(household * 10_000 + year);
        let level = 1500.0 + 2500.0 * chance(u64::from(household));
        let later = if self.is_other_later && year > 2014 { 2.5 } else { 1.0 };
        let in_2014 = if self.is_other_in_2014 && year == 2014 { 0.5 } else { 1.0 };
        let income = (level + 2400.0 * (chance(luck) - 0.5)) * later * in_2014;
        format!("{income:.0}").parse().unwrap()
    }

    fn write(self, folder: &Path) -> Vec<std::path::PathBuf> {
        let mut households =
            "户编号,行政村代码,户主姓名,识别年度,脱贫年度,脱贫状态,危房等级,饮水是否安全\n"
                .to_owned();
        let mut persons = "户编号,姓名,证件类型,与户主关系,性别,出生日期,民族,健康状况,劳动技能,变动类型,变动日期\n"
            .to_owned();
        let mut incomes =
            "户编号,年度,家庭人口,工资性收入,转移性收入,合规自付医疗支出\n".to_owned();
        let other = self.is_other_later;
        for own in 0..self.households {
            let no = no(own);
            let exit = (2013..=2016).find(|year| self.income(own, *year) >= 2900);
            // An exit after 2014 is one of another year, and where there was one there is none.
            let exit = exit.filter(|year| *year <= 2014 || !other);
            let exit = exit.map_or_else(String::new, |year| year.to_string());
            let status = if exit.is_empty() { "未脱贫" } else { "已脱贫" };
            let (grade, water) = if other { ("D", "否") } else { ("A", "是") };
            let village = VILLAGES[own as usize % 4];
            writeln!(households, "{no},{village},测{own},2012,{exit},{status},{grade},{water}")
                .unwrap();
            let sex = if own % 3 == 0 { "女" } else { "男" };
            let people = if own % 5 == 0 { "苗族" } else { "汉族" };
            let born = 1940 + own % 45;
            let (health, labour) =
                if other { ("残疾", "丧失劳动力") } else { ("健康", "普通劳动力") };
            writeln!(
                persons,
                "{no},测{own},无证件,户主,{sex},{born}-05-01,{people},{health},{labour},,"
            )
            .unwrap();
            // Who left later was there in 2014, and who was born later was not.
            let left = if other { "死亡,2015-02-03" } else { "," };
            writeln!(
                persons,
                "{no},测配{own},无证件,配偶,男,1960-01-0{},{people},健康,普通劳动力,{left}",
                1 + own % 9
            )
            .unwrap();
            if other {
                writeln!(
                    persons,
                    "{no},测子{own},无证件,之子,男,2015-06-01,{people},健康,,出生,2015-06-01"
                )
                .unwrap();
                writeln!(
                    persons,
                    "{no},测媳{own},无证件,之儿媳,女,1990-06-01,{people},健康,,婚入,2016-06-01"
                )
                .unwrap();
            }
            for year in 2012..=2016 {
                let head = self.income(own, year);
                let medical = own % 7 * 100;
                writeln!(incomes, "{no},{year},2,{head},{head},{medical}").unwrap();
            }
        }
        if other {
            // Registered later, with accounts of years before.
            households.push_str("99010299999999,990102101200,测新,2015,,未脱贫,A,是\n");
            persons.push_str("99010299999999,测新,无证件,户主,男,1970-01-01,汉族,健康,,,\n");
            for year in 2012..=2014 {
                writeln!(incomes, "99010299999999,{year},1,900,100,0").unwrap();
            }
        }
        let files = [("areas", AREAS.to_owned()), ("households", households), ("persons", persons)];
        let files = files.into_iter().chain([("incomes", incomes)]);
        files
            .map(|(name, text)| {
                let file = folder.join(format!("{name}.csv"));
                fs::write(&file, text).unwrap();
                file
            })
            .collect()
    }
}

fn no(household: u32) -> String {
    format!("990102{household:08}")
}

fn asked(area: &str, year: i64, prospect: Prospect) -> Asked {
    Asked { area: AreaCode::parse(area).unwrap(), year, prospect, lang: Lang::Zh }
}

impl TestApp {
    async fn of_world(engine: Engine, world: World) -> Self {
        let test = Self::new(engine).await;
        let folder = tempfile::tempdir().unwrap();
        let files = world.write(folder.path());
        let all = ImportOptions { on_error: OnError::Abort, ..options() };
        let summary = test.import(&files, all).await;
        assert!(summary.committed, "{:?}", summary.problems.first());
        test
    }

    async fn predicted(&self, year: i64, prospect: Prospect) -> Report {
        let asked = asked(COUNTY, year, prospect);
        run(&self.context, &Scope::all(), asked, None).await.unwrap().unwrap()
    }

    async fn explained(&self, year: i64, household: &str) -> Explained {
        let asked = asked(COUNTY, year, Prospect::AboveLine);
        let said = explain(&self.context, &Scope::all(), asked, household.to_owned()).await;
        said.unwrap().unwrap()
    }
}

#[tokio::test]
async fn nothing_dated_after_the_year_and_nothing_without_a_date_moves_a_prediction() {
    for engine in Engine::BOTH {
        let one = TestApp::of_world(engine, WORLD).await;
        let other = TestApp::of_world(engine, World { is_other_later: true, ..WORLD }).await;
        for prospect in [Prospect::AboveLine, Prospect::BelowAgain] {
            let (told, same) =
                (one.predicted(2014, prospect).await, other.predicted(2014, prospect).await);
            assert!(told.asked > 100 && told.trained_on.iter().all(|year| *year < 2014));
            assert_eq!(told.predictions, same.predictions, "{engine:?} {prospect:?}");
            let asked = asked(COUNTY, 2014, prospect);
            let tested = backtest(&one.context, &Scope::all(), asked.clone(), None).await.unwrap();
            let again = backtest(&other.context, &Scope::all(), asked, None).await.unwrap();
            assert_eq!(tested.cohorts, again.cohorts, "{engine:?} {prospect:?}");
        }
        let (told, same) = (one.explained(2014, &no(7)).await, other.explained(2014, &no(7)).await);
        assert_eq!(told, same, "{engine:?}");
        // What the year itself tells does move it.
        let another = TestApp::of_world(engine, World { is_other_in_2014: true, ..WORLD }).await;
        let (told, moved) = (told.predicted, another.explained(2014, &no(7)).await.predicted);
        assert!(moved.probability < told.probability, "{engine:?} {told:?} {moved:?}");
        // And the later year knows of it all.
        let (one, other) = (
            one.predicted(2015, Prospect::AboveLine).await,
            other.predicted(2015, Prospect::AboveLine).await,
        );
        assert_ne!(one.predictions, other.predictions, "{engine:?}");
        assert_eq!((one.asked, other.asked), (800, 801), "registered by then");
    }
}

#[tokio::test]
async fn a_household_is_predicted_alone_as_among_all_and_its_reasons_add_up() {
    for engine in Engine::BOTH {
        let test = TestApp::of_world(engine, WORLD).await;
        let all = test.predicted(2015, Prospect::AboveLine).await;
        assert_eq!((all.households, all.asked, all.predictions.len()), (800, 800, 800));
        assert_eq!((all.trained_on.as_slice(), all.calibrated_on), (&[2012, 2013][..], Some(2014)));
        for household in [0, 3, 401, 799] {
            let own = test.explained(2015, &no(household)).await;
            let among = all.predictions.iter().find(|one| one.household_no == no(household));
            assert_eq!(Some(&own.predicted), among, "{engine:?}");
            let sum: f64 = own.contributions.iter().map(|reason| reason.log_odds).sum();
            assert!((own.average_log_odds + sum - own.log_odds).abs() < 1e-9, "{own:?}");
            let probability = 1.0 / (1.0 + (-own.log_odds).exp());
            assert!((probability - own.predicted.probability).abs() < 1e-12, "{own:?}");
            let words: Vec<String> =
                own.contributions.iter().take(3).map(|reason| reason.words.clone()).collect();
            assert_eq!(words, own.predicted.reasons);
            let line = own.contributions.iter().find(|reason| reason.feature == "over_line");
            let above = f64::from(WORLD.income(household, 2015)) - 2855.0;
            assert!((line.unwrap().value.unwrap() - above).abs() < 0.01, "{engine:?} {own:?}");
        }
        let with_county = test.explained(2015, &format!("{COUNTY}/{}", no(3))).await;
        assert_eq!(with_county.predicted.household_no, no(3));
        assert!(
            with_county.predicted.township.contains("甲镇")
                || with_county.predicted.township.contains("乙镇")
        );
    }
}

#[tokio::test]
async fn nobody_is_predicted_outside_the_scope_and_too_little_is_no_figure() {
    for engine in Engine::BOTH {
        let test = TestApp::of_world(engine, WORLD).await;
        let village = Scope::of([AreaCode::parse(VILLAGES[0]).unwrap()]);
        let county = || asked(COUNTY, 2015, Prospect::AboveLine);
        let refused = run(&test.context, &village, county(), None).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{engine:?}");
        let refused = backtest(&test.context, &village, county(), None).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{engine:?}");
        let refused = explain(&test.context, &village, county(), no(0)).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{engine:?}");
        let unknown = asked("990199", 2015, Prospect::AboveLine);
        let refused = run(&test.context, &Scope::all(), unknown, None).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{engine:?}");
        // A household of another village is none of this one.
        let own = asked(VILLAGES[0], 2015, Prospect::AboveLine);
        let refused = explain(&test.context, &village, own.clone(), no(1)).await;
        assert!(matches!(refused, Err(Error::NotFound("household"))), "{engine:?}");
        let inside = explain(&test.context, &village, own, no(0)).await.unwrap();
        assert!(inside.is_ok(), "{engine:?}");
        let early = asked(COUNTY, 2012, Prospect::AboveLine);
        let said = run(&test.context, &Scope::all(), early, None).await.unwrap();
        assert_eq!(said.unwrap_err(), Silence::TooLittle(TooLittle::NoYears), "{engine:?}");
        let poor = asked(COUNTY, 2015, Prospect::BelowAgain);
        let never = (0..800).find(|own| (2013..=2015).all(|year| WORLD.income(*own, year) < 2900));
        let said = explain(&test.context, &Scope::all(), poor, no(never.unwrap())).await.unwrap();
        assert_eq!(said.unwrap_err(), Silence::NotAsked, "{engine:?}");
    }
}

#[tokio::test]
async fn relapse_is_asked_of_those_who_exited_and_each_year_is_judged_beside_both_baselines() {
    for engine in Engine::BOTH {
        let test = TestApp::of_world(engine, WORLD).await;
        let told = test.predicted(2015, Prospect::BelowAgain).await;
        let exited =
            (0..800).filter(|own| (2013..=2015).any(|year| WORLD.income(*own, year) >= 2900));
        assert_eq!(told.asked, exited.count(), "{engine:?}");
        let asked = asked(COUNTY, 2016, Prospect::AboveLine);
        let note = Some("这是测试数据。".to_owned());
        let tested = backtest(&test.context, &Scope::all(), asked, note).await.unwrap();
        let years: Vec<i32> = tested.cohorts.iter().map(|own| own.year).collect();
        assert_eq!(years, [2012, 2013, 2014, 2015], "{engine:?}");
        assert!(tested.cohorts[0].scores.is_none() && tested.cohorts[0].too_little.is_some());
        for cohort in &tested.cohorts[1..] {
            let scores = cohort.scores.as_ref().unwrap();
            assert!(scores.trained_on.iter().all(|year| *year < cohort.year));
            let methods = scores.methods.each_ref().map(|own| own.method);
            assert_eq!(methods, ["model", "last_state", "income_alone"]);
            let [auc, low, high] = scores.methods[0].auc;
            assert!(0.6 < auc && low < auc && auc < high, "{engine:?} {scores:?}");
            let groups: Vec<&str> =
                scores.groups.iter().map(|own| own["dimension"].as_str().unwrap()).collect();
            assert_eq!(groups, ["township", "head_sex", "head_ethnic_group", "members"]);
        }
        for says in
            ["这是测试数据。", "尚无逐年历史", "dated history", "苗族", "乙镇", "仅看收入", "女"]
        {
            assert!(tested.card.contains(says), "{says}: {}", tested.card);
        }
    }
}
