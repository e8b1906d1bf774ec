//! Nothing is changed quietly.

use daohu_db::Engine;
use serde_json::Value;

use crate::harness::Place;

async fn loaded(engine: Engine) -> Place {
    let place = Place::new(engine).await;
    let sample = place.sample(20);
    place.run(&["import", "--json", &sample]).expect(0);
    place
}

/// Verifies, expecting a finding; gives the first.
fn first_bad(place: &Place, args: &[&str]) -> Value {
    let args = [&["journal", "verify", "--json"], args].concat();
    place.run(&args).expect(1).json()["first_bad"].clone()
}

#[tokio::test]
async fn a_changed_removed_or_moved_entry_is_named() {
    for (engine, statements, problem, sequence) in [
        (
            Engine::Sqlite,
            vec![
                "update journal set body = cast(x'00' as blob) where sequence = 44 and county = '500242'",
            ],
            "altered",
            44,
        ),
        // SQLite lets a column hold what is not of its type.
        (
            Engine::Sqlite,
            vec![
                "update journal set body = substr(body, 1, 40) || 'x' || substr(body, 42) where sequence = 44 and county = '500242'",
            ],
            "altered",
            44,
        ),
        // SQLite lets a column hold what is not of its type.
        (
            Engine::Sqlite,
            vec!["update journal set at = 'yesterday' where sequence = 44 and county = '500242'"],
            "altered",
            44,
        ),
        // SQLite lets a column hold what is not of its type.
        (
            Engine::Sqlite,
            vec!["update journal set chain = 'x' where sequence = 44 and county = '500242'"],
            "altered",
            44,
        ),
        (
            Engine::Postgres,
            vec!["update journal set at = at + 1 where sequence = 44 and county = '500242'"],
            "altered",
            44,
        ),
        (
            Engine::Postgres,
            vec!["delete from journal where sequence = 45 and county = '500242'"],
            "removed",
            45,
        ),
        (
            Engine::Sqlite,
            vec![
                "update journal set sequence = -1 where sequence = 50 and county = '500242'",
                "update journal set sequence = 50 where sequence = 51 and county = '500242'",
                "update journal set sequence = 51 where sequence = -1 and county = '500242'",
            ],
            "reordered",
            50,
        ),
    ] {
        let place = loaded(engine).await;
        place.run(&["journal", "verify", "--deep", "--json"]).expect(0);
        for statement in statements {
            place.sql(statement).await;
        }
        let bad = first_bad(&place, &[]);
        assert_eq!(
            (&bad["problem"], &bad["sequence"]),
            (&problem.into(), &sequence.into()),
            "{bad}"
        );
        assert_eq!(bad["county"], "500242");
    }
}

#[tokio::test]
async fn a_row_changed_behind_the_journal_is_named_by_a_deep_look() {
    for engine in Engine::BOTH {
        for (statement, problem) in [
            ("update households set head_name = '假' where no = '50024200000007'", "row_differs"),
            ("update persons set sealed = null where id = 500242000000001", "row_differs"),
            (
                "delete from incomes where household = 500242000000003 and year = 2015",
                "row_missing",
            ),
        ] {
            let place = loaded(engine).await;
            place.sql(statement).await;
            place.run(&["journal", "verify", "--json"]).expect(0);
            let bad = first_bad(&place, &["--deep"]);
            assert_eq!(bad["problem"], problem, "{engine:?} {bad}");
        }
    }
}

#[tokio::test]
async fn a_right_that_nobody_gave_is_named() {
    for engine in Engine::BOTH {
        for (statement, problem) in [
            ("update grants set area = '50'", "row_differs"),
            ("update users set is_locked = 1 where name = 'lisi'", "row_differs"),
            (
                "insert into grants select 'g', user_id, 'leader', area, starts_on, null, 0, 'x', 0, 1
                 from grants",
                "row_unknown",
            ),
        ] {
            let place = loaded(engine).await;
            place.run(&["user", "add", "--name", "lisi", "--role", "leader", "--area", "500242"]);
            place.run(&["journal", "verify", "--deep", "--json"]).expect(0);
            place.sql(statement).await;
            let bad = first_bad(&place, &["--deep"]);
            assert_eq!(bad["problem"], problem, "{engine:?} {bad}");
        }
    }
}

#[tokio::test]
async fn a_cut_tail_is_found_against_a_checkpoint() {
    for engine in Engine::BOTH {
        let place = loaded(engine).await;
        let kept = place.run(&["journal", "verify", "--json"]).expect(0).json();
        let file = place.folder().join("checkpoint");
        std::fs::write(&file, kept["checkpoint"].as_str().unwrap()).unwrap();
        let file = file.display().to_string();
        place.run(&["journal", "verify", "--json", "--checkpoint", &file]).expect(0);
        // Everything of one county goes, heads and roots too: the chain alone looks whole.
        for statement in [
            "delete from journal where county = '500242'",
            "delete from journal_heads where county = '500242'",
            "delete from journal_roots where county = '500242'",
        ] {
            place.sql(statement).await;
        }
        let bad = first_bad(&place, &["--checkpoint", &file]);
        assert_eq!((&bad["problem"], &bad["record"]), (&"cut".into(), &"checkpoint".into()));
        std::fs::write(&file, "daohu1:1:1:00:00").unwrap();
        assert_eq!(first_bad(&place, &["--checkpoint", &file])["problem"], "forged_checkpoint");
    }
}
