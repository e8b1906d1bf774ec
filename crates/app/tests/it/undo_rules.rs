//! What is as before must fit what is there now: each of these would leave the registry at odds with itself.

use std::time::Duration;

use daohu_app::{Error, jobs::Ticket, journal::seal_all, undo::undo};
use daohu_base::{AreaCode, Scope};
use daohu_db::{Engine, FutureExt, Tx, testing::hold};
use serde_json::json;

use crate::{
    harness::TestApp,
    seed::{self, id_number},
    undo::{assert_whole, exported, faults, import, start, take_back},
};

type Fault = (String, String, &'static str);

fn fault(kind: &str, key: &str, code: &'static str) -> Fault {
    (kind.to_owned(), key.to_owned(), code)
}

/// One file of an import.
fn one(name: &'static str, text: impl Into<String>) -> Vec<(&'static str, String)> {
    vec![(name, text.into())]
}

/// Imports the first, lets something be built on it, and says what stands in the way of undoing it: nothing was
/// touched, and the store is whole before and after.
async fn refused(app: &TestApp, id: &str) -> Vec<Fault> {
    assert_whole(app).await;
    let before = exported(app).await;
    let found = faults(take_back(app, id, false).await);
    assert_eq!(exported(app).await, before);
    found
}

const HEAD: &str = "户编号,姓名,证件类型,证件号码,与户主关系,变动类型,变动日期\n";

#[tokio::test]
async fn a_number_that_somebody_else_has_by_now_is_not_given_back() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        // 钱二 leaves, and joins a household of another county.
        let number = id_number("99010119720202002");
        let gone = format!("{HEAD}H002,钱二,居民身份证,{number},配偶,婚出,2020-03-01\n");
        let first = import(&app, &one("persons.csv", gone)).await.id.unwrap();
        let there = format!("{HEAD}H009,钱二,居民身份证,{number},配偶,婚入,2020-03-02\n");
        let second = import(&app, &one("persons.csv", there)).await.id.unwrap();
        let found = refused(&app, &first).await;
        assert!(
            found.iter().all(|(kind, _, code)| kind == "person" && *code == "import.number_taken"),
            "{engine:?} {found:?}"
        );
        assert!(found.iter().any(|(_, no, _)| no == "H002"), "{engine:?} {found:?}");
        // Who has the county alone is not told where.
        let mine = Scope::of([AreaCode::parse("990101").unwrap()]);
        let scopes = (mine.clone(), mine);
        let told = undo(&app.context, app.act(), scopes, (&first, true), Ticket::default()).await;
        let expected = [
            fault("person", "", "import.number_taken"),
            fault("person", "H002", "import.number_taken"),
        ];
        assert_eq!(faults(told), expected, "{engine:?}");
        take_back(&app, &second, false).await.unwrap();
        take_back(&app, &first, false).await.unwrap();
        assert_whole(&app).await;
    }
}

/// Of PostgreSQL: on SQLite a clerk waits until all is undone.
#[tokio::test]
async fn a_number_that_somebody_gets_while_it_is_given_back_has_one_member() {
    // Who died holds it still, or nobody does.
    for is_held in [true, false] {
        let app = start(Engine::Postgres).await;
        let number = id_number("99010119600303003");
        let died = format!("{HEAD}H003,李四,居民身份证,{number},户主,死亡,2020-02-01\n");
        let id = import(&app, &one("persons.csv", died)).await.id.unwrap();
        if !is_held {
            app.execute(
                "delete from person_keys where identity in
                   (select identity from persons where name = '李四')",
            )
            .await;
        }
        // A clerk's change that is not stored yet: 王五 gets the number.
        const GIVEN: [&str; 2] = [
            "update persons set (identity, id_tail) =
               (select identity, id_tail from persons where name = '李四') where name = '王五'",
            "insert into person_keys (identity, county, person, household, is_current)
               select identity, county, id, household, 1 from persons where name = '王五'
             on conflict (identity) do update set person = excluded.person,
               household = excluded.household, is_current = 1",
        ];
        let work = async move |tx: &mut Tx| {
            for sql in GIVEN {
                tx.execute(sql, &[]).await?;
            }
            Ok(())
        };
        let held = hold(&app.context.db, move |tx| async move { work(tx).await }.boxed()).await;
        let released = held.release_after(Duration::from_millis(500));
        let found = faults(take_back(&app, &id, false).await);
        released.await.unwrap();
        let expected = ["H003", "H004"].map(|no| fault("person", no, "import.number_taken"));
        assert_eq!(found, expected, "held: {is_held}");
        let twice = "select identity from persons where is_current = 1 and identity is not null
                     group by identity having count(*) > 1";
        assert!(app.rows(twice).await.is_empty(), "held: {is_held}");
    }
}

#[tokio::test]
async fn a_head_does_not_come_back_beside_another() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let number = id_number("99010119600303003");
        let died = format!("{HEAD}H003,李四,居民身份证,{number},户主,死亡,2020-02-01\n");
        let first = import(&app, &one("persons.csv", died)).await.id.unwrap();
        let next = id_number("99010119650505005");
        let heir = format!("{HEAD}H003,李新,居民身份证,{next},户主,,\n");
        let second = import(&app, &one("persons.csv", heir)).await.id.unwrap();
        let found = refused(&app, &first).await;
        assert_eq!(found, [fault("household", "H003", "import.second_head")], "{engine:?}");
        take_back(&app, &second, false).await.unwrap();
        take_back(&app, &first, false).await.unwrap();
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn a_household_does_not_go_back_without_who_joined_it() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let moved = "户编号,行政村代码\nH004,990101100200\n";
        let first = import(&app, &one("households.csv", moved)).await.id.unwrap();
        let number = id_number("99010119900606006");
        let joined = format!("{HEAD}H004,李五,居民身份证,{number},之子,婚入,2020-03-02\n");
        let second = import(&app, &one("persons.csv", joined)).await.id.unwrap();
        let found = refused(&app, &first).await;
        assert_eq!(found, [fault("household", "H004", "import.built_on")], "{engine:?}");
        // Nor does anybody go back to a household that lives elsewhere by now.
        take_back(&app, &second, false).await.unwrap();
        take_back(&app, &first, false).await.unwrap();
        let number = id_number("99010119720202002");
        let moves = format!(
            "{HEAD}H002,钱二,居民身份证,{number},配偶,婚出,2020-03-01\n\
             H003,钱二,居民身份证,{number},配偶,婚入,2020-03-01\n"
        );
        let third = import(&app, &one("persons.csv", moves)).await.id.unwrap();
        let office = app.client(&["office_clerk@9901"]).await;
        let (home, version) = seed::household_no(&app, "H002").await;
        let change = json!({ "village": "990101100201", "group_code": null });
        office
            .patch(&format!("/households/{home}"), change)
            .if_match(version)
            .send()
            .await
            .expect(200);
        let found = refused(&app, &third).await;
        assert_eq!(found, [fault("household", "H002", "import.built_on")], "{engine:?}");
    }
}

#[tokio::test]
async fn what_is_named_again_must_be_there() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let area = "区划代码,名称,级别\n990101100299,新村,村\n";
        let made = import(&app, &one("areas.csv", area)).await.id.unwrap();
        let unit = "单位编号,名称,单位级别,单位类型\nD9,新单位,县,党政机关\n";
        let unit = import(&app, &one("organisations.csv", unit)).await.id.unwrap();
        let to = |village: &str, unit: &str| {
            vec![
                ("households.csv", format!("户编号,行政村代码\nH003,{village}\n")),
                (
                    "cadres.csv",
                    format!(
                        "工号,姓名,单位编号,角色,联系电话\nC1,陈一,{unit},帮扶干部,13800000009\n"
                    ),
                ),
            ]
        };
        import(&app, &to("990101100299", "D9")).await;
        let away = import(&app, &to("990101100201", "D1")).await.id.unwrap();
        take_back(&app, &made, false).await.unwrap();
        take_back(&app, &unit, false).await.unwrap();
        let found = refused(&app, &away).await;
        let expected = [
            fault("household", "H003", "import.gone_since"),
            fault("organisation", "D9", "import.gone_since"),
        ];
        assert_eq!(found, expected, "{engine:?}");
    }
}

#[tokio::test]
async fn nobody_goes_back_to_a_village_that_has_ended() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let moved = "户编号,行政村代码\nH004,990101100200\n";
        let first = import(&app, &one("households.csv", moved)).await.id.unwrap();
        app.clock.advance_minutes(24 * 60);
        // H004 came from there, and is not there when it ends.
        let lines = vec![crate::area_changes::line("990101100201", "990101100200", "")];
        crate::area_changes::carry_out(&app, lines).await;
        app.clock.advance_minutes(24 * 60);
        let found = refused(&app, &first).await;
        assert_eq!(found, [fault("household", "H004", "import.gone_since")], "{engine:?}");
    }
}

#[tokio::test]
async fn a_team_that_helps_stays_and_a_namesake_does_not_count() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let team = "队编号,行政村代码,工号,是否队长,开始日期\nT9,990101100200,C1,是,2019-01-01\n";
        let team = import(&app, &one("teams.csv", team)).await.id.unwrap();
        let cadre =
            "工号,姓名,角色,联系电话,所在区划代码\nD1,陈同号,帮扶干部,13800000009,990101100\n";
        let cadre = import(&app, &one("cadres.csv", cadre)).await.id.unwrap();
        let pairings = "主体类型,主体编号,对象类型,对象编号,开始日期\n\
                        工作队,T9,村,990101100200,2020-01-01\n单位,D1,村,990101100200,2020-01-01\n";
        let pairings = import(&app, &one("pairings.csv", pairings)).await.id.unwrap();
        let found = refused(&app, &team).await;
        assert_eq!(found, [fault("team_member", "T9", "import.built_on")], "{engine:?}");
        // D1 that helps is the organisation.
        take_back(&app, &cadre, false).await.unwrap();
        take_back(&app, &pairings, false).await.unwrap();
        take_back(&app, &team, false).await.unwrap();
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn what_was_merged_into_a_person_as_the_import_had_it_keeps_it() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let number = id_number("99010119900101009");
        let head = "户编号,姓名,证件类型,证件号码,与户主关系,出生日期\n";
        let known = |name: &str| format!("H003,{name},居民身份证,{number},其他,1990-01-01\n");
        let nameless = "H002,孙重,无证件,,其他,1990-01-01\n";
        import(&app, &one("persons.csv", format!("{head}{}{nameless}", known("孙别")))).await;
        // The import corrects the name of one; the other is then found to be the same person.
        let right = format!("{head}{}", known("孙重"));
        let first = import(&app, &one("persons.csv", right)).await.id.unwrap();
        let of = "select id from persons where name = '孙重' order by identity is null";
        let ids = app.rows(of).await;
        let [kept, ended] = [0, 1].map(|i: usize| ids[i].int(0).unwrap());
        let office = app.client(&["office_clerk@990101"]).await;
        let (low, high) = (kept.min(ended), kept.max(ended));
        let merge = json!({ "keep": kept, "reason": "核对后认定为同一人" });
        let path = format!("/suspects/{low}/{high}");
        let version = office.get(&path).send().await.expect(200)["version"].as_i64().unwrap();
        office.post(&format!("{path}/merge"), merge).if_match(version).send().await.expect(200);
        let found = faults(take_back(&app, &first, false).await);
        assert_eq!(found, [fault("person", "H003", "import.built_on")], "{engine:?}");
    }
}

#[tokio::test]
async fn who_may_not_write_where_it_goes_back_to_takes_nothing_back() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let moved = "户编号,行政村代码\nH004,990101100200\n";
        let id = import(&app, &one("households.csv", moved)).await.id.unwrap();
        let before = exported(&app).await;
        let undo_in = async |area: &str| {
            let scope = Scope::of([AreaCode::parse(area).unwrap()]);
            undo(&app.context, app.act(), (scope.clone(), scope), (&id, false), Ticket::default())
                .await
        };
        for area in ["990101100200", "990101100201", "980101"] {
            let refused = undo_in(area).await;
            assert!(matches!(refused, Err(Error::NotFound("import"))), "{engine:?} {area}");
        }
        assert_eq!(exported(&app).await, before, "{engine:?}");
        undo_in("990101100").await.unwrap();
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn an_undo_comes_behind_what_it_takes_back_whatever_the_clock_says() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let moved = "户编号,行政村代码\nH004,990101100200\n";
        let id = import(&app, &one("households.csv", moved)).await.id.unwrap();
        app.clock.advance_minutes(-60);
        take_back(&app, &id, false).await.unwrap();
        seal_all(&app.context).await.unwrap();
        let sql = "select j.at from journal j join households h on cast(h.id as text) = j.record
                   where h.no = 'H004' and j.county = h.county and j.kind = 'household'
                   order by j.sequence";
        let at: Vec<i64> = app.rows(sql).await.iter().map(|row| row.int(0).unwrap()).collect();
        assert_eq!(at.len(), 3, "{engine:?}");
        assert!(at.is_sorted(), "{engine:?} {at:?}");
    }
}

#[tokio::test]
async fn histories_tell_nothing_of_what_was_undone() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let number = id_number("99010119720202002");
        let office = app.client(&["office_clerk@990101"]).await;
        let (home, _) = seed::household_no(&app, "H002").await;
        let sql = "select id from persons where name = '钱二'";
        let person = app.rows(sql).await[0].int(0).unwrap();
        let told = async || {
            let mut all = Vec::new();
            for path in
                [format!("/persons/{person}/memberships"), format!("/households/{home}/sources")]
            {
                all.push(office.get(&path).send().await.expect(200));
            }
            let dossier = office.get(&format!("/households/{home}/dossier")).send().await;
            let dossier = dossier.expect(200);
            all.extend([dossier["came_from"].clone(), dossier["went_to"].clone()]);
            all
        };
        let before = told().await;
        let moves = format!(
            "{HEAD}H002,钱二,居民身份证,{number},配偶,婚出,2020-03-01\n\
             H003,钱二,居民身份证,{number},配偶,婚入,2020-03-01\n"
        );
        let id = import(&app, &one("persons.csv", moves)).await.id.unwrap();
        assert_ne!(told().await, before, "{engine:?}");
        take_back(&app, &id, false).await.unwrap();
        assert_eq!(told().await, before, "{engine:?}");
        // The record's own story tells both.
        let story = office.get(&format!("/households/{home}/journal")).send().await.expect(200);
        assert!(story.to_string().contains("undone"), "{engine:?}");
    }
}

#[tokio::test]
async fn a_pairing_is_taken_back_by_whoever_has_its_household() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let text = "主体类型,主体编号,对象类型,对象编号,开始日期\n干部,C1,户,H005,2020-01-01\n";
        let id = import(&app, &one("pairings.csv", text)).await.id.unwrap();
        let undo_in = async |area: &str| {
            let scope = Scope::of([AreaCode::parse(area).unwrap()]);
            undo(&app.context, app.act(), (scope.clone(), scope), (&id, false), Ticket::default())
                .await
        };
        let refused = undo_in("990101100").await;
        assert!(matches!(refused, Err(Error::NotFound("import"))), "{engine:?} {refused:?}");
        undo_in("990101101200").await.unwrap();
    }
}

#[tokio::test]
async fn a_number_that_looks_like_an_areas_is_a_households() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        let home = "户编号,行政村代码\n980101100999,990101100200\n";
        import(&app, &one("households.csv", home)).await;
        let pairing = |end: &str| {
            format!(
                "主体类型,主体编号,对象类型,对象编号,开始日期,结束日期\n\
                 干部,C1,户,980101100999,2020-01-01,{end}\n"
            )
        };
        import(&app, &one("pairings.csv", pairing(""))).await;
        let ended = import(&app, &one("pairings.csv", pairing("2020-06-30"))).await.id.unwrap();
        take_back(&app, &ended, false).await.unwrap();
        assert_whole(&app).await;
    }
}

#[tokio::test]
async fn what_the_import_did_not_change_is_no_reason() {
    for engine in Engine::BOTH {
        let app = start(engine).await;
        // A village that is to end keeps its households, whoever corrects its name; and a household of a village
        // that has ended keeps its own facts.
        let area = |name: &str| {
            format!("区划代码,名称,级别,停用日期\n990101100201,{name},村,2030-01-01\n")
        };
        import(&app, &one("areas.csv", area("南甲二村"))).await;
        let renamed = import(&app, &one("areas.csv", area("南甲新村"))).await.id.unwrap();
        take_back(&app, &renamed, false).await.unwrap();
        let built = "户编号,行政村代码,建房年份\nH004,990101100201,2001\n";
        let built = import(&app, &one("households.csv", built)).await.id.unwrap();
        app.execute("update areas set ends_on = '2020-01-01' where code = '990101100201'").await;
        take_back(&app, &built, false).await.unwrap();
    }
}
