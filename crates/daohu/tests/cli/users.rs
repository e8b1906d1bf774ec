//! Accounts and areas on the command line.

use daohu_db::Engine;

use crate::harness::Place;

const ELSEWHERE: &str = "530822";

#[tokio::test]
async fn a_role_in_an_area_that_is_not_in_the_tree_is_refused() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let add = |name: &str| {
            let args =
                ["--lang", "en", "user", "add", "--name", name, "--role", "leader", "--area"];
            place.run(&[&args[..], &[ELSEWHERE]].concat())
        };
        // Before the first import there is no tree to look into.
        let told = add("lisi").expect(0).stderr();
        assert!(told.contains(ELSEWHERE) && told.contains("no areas yet"), "{told}");
        let sample = place.sample(20);
        place.run(&["import", "--json", &sample]).expect(0);
        let told = add("wangwu").expect(1).stderr();
        assert!(told.contains("grant.unknown_area"), "{told}");
        let users = place.run(&["user", "list", "--json"]).expect(0).json();
        assert_eq!(users.as_array().unwrap().len(), 1, "{users}");
        let role = ["user", "role", "--name", "lisi", "--role", "office_clerk", "--area"];
        place.run(&[&role[..], &[ELSEWHERE]].concat()).expect(1);
        assert_eq!(place.run(&[&role[..], &["500242"]].concat()).expect(0).stderr(), "");
    }
}

#[tokio::test]
async fn an_export_of_an_unknown_area_is_refused() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(20);
        place.run(&["import", "--json", &sample]).expect(0);
        let out = place.folder().join("out.xlsx");
        let name = out.display().to_string();
        place.run(&["export", "--area", ELSEWHERE, "--out", &name]).expect(1);
        assert!(!out.exists());
    }
}

#[tokio::test]
async fn a_list_tells_who_is_locked_and_until_when() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        for name in ["free1", "shut1", "gone1"] {
            place.run(&["user", "add", "--name", name]).expect(0);
        }
        place.sql("update users set locked_until = 4102444800000 where name = 'shut1'").await;
        place.sql("update users set is_locked = 1 where name = 'gone1'").await;
        let told = place.run(&["--lang", "en", "user", "list"]).expect(0).stdout();
        let of = |name: &str| told.lines().find(|line| line.starts_with(name)).unwrap();
        assert!(of("shut1").contains("locked until 2100-01-01"), "{told}");
        assert!(of("gone1").contains("locked"), "{told}");
        assert!(!of("free1").contains("locked"), "{told}");
        let users = place.run(&["user", "list", "--json"]).expect(0).json();
        let until = |i: usize| users[i]["locked_until"].clone();
        assert_eq!(
            (until(0), until(2)),
            (serde_json::Value::Null, "2100-01-01T00:00:00.000Z".into())
        );
    }
}
