//! Why, what if, and what indices come to, on both engines.

use std::{fs, sync::Arc};

use daohu_app::{
    Context, Error,
    exchange::import::{ImportOptions, OnError},
    households::Named,
    monitoring::{
        Asked, Counted, Explanation, IndicesAsked, IndicesReport, Live, Transfer, WhatIf,
        WhatIfReport, explain, indices, run, whatif,
    },
    policies::Pack,
};
use daohu_base::{AreaCode, AreaLevel, Day, Fen, Scope};
use daohu_db::Engine;
use daohu_policy::Policy;

use crate::{
    exchange::options,
    harness::TestApp,
    monitoring::{fixture, read},
};

const COUNTY: &str = "990102";

fn county() -> AreaCode {
    AreaCode::parse(COUNTY).unwrap()
}

fn on() -> Day {
    Day::parse("2015-12-31").unwrap()
}

fn nothing() -> WhatIf {
    WhatIf { area: county(), on: on(), set: Vec::new(), transfer: None, pack: None, by: None }
}

impl TestApp {
    async fn indices(&self, by: Option<AreaLevel>) -> IndicesReport {
        let asked = IndicesAsked { area: county(), year: 2015, by, class: None };
        indices(&self.context, &Scope::all(), asked).await.unwrap()
    }

    async fn what_if(&self, asked: WhatIf) -> WhatIfReport {
        whatif(&self.context, &Scope::all(), asked).await.unwrap().unwrap()
    }

    async fn why(&self, no: &str, as_of: Option<Day>) -> Explanation {
        let asked = (Named::No(no.to_owned()), on());
        explain(&self.context, Scope::all(), asked, as_of).await.unwrap()
    }
}

#[tokio::test]
async fn each_household_is_explained_as_it_is_judged() {
    let (columns, expected) = read(&fixture().join("expected.csv"));
    let column = |name: &str| columns.iter().position(|own| own == name).unwrap();
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        for row in &expected {
            let why = test.why(&row[column("户编号")], None).await;
            assert_eq!(why.overall, row[column("overall")], "{engine:?} {row:?}");
            for own in &why.guarantees {
                assert_eq!(own.outcome, row[column(&own.rule)], "{engine:?} {row:?} {}", own.rule);
                assert!(!own.because.is_empty(), "{row:?} {}", own.rule);
                let holds = |wanted: &str| own.because.iter().all(|part| part.holds == wanted);
                match own.outcome {
                    "unknown" => assert!(own.because.iter().all(|part| part.holds != "yes")),
                    _ => assert!(holds("yes"), "{row:?} {own:?}"),
                }
            }
        }
        let nobody =
            explain(&test.context, Scope::all(), (Named::No("NOBODY".into()), on()), None).await;
        assert!(matches!(nobody, Err(Error::NotFound("household"))), "{nobody:?}");
        let no = expected[0][column("户编号")].clone();
        let elsewhere = Scope::of([AreaCode::parse("990199").unwrap()]);
        let refused = explain(&test.context, elsewhere, (Named::No(no), on()), None).await;
        assert!(matches!(refused, Err(Error::NotFound("household"))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_reason_names_the_value_and_who_wrote_it_also_on_a_past_day() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let (header, rows) = read(&fixture().join("households.csv"));
        let water = header.iter().position(|own| own == "饮水是否安全").unwrap();
        let hard = header.iter().position(|own| own == "饮水是否困难").unwrap();
        let row = rows.iter().find(|row| row[water] == "是" && row[hard].is_empty()).unwrap();
        let told = |why: &Explanation| {
            let own = why.guarantees.iter().find(|own| own.rule == "water").unwrap();
            (own.outcome, own.because[0].words.clone(), own.because[0].facts.clone())
        };
        let before = told(&test.why(&row[0], None).await);
        assert_eq!((before.0, before.1.as_str()), ("met", "饮水是否安全：是"));
        assert_eq!(before.2[0].value.as_deref(), Some("是"));
        assert!(before.2[0].source.as_ref().unwrap().source().starts_with("import"), "{before:?}");
        let first = test.context.clock.now().day();

        // Another file, some days later.
        test.clock.advance_seconds(3 * 24 * 60 * 60);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("households.csv");
        let text = format!("户编号,行政村代码,饮水是否安全\n{},{},否\n", row[0], row[1]);
        fs::write(&file, text).unwrap();
        let all = ImportOptions { on_error: OnError::Abort, ..options() };
        assert!(test.import(&[file], all).await.committed);
        let after = told(&test.why(&row[0], None).await);
        assert_eq!((after.0, after.1.as_str()), ("unmet", "饮水是否安全：否"));
        let today = test.context.clock.now().day().to_string();
        assert_eq!(after.2[0].source.as_ref().unwrap().day().to_string(), today);
        assert_eq!(told(&test.why(&row[0], Some(first)).await), before, "as it was then");
    }
}

#[tokio::test]
async fn indices_of_an_area_are_those_of_its_parts_together() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let told = test.indices(Some(AreaLevel::Village)).await;
        assert!(told.parts.len() > 1);
        let whole = &told.whole;
        let sum = |of: fn(&daohu_app::monitoring::IndicesOf) -> u64| -> u64 {
            told.parts.iter().map(of).sum()
        };
        assert_eq!(sum(|own| own.known.persons), whole.known.persons);
        assert_eq!(sum(|own| own.poor.persons), whole.poor.persons);
        assert_eq!(sum(|own| own.poor.households), whole.poor.households);
        assert_eq!(told.parts.iter().map(|own| own.gap_fen).sum::<i64>(), whole.gap_fen);
        let ways = |own: &daohu_app::monitoring::IndicesOf| own.multidimensional.poor.persons;
        assert_eq!(sum(ways), whole.multidimensional.poor.persons);
        let contributed: f64 =
            told.parts.iter().filter_map(|own| own.multidimensional.contribution).sum();
        assert!((contributed - 1.0).abs() < 1e-9, "{contributed}");
        let of_dimensions: f64 =
            whole.multidimensional.dimensions.iter().filter_map(|own| own.contribution).sum();
        assert!((of_dimensions - 1.0).abs() < 1e-9, "{of_dimensions}");
        let banded: u64 = told.distribution.iter().map(|band| band.counted.persons).sum();
        assert!(banded >= whole.known.persons, "{banded}");
        // What falls short of the line is what is not met.
        let asked = Asked { area: county(), on: on(), out: None, repeat: 1 };
        let judged = run(&test.context, &Scope::all(), asked).await.unwrap();
        let income = judged.rules.iter().find(|own| own.rule == "income").unwrap();
        assert_eq!(whole.poor.households, income.unmet as u64, "{engine:?}");
        for own in &judged.coverages {
            let all = own.counts.met + own.counts.unmet + own.counts.unknown;
            assert_eq!(all, own.among, "{}", own.counts.rule);
            assert!(own.among + own.among_unknown <= judged.households);
        }
        let caused = |own: &daohu_app::monitoring::IndicesOf| {
            let known: u64 = own.causes.iter().map(|cause| cause.counted.households).sum();
            known + own.cause_unknown.households
        };
        assert_eq!(caused(whole), judged.households as u64);
        assert_eq!(sum(caused), judged.households as u64);
        let flowed = |own: &daohu_app::monitoring::IndicesOf, after: &str| -> u64 {
            let flows = own.flows.iter().filter(|flow| flow.after == after);
            flows.map(|flow| flow.counted.households).sum()
        };
        assert_eq!(flowed(whole, "below"), whole.poor.households);
        assert_eq!(flowed(whole, "unknown"), whole.unknown.households);
        assert_eq!(
            sum(|own| own.flows.iter().map(|flow| flow.counted.households).sum()),
            judged.households as u64
        );
        // Of a class alone: who is below the line is below it, and nobody else is asked.
        let of_class = async |class: &str| {
            let class = Some(class.to_owned());
            let asked = IndicesAsked { area: county(), year: 2015, by: None, class };
            indices(&test.context, &Scope::all(), asked).await
        };
        let below = of_class("below_line").await.unwrap();
        assert_eq!((below.among.as_str(), below.whole.poor), ("below_line", whole.poor));
        assert_eq!((below.whole.known, below.whole.unknown), (whole.poor, Counted::default()));
        assert_eq!(below.whole.gap_fen, whole.gap_fen);
        assert_eq!(caused(&below.whole), whole.poor.households);
        assert!(below.whole.gini < whole.gini, "{:?} {:?}", below.whole.gini, whole.gini);
        let refused = of_class("no_such_class").await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        let village = AreaCode::parse(&told.parts[0].code).unwrap();
        let asked = IndicesAsked { area: county(), year: 2015, by: None, class: None };
        let refused = indices(&test.context, &Scope::of([village.clone()]), asked).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{refused:?}");
        let refused = whatif(&test.context, &Scope::of([village]), nothing()).await;
        assert!(matches!(refused, Err(Error::NotFound("area"))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_line_or_a_transfer_in_thought_moves_what_it_would() {
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let still = test.what_if(nothing()).await.whole;
        assert_eq!((&still.before, still.poor_before), (&still.after, still.poor_after));
        assert_eq!((still.out.households, still.r#in.households, still.cost_fen), (0, 0, 0));

        let set = vec![("line".to_owned(), "5000.5".to_owned())];
        let by = Some(AreaLevel::Village);
        let raised = test.what_if(WhatIf { set, by, ..nothing() }).await;
        let whole = &raised.whole;
        assert!(whole.poor_after.households > whole.poor_before.households, "{whole:?}");
        assert!(whole.gap_after_fen > whole.gap_before_fen);
        let undivided = vec![("line".to_owned(), "5000.5".to_owned())];
        let undivided = test.what_if(WhatIf { set: undivided, ..nothing() }).await;
        assert_eq!((&undivided.whole, undivided.parts.len()), (whole, 0), "the sum of its parts");
        let moved = whole.after.unmet - whole.before.unmet;
        assert_eq!(whole.r#in.households - whole.out.households, moved as u64, "{whole:?}");
        assert_eq!(
            raised.parts.iter().map(|own| own.after.unmet).sum::<usize>(),
            whole.after.unmet
        );
        assert_ne!(raised.policy, raised.changed_policy);

        // So much more for all is a line that is so much lower.
        let transfer = Some(Transfer { per_head: Fen(100_000), class: None });
        let given = test.what_if(WhatIf { transfer, ..nothing() }).await.whole;
        let set = vec![("line".to_owned(), "1855".to_owned())];
        let lowered = test.what_if(WhatIf { set, ..nothing() }).await.whole;
        assert_eq!((&given.after, given.poor_after), (&lowered.after, lowered.poor_after));
        assert_eq!((given.out, given.r#in), (lowered.out, lowered.r#in));
        assert_eq!(given.gap_after_fen, lowered.gap_after_fen);
        assert_eq!(given.cost_fen, 100_000 * i64::try_from(given.given.persons).unwrap());

        let of_class =
            |class: &str| Some(Transfer { per_head: Fen(100_000), class: Some(class.to_owned()) });
        let asked = WhatIf { transfer: of_class("below_line"), ..nothing() };
        let poor = test.what_if(asked).await.whole;
        assert_eq!(poor.given, poor.poor_before, "only they have it");
        assert_eq!(poor.poor_after, given.poor_after);
        let asked = WhatIf { transfer: of_class("nobody"), ..nothing() };
        let refused = whatif(&test.context, &Scope::all(), asked).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
        let asked = WhatIf { set: vec![("lime".into(), "1".into())], ..nothing() };
        let found = whatif(&test.context, &Scope::all(), asked).await.unwrap().unwrap_err();
        assert!(found[0].reason.contains("there is no standard lime; there are: "), "{found:?}");
    }
}

#[tokio::test]
async fn rules_in_thought_are_asked_as_if_they_held() {
    let guarantee = |id: &str, unmet: &str, met: &str| {
        format!(
            "[[guarantee]]\nid = '{id}'\ntitle = '甲'\ntitle_en = 'a'\nunmet = '{unmet}'\nmet = '{met}'\n\
             source = 'a test'\n"
        )
    };
    let dry =
        guarantee("water", "water_is_safe || water_is_hard", "!water_is_safe && has_enough_food");
    let rich = guarantee("income", "income_per_head < 2.0 * line", "income_per_head >= 2.0 * line");
    let more = guarantee("size", "members.size() > 1", "members.size() <= 1");
    let packs = [
        dry.clone(),
        format!("area = '990102'\n{rich}"),
        format!("area = '990102101'\n{dry}{rich}"),
        more.clone(),
        format!("area = '990102'\n{more}"),
        "area = '990102'\n[[value]]\nof = 'line'\nsince = '2015-01-01'\nvalue = 4000\nsource = ''\n"
            .to_owned(),
    ];
    for engine in Engine::BOTH {
        let test = TestApp::with_cases(engine).await;
        let mut seen = Vec::new();
        for text in &packs {
            let files = vec![("own.toml".to_owned(), text.clone())];
            let pack = Some(Pack { name: "own".to_owned(), files });
            let thought = test.what_if(WhatIf { pack, ..nothing() }).await.whole;
            let policy = Policy::embedded_and([("own.toml", text.as_str())]).unwrap();
            let context =
                Context { policy: Arc::new(policy), live: Live::default(), ..test.context.clone() };
            let asked = Asked { area: county(), on: on(), out: None, repeat: 1 };
            let held = run(&context, &Scope::all(), asked).await.unwrap();
            assert_eq!(thought.after, held.overall, "{engine:?} {text}");
            assert_ne!(thought.after, thought.before, "{text}");
            seen.push(thought.after);
        }
        assert_ne!(seen[0], seen[1]);
        // What counts as income is no rule: households would have to be read anew.
        let text = "[[cost_ratio]]\nproduct = 'any'\nratio = 0.1\nsource = ''\n".to_owned();
        let pack =
            Some(Pack { name: "own".to_owned(), files: vec![("own.toml".to_owned(), text)] });
        let refused = whatif(&test.context, &Scope::all(), WhatIf { pack, ..nothing() }).await;
        assert!(matches!(refused, Err(Error::Invalid(_))), "{refused:?}");
    }
}
