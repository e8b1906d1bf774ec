//! Households that move to another village by import, while their members change, leave and join.

use std::fmt::Write;

use daohu_app::exchange::import::Summary;
use daohu_db::Engine;

use crate::{
    exchange::options,
    harness::TestApp,
    moves::{check_laws, persons, start, state, told},
};

/// Where households move.
const THERE: &str = "990101101200";

/// One file in which households move, with rows of 人 as in [`crate::moves`].
struct Case {
    says: &'static str,
    /// An import before, of 人 only.
    before: &'static str,
    moving: &'static [&'static str],
    rows: &'static str,
    told: &'static str,
    state: &'static str,
}

const CASES: &[Case] = &[
    Case {
        says: "a member changes",
        before: "",
        moving: &["A"],
        rows: "A 乙 2 其他",
        told: "updated 1",
        state: "A+乙",
    },
    Case {
        says: "a member dies",
        before: "",
        moving: &["A"],
        rows: "A 乙 2 之子 死亡",
        told: "updated 1",
        state: "A-乙",
    },
    Case {
        says: "a child is born",
        before: "",
        moving: &["A"],
        rows: "A 戊 5 之女",
        told: "created 1",
        state: "A+戊",
    },
    Case {
        says: "somebody joins from a household that stays",
        before: "",
        moving: &["A"],
        rows: "B 丙 3 户主 迁出; A 丙 3 其他 迁入",
        told: "created 1, updated 1",
        state: "A+丙 B>丙10",
    },
    Case {
        says: "a member leaves for a household that stays",
        before: "",
        moving: &["A"],
        rows: "A 乙 2 之子 迁出; B 乙 2 之子 迁入",
        told: "created 1, updated 1",
        state: "A>乙10 B+乙",
    },
    Case {
        says: "somebody goes from one moving household to the other",
        before: "",
        moving: &["A", "B"],
        rows: "A 乙 2 之子 迁出; B 乙 2 之子 迁入",
        told: "created 1, updated 1",
        state: "A>乙10 B+乙",
    },
    Case {
        says: "who left before joins a household whose rows come later",
        before: "A 乙 2 之子 迁出",
        moving: &["A"],
        rows: "B 乙 2 之子 迁入",
        told: "created 1",
        state: "A>乙10 B+乙",
    },
    Case {
        says: "who left before joins a household whose rows come earlier",
        before: "B 丙 3 户主 迁出",
        moving: &["A", "B"],
        rows: "A 丙 3 其他 迁入",
        told: "created 1",
        state: "A+丙 B>丙10",
    },
    Case {
        says: "who left before goes along",
        before: "A 乙 2 之子 迁出",
        moving: &["A"],
        rows: "A 甲 1 户主",
        told: "unchanged 1",
        state: "A+甲 A-乙",
    },
    Case {
        says: "a member whose row is refused goes along",
        before: "",
        moving: &["A"],
        rows: "A 乙 2 户主",
        told: "rejected 1 R04@2",
        state: "A+乙",
    },
    Case {
        says: "a member who leaves for a household that refuses him goes along",
        before: "",
        moving: &["A"],
        rows: "A 乙 2 之子 迁出; B 乙 2 户主 迁入",
        told: "updated 1, rejected 1 R04@3",
        state: "A+乙",
    },
];

fn households(case: usize, moving: &[&str]) -> String {
    let mut text = String::new();
    for no in moving {
        writeln!(text, "{no}{case},{THERE}").unwrap();
    }
    text
}

async fn import(app: &TestApp, households: &str, persons: &str) -> Summary {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("households.csv", &format!("户编号,行政村代码\n{households}"));
    write("persons.csv", persons);
    app.import(&[folder.path().to_owned()], options()).await
}

/// Everybody lives where the household is, and no import wrote a record twice.
pub async fn check_places(app: &TestApp, says: &str) {
    let apart = "select p.name from persons p
                 join households h on h.county = p.county and h.id = p.household
                 where h.village <> p.village";
    assert!(app.rows(apart).await.is_empty(), "{says}: members stayed behind");
    let twice = "select record from journal where kind in ('household', 'person')
                 group by county, stamp, kind, record having count(*) > 1";
    assert!(app.rows(twice).await.is_empty(), "{says}: a record was written twice");
}

#[tokio::test]
async fn members_go_with_a_household_whatever_else_their_rows_say() {
    for engine in Engine::BOTH {
        let app = start(engine, CASES.len()).await;
        for (i, Case { says, before, moving, rows, told: expected, state: after }) in
            CASES.iter().enumerate()
        {
            if !before.is_empty() {
                app.import_text("persons.csv", &persons(i, before)).await;
            }
            let summary = import(&app, &households(i, moving), &persons(i, rows)).await;
            assert_eq!(told(&summary), *expected, "{says}");
            assert_eq!(state(&app, i, after).await, *after, "{says}");
            check_places(&app, says).await;
        }
        check_laws(&app, "all cases").await;
    }
}

#[tokio::test]
async fn many_households_move_in_one_file() {
    for engine in Engine::BOTH {
        let app = start(engine, CASES.len()).await;
        let (mut moving, mut rows) = (String::new(), String::new());
        for (i, case) in CASES.iter().enumerate() {
            if !case.before.is_empty() {
                app.import_text("persons.csv", &persons(i, case.before)).await;
            }
            moving += &households(i, case.moving);
            let text = persons(i, case.rows);
            let header = text.find('\n').unwrap() + 1;
            rows += if rows.is_empty() { &text } else { &text[header..] };
        }
        assert!(import(&app, &moving, &rows).await.committed);
        for (i, Case { says, state: after, .. }) in CASES.iter().enumerate() {
            assert_eq!(state(&app, i, after).await, *after, "{says}");
        }
        check_places(&app, "all cases").await;
        check_laws(&app, "all cases").await;
    }
}
