//! Who belongs to which household: people who leave, join, move and come back, by import.

use std::{fmt::Write, path::PathBuf};

use daohu_app::{
    exchange::{
        Outcome,
        import::{ImportOptions, Summary},
    },
    households,
    journal::{Depth, verify_store},
    sheet::PERSONS,
};
use daohu_base::{AreaCode, Scope};
use daohu_db::Engine;

use crate::{exchange::options, harness::TestApp, seed};

/// A and B are households of one county, C is one of another. Each case has such households of its own:
/// A0, A1 …, and people with a birth date of its own.
const HOUSEHOLDS: [(&str, &str, &str); 3] =
    [("A", "990101100200", "甲"), ("B", "990101100201", "丙"), ("C", "980101100200", "丁")];
/// Who belongs to them at first.
const MEMBERS: &str = "A 甲 1 户主; A 乙 2 之子; B 丙 3 户主; C 丁 4 户主";

/// Imports one after the other, what each of them says, and who belongs where afterwards: `+` for
/// members, `-` for those who left, `>` for those who moved on. Whoever stays in place is not listed.
struct Case {
    says: &'static str,
    /// Rows of 人: 户编号, name, serial of the ID number, relation, 变动类型.
    steps: &'static [(&'static str, &'static str)],
    state: &'static str,
}

const CASES: &[Case] = &[
    Case {
        says: "leaves and joins in one file",
        steps: &[("A 乙 2 之子 分户迁出; B 乙 2 之子 迁入", "created 1, updated 1")],
        state: "A>乙14 B+乙",
    },
    Case {
        says: "joins and leaves in one file: the order of rows does not matter",
        steps: &[("B 乙 2 之子 迁入; A 乙 2 之子 分户迁出", "created 1, updated 1")],
        state: "A>乙14 B+乙",
    },
    Case {
        says: "moves to a household whose number is smaller",
        steps: &[("A 丙 3 其他; B 丙 3 户主 迁出", "created 1, updated 1")],
        state: "A+丙 B>丙10",
    },
    Case {
        says: "who joins must have left",
        steps: &[("B 乙 2 之子", "rejected 1 R02@2")],
        state: "A+乙",
    },
    Case {
        says: "leaves in one file and joins in a later one",
        steps: &[
            ("A 乙 2 之子 迁出", "updated 1"),
            ("B 乙 2 之子 迁入", "created 1"),
            // What is past may be corrected.
            ("A 乙 2 之子 迁出", "unchanged 1"),
            ("A 乙 2 之子 婚出", "updated 1"),
        ],
        state: "A>乙9 B+乙",
    },
    Case {
        says: "who moved is not a member of the old household again by an old file",
        steps: &[
            ("A 乙 2 之子 迁出; B 乙 2 之子 迁入", "created 1, updated 1"),
            ("A 乙 2 之子", "rejected 1 R02@2"),
        ],
        state: "A>乙10 B+乙",
    },
    Case {
        says: "moves to another county in one file",
        steps: &[("A 乙 2 之子 迁出; C 乙 2 其他 迁入", "created 1, updated 1")],
        state: "A-乙 C+乙",
    },
    Case {
        says: "moves to another county in two files",
        steps: &[("A 乙 2 之子 迁出", "updated 1"), ("C 乙 2 其他 迁入", "created 1")],
        state: "A-乙 C+乙",
    },
    Case {
        says: "who joins in another county must have left",
        steps: &[("C 乙 2 其他", "rejected 1 R02@2")],
        state: "A+乙",
    },
    Case {
        says: "of two rows that want one number the first goes in",
        steps: &[("B 戊 5 之子; A 戊 5 之子", "created 1, rejected 1 R02@3")],
        state: "B+戊",
    },
    Case {
        says: "across counties too",
        steps: &[("C 戊 5 之子; A 戊 5 之子", "created 1, rejected 1 R02@3")],
        state: "C+戊",
    },
    Case {
        says: "and across imports",
        steps: &[("C 戊 5 之子", "created 1"), ("A 戊 5 之子", "rejected 1 R02@2")],
        state: "C+戊",
    },
    Case {
        says: "who left is no member, and comes back as who he was",
        steps: &[
            ("A 乙 2 之子 参军", "updated 1"),
            ("A 乙 2 之子", "unchanged 1"),
            ("A 乙 2 之子 退役", "updated 1"),
        ],
        state: "A+乙",
    },
    Case {
        says: "a head may follow one who died",
        steps: &[
            ("A 乙 2 户主", "rejected 1 R04@2"),
            ("A 甲 1 户主 死亡; A 乙 2 户主", "updated 2"),
        ],
        state: "A+乙 A-甲",
    },
    Case {
        says: "moves out, and back with both rows in one file",
        steps: &[
            ("A 乙 2 之子 迁出; B 乙 2 之子 迁入", "created 1, updated 1"),
            ("B 乙 2 之子 迁出; A 乙 2 之子 迁入", "updated 2"),
        ],
        state: "A+乙 B>乙10",
    },
    Case {
        says: "moves out, leaves there, and comes back in a later file",
        steps: &[
            ("A 乙 2 之子 迁出; B 乙 2 之子 迁入", "created 1, updated 1"),
            ("B 乙 2 之子 迁出", "updated 1"),
            ("A 乙 2 之子 迁入", "updated 1"),
        ],
        state: "A+乙 B>乙10",
    },
    Case {
        says: "moves to another county and back",
        steps: &[
            ("A 乙 2 之子 迁出; C 乙 2 其他 迁入", "created 1, updated 1"),
            ("C 乙 2 其他 迁出; A 乙 2 之子 迁入", "updated 2"),
        ],
        state: "A+乙 C-乙",
    },
    Case {
        says: "moves from another county whose rows come later",
        steps: &[("C 丁 4 户主 迁出; A 丁 4 其他 迁入", "created 1, updated 1")],
        state: "A+丁 C-丁",
    },
    Case {
        says: "goes to and fro",
        steps: &[
            ("A 乙 2 之子 迁出; B 乙 2 之子 迁入", "created 1, updated 1"),
            ("B 乙 2 之子 婚出; A 乙 2 之子 迁入", "updated 2"),
            ("A 乙 2 之子 分户迁出; B 乙 2 之子 迁入", "updated 2"),
        ],
        state: "A>乙14 B+乙",
    },
    Case {
        says: "a blank says nothing new of who left the household and the next one",
        steps: &[
            ("A 乙 2 之子 迁出; B 乙 2 之子 迁入", "created 1, updated 1"),
            ("B 乙 2 之子 参军", "updated 1"),
            ("A 乙 2 之子", "unchanged 1"),
        ],
        state: "A>乙10 B-乙",
    },
    Case {
        says: "has left two households when first seen",
        steps: &[("A 己 6 之女 迁出; B 己 6 其他 婚出", "created 2")],
        state: "A-己 B>己9",
    },
    Case {
        says: "is first seen leaving one household and joining another",
        steps: &[("A 己 6 之女 婚出; B 己 6 配偶 婚入", "created 2")],
        state: "A>己9 B+己",
    },
];

/// Rows of 人 of a case as a file.
pub fn persons(case: usize, rows: &str) -> String {
    let mut text = "户编号,姓名,证件类型,证件号码,与户主关系,变动类型\n".to_owned();
    for row in rows.split("; ") {
        let cells: Vec<&str> = row.split(' ').collect();
        let (day, serial) = (case + 1, cells[2].parse::<u32>().unwrap());
        let number = seed::id_number(&format!("990101197001{day:02}{serial:03}"));
        let change = cells.get(4).unwrap_or(&"");
        let (no, name, relation) = (cells[0], cells[1], cells[3]);
        writeln!(text, "{no}{case},{name},居民身份证,{number},{relation},{change}").unwrap();
    }
    text
}

/// The counts of 人 that are not zero, and the refused rows with their rules.
pub fn told(summary: &Summary) -> String {
    let counts = &summary.sheets[PERSONS.name];
    let all = [
        ("created", counts.created),
        ("updated", counts.updated),
        ("unchanged", counts.unchanged),
        ("suspected", counts.suspected),
        ("rejected", counts.rejected),
    ];
    let all = all.iter().filter(|(_, count)| *count > 0);
    let mut told =
        all.map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ");
    for row in summary.problems.iter().filter(|row| row.outcome == Outcome::Rejected) {
        let rule = row.notes[0].code.trim_start_matches("quality.");
        write!(told, " {rule}@{}", row.row).unwrap();
    }
    told
}

impl TestApp {
    pub async fn import_text(&self, name: &str, text: &str) -> Summary {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        self.import(&[path], options()).await
    }
}

/// The households and members of so many cases.
pub async fn start(engine: Engine, cases: usize) -> TestApp {
    let app = TestApp::new(engine).await;
    seed::areas(&app).await;
    let mut households = "户编号,行政村代码,户主姓名\n".to_owned();
    for (case, (no, village, head)) in (0..cases).flat_map(|case| HOUSEHOLDS.map(|h| (case, h))) {
        writeln!(households, "{no}{case},{village},{head}").unwrap();
    }
    assert!(app.import_text("households.csv", &households).await.committed);
    for case in 0..cases {
        let members = app.import_text("persons.csv", &persons(case, MEMBERS)).await;
        assert_eq!(told(&members), "created 4");
    }
    app
}

/// Who belongs where, as [`Case::state`] writes it, of the people of a case that it names.
pub async fn state(app: &TestApp, case: usize, people: &str) -> String {
    let mut found = Vec::new();
    let case = case.to_string();
    // The household without its case, if it is of this one.
    let of_case = |no: &str| no.get(1..).filter(|of| *of == case).map(|_| no[..1].to_owned());
    let sql = "select h.no, p.name, p.is_current from persons p
               join households h on h.county = p.county and h.id = p.household";
    for row in app.rows(sql).await {
        let sign = if row.flag(2).unwrap() { '+' } else { '-' };
        let Some(no) = of_case(row.text(0).unwrap()) else { continue };
        found.push((format!("{no}{sign}{}", row.text(1).unwrap()), String::new()));
    }
    let sql = "select h.no, p.name, m.change_kind from memberships m
               join households h on h.county = m.county and h.id = m.household
               join persons p on p.county = m.county and p.id = m.person
               where p.household <> m.household";
    for row in app.rows(sql).await {
        let Some(no) = of_case(row.text(0).unwrap()) else { continue };
        let kind = row.opt_int(2).unwrap().map(|kind| kind.to_string()).unwrap_or_default();
        found.push((format!("{no}>{}", row.text(1).unwrap()), kind));
    }
    found.retain(|(who, _)| who.chars().last().is_some_and(|name| people.contains(name)));
    found.sort();
    found.iter().map(|(who, kind)| format!("{who}{kind}")).collect::<Vec<_>>().join(" ")
}

/// What must hold whatever came in: who holds a number is who is a member, rows are as the journal
/// tells, and what is exported comes back unchanged.
pub async fn check_laws(app: &TestApp, says: &str) {
    let held = "select count(*) from persons p
                left join person_keys k on k.identity = p.identity
                where p.is_current = 1 and (k.identity is null or k.is_current = 0
                   or k.county <> p.county or k.person <> p.id or k.household <> p.household)";
    assert_eq!(app.rows(held).await[0].int(0).unwrap(), 0, "{says}: who holds the numbers");
    let twice = "select identity from persons where is_current = 1 group by identity
                 having count(*) > 1";
    assert!(app.rows(twice).await.is_empty(), "{says}: a member of two households");
    let watched = households::watched().into_iter().filter(|watched| watched.kind != "area");
    let verdict = verify_store(&app.context, None, Depth::Rows, watched.collect()).await.unwrap();
    assert!(verdict.ok, "{says}: {verdict:?}");
    for county in ["98", "99"] {
        let folder = tempfile::tempdir().unwrap();
        app.export_to(folder.path(), county).await;
        let again = app.import(&[PathBuf::from(folder.path())], options()).await;
        for (sheet, counts) in &again.sheets {
            let problems = &again.problems;
            assert_eq!(counts.unchanged, counts.rows, "{says}: {sheet} comes back: {problems:?}");
        }
    }
}

#[tokio::test]
async fn people_belong_where_the_rows_say() {
    for engine in Engine::BOTH {
        let app = start(engine, CASES.len()).await;
        for (case, Case { says, steps, state: expected }) in CASES.iter().enumerate() {
            for (i, (rows, expected)) in steps.iter().enumerate() {
                let text = persons(case, rows);
                let summary = app.import_text("persons.csv", &text).await;
                assert_eq!(told(&summary), *expected, "{says}: step {}", i + 1);
                if summary.sheets[PERSONS.name].rejected == 0 {
                    let again = app.import_text("persons.csv", &text).await;
                    let counts = &again.sheets[PERSONS.name];
                    assert_eq!(counts.unchanged, counts.rows, "{says}: step {} again", i + 1);
                }
            }
            assert_eq!(state(&app, case, expected).await, *expected, "{says}");
        }
        for (case, Case { says, state: expected, .. }) in CASES.iter().enumerate() {
            assert_eq!(state(&app, case, expected).await, *expected, "{says}, after all others");
        }
        check_laws(&app, "all cases").await;
    }
}

#[tokio::test]
async fn a_number_in_two_files_of_one_import_goes_to_the_first() {
    for engine in Engine::BOTH {
        let app = start(engine, 1).await;
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, rows: &str| {
            let path = folder.path().join(name).join("persons.csv");
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, persons(0, rows)).unwrap();
            path
        };
        let paths = [file("1", "C 戊 5 之子; B 庚 7 之女"), file("2", "A 戊 5 之子; A 庚 7 之女")];
        let summary = app.import(&paths, options()).await;
        assert_eq!(told(&summary), "created 2, rejected 2 R02@2 R02@3");
        assert_eq!(state(&app, 0, "戊庚").await, "B+庚 C+戊");
        check_laws(&app, "two files").await;
    }
}

#[tokio::test]
async fn who_left_is_not_counted() {
    for engine in Engine::BOTH {
        let app = start(engine, 1).await;
        // 150 m² are 75 for each of two members, and too many for one.
        let house = "户编号,行政村代码,住房面积\nA0,990101100200,150\n";
        let warnings = async || app.import_text("households.csv", house).await.problems;
        assert_eq!(warnings().await.len(), 0);
        app.import_text("persons.csv", &persons(0, "A 乙 2 之子 迁出; B 乙 2 之子 迁入")).await;
        let problems = warnings().await;
        assert_eq!(problems[0].notes[0].code, "quality.R27", "{problems:?}");
        // In the same file, rows of the household see those who belong to it afterwards.
        app.import_text("persons.csv", &persons(0, "B 乙 2 之子 迁出; A 乙 2 之子 迁入")).await;
        assert_eq!(warnings().await.len(), 0);
        let clerk = app.client(&["office_clerk@990101"]).await;
        let (id, _) = seed::household_no(&app, "B0").await;
        let dossier = clerk.get(&format!("/households/{id}/dossier")).send().await.expect(200);
        assert_eq!(dossier["persons"].as_array().unwrap().len(), 1);
        let (id, _) = seed::household_no(&app, "A0").await;
        for path in ["dossier", "dossier?as_of=2020-11-22"] {
            let dossier = clerk.get(&format!("/households/{id}/{path}")).send().await.expect(200);
            let names = dossier["persons"].as_array().unwrap().iter().map(|p| p["name"].clone());
            assert_eq!(names.collect::<Vec<_>>(), ["甲", "乙"], "{path}");
        }
    }
}

#[tokio::test]
async fn two_numbers_for_a_member_without_one_are_both_refused() {
    for engine in Engine::BOTH {
        let app = start(engine, 1).await;
        let [one, other] =
            ["006", "007"].map(|serial| seed::id_number(&format!("99010119700101{serial}")));
        let none = String::new();
        // Rows of one name and birth date: household, number, 变动类型.
        let import = async |rows: &[(&str, &String, &str)]| {
            let header = "户编号,姓名,证件类型,证件号码,与户主关系,出生日期,变动类型\n";
            let mut text = header.to_owned();
            for (no, number, change) in rows {
                let kind = if number.is_empty() { "无证件" } else { "居民身份证" };
                writeln!(text, "{no},戊,{kind},{number},之子,1970-01-01,{change}").unwrap();
            }
            let summary = app.import_text("persons.csv", &text).await;
            told(&summary)
        };
        assert_eq!(import(&[("A0", &none, "")]).await, "created 1");
        let both = import(&[("A0", &one, ""), ("A0", &other, "")]).await;
        assert_eq!(both, "rejected 2 row.duplicate_key@2 row.duplicate_key@3");
        // Nor does who leaves another household go to one that refuses the row.
        // Of one name and birth date with the one in A, in the same township.
        assert_eq!(import(&[("B0", &one, "")]).await, "suspected 1");
        let moves = [("A0", &one, "迁入"), ("A0", &other, "迁入"), ("B0", &one, "迁出")];
        let moved = import(&moves).await;
        assert_eq!(moved, "updated 1, rejected 2 row.duplicate_key@2 row.duplicate_key@3");
        assert_eq!(state(&app, 0, "戊").await, "A+戊 B-戊");
        assert_eq!(import(&[("A0", &other, "")]).await, "updated 1");
        check_laws(&app, "a number that comes later").await;
    }
}

#[tokio::test]
async fn a_number_that_is_held_names_the_household_to_who_may_see_it() {
    for engine in Engine::BOTH {
        let app = start(engine, 1).await;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("persons.csv");
        // 乙 is of A.
        std::fs::write(&path, persons(0, "B 乙 2 之子")).unwrap();
        for (scope, is_named) in [("9901", true), ("990101100201", false)] {
            let scope = Scope::of([AreaCode::parse(scope).unwrap()]);
            let options = ImportOptions { scope, ..options() };
            let summary = app.import(std::slice::from_ref(&path), options).await;
            assert_eq!(told(&summary), "rejected 1 R02@2");
            let message = &summary.problems[0].notes[0].message;
            assert_eq!(message.contains("A0"), is_named, "{engine:?} {message}");
        }
    }
}
