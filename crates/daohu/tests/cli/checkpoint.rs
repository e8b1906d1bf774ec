//! What `journal verify` prints: for people on a terminal, and for itself as a checkpoint.

use daohu_db::Engine;

use crate::harness::Place;

async fn loaded(engine: Engine) -> Place {
    let place = Place::new(engine).await;
    let sample = place.sample(20);
    place.run(&["import", "--json", &sample]).expect(0);
    place
}

#[tokio::test]
async fn a_checkpoint_is_taken_out_of_what_verify_printed() {
    for engine in Engine::BOTH {
        let place = loaded(engine).await;
        let file = place.folder().join("kept.txt");
        let name = file.display().to_string();
        for print in [&["journal", "verify"][..], &["journal", "verify", "--json"]] {
            std::fs::write(&file, place.run(print).expect(0).stdout()).unwrap();
            place.run(&["journal", "verify", "--checkpoint", &name]).expect(0);
        }
        std::fs::write(&file, "a note without any").unwrap();
        let missing = place.folder().join("missing").display().to_string();
        for (name, says) in [(&name, "no checkpoint in"), (&missing, "cannot be read")] {
            let run = place.run(&["--lang", "en", "journal", "verify", "--checkpoint", name]);
            let told = run.expect(2).stderr();
            assert!(told.contains(name) && told.contains(says), "{engine:?} {told}");
        }
    }
}

#[tokio::test]
async fn every_fault_is_named_in_words_with_its_household() {
    for engine in Engine::BOTH {
        let place = loaded(engine).await;
        let whole = place.run(&["--lang", "en", "journal", "verify"]).expect(0).stdout();
        assert!(whole.contains("chains only") && whole.contains("0 waiting"), "{whole}");
        let whole = place.run(&["--lang", "en", "journal", "verify", "--deep"]).expect(0).stdout();
        assert!(whole.contains("every row"), "{whole}");
        for statement in [
            "update households set head_name = '假' where no = '50024200000007'",
            "update persons set sealed = null where id = 500242000000001",
            "delete from incomes where household = 500242000000003 and year = 2015",
            "update journal set at = at + 1 where sequence = 44 and county = '500242'",
            "delete from journal where sequence = 46 and county = '500242'",
        ] {
            place.sql(statement).await;
        }
        let verdict = place.run(&["journal", "verify", "--deep", "--json"]).expect(1).json();
        let named = verdict["named"].as_array().unwrap();
        assert_eq!(verdict["bad"], named.len(), "{verdict}");
        assert_eq!(verdict["first_bad"], named[0]);
        let of = |problem: &str| -> Vec<&str> {
            let of = named.iter().filter(|bad| bad["problem"] == problem);
            of.filter_map(|bad| bad["household"].as_str()).collect()
        };
        assert!(of("row_differs").contains(&"500242/50024200000007"), "{verdict}");
        assert_eq!(of("row_differs").len(), 2, "{verdict}");
        assert_eq!(of("row_missing"), ["500242/50024200000003"], "{verdict}");
        let places: Vec<_> = named.iter().map(|bad| bad["sequence"].as_i64().unwrap()).collect();
        assert!(places.contains(&44) && places.contains(&46), "{verdict}");

        for (lang, words) in [
            ("zh", ["被改动", "被删除", "与日志不符", "日志有而表中没有"]),
            ("en", ["altered", "removed", "differs from the journal", "missing from its table"]),
        ] {
            let told =
                place.run(&["--lang", lang, "journal", "verify", "--deep"]).expect(1).stdout();
            assert!(!told.contains("daohu1:"), "no checkpoint of what is not whole: {told}");
            for word in words {
                assert!(told.contains(word), "{engine:?} {word} {told}");
            }
            assert!(told.contains("500242/50024200000007"), "{told}");
            assert!(told.lines().count() >= named.len(), "{told}");
        }
    }
}
