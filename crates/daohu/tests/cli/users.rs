//! Accounts and areas on the command line.

use daohu_db::Engine;

use crate::harness::{Place, Server};

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

#[tokio::test]
async fn an_operator_hands_out_a_second_factor_and_takes_it_back() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        place.run(&["migrate"]).expect(0);
        place.add_user("root1", &["--role", "system_admin"]);
        let totp = |args: &[&str], code| {
            let lang = ["--lang", "en", "user", "totp", "--name", "root1"];
            place.run(&[&lang, args].concat()).expect(code)
        };
        assert!(totp(&["--status"], 0).stdout().contains("no second factor"));
        assert!(totp(&["--reset"], 1).stderr().contains("second_factor.none"));
        let told = totp(&["--enrol", "--json"], 0).json();
        let secret = told["secret"].as_str().unwrap();
        let uri = format!("otpauth://totp/Daohu:root1?secret={secret}&issuer=Daohu");
        assert!(told["uri"].as_str().unwrap().starts_with(&uri), "{told}");
        let codes = told["recovery_codes"].as_array().unwrap();
        assert_eq!(codes.len(), 10);
        assert!(totp(&["--enrol"], 1).stderr().contains("second_factor.active"));

        let server = Server::start(&place);
        assert_eq!(server.try_code("root1", "")["code"], "session.code_wanted");
        let me = server.try_code("root1", codes[0].as_str().unwrap());
        assert_eq!(me["user"]["name"], "root1", "{me}");
        let state = totp(&["--status", "--json"], 0).json();
        assert_eq!(state["recovery_codes_left"], 9);
        assert!(state["second_factor_at"].is_string(), "{state}");
        assert!(totp(&["--status"], 0).stdout().contains("9 recovery codes left"));
        let list = place.run(&["--lang", "en", "user", "list"]).expect(0).stdout();
        assert!(list.contains("[second factor]"), "{list}");

        totp(&["--reset"], 0);
        let me = server.try_code("root1", "");
        assert_eq!(me["user"]["name"], "root1", "{me}");
        // In words, each code on a line of its own.
        let words = totp(&["--enrol"], 0).stdout();
        assert!(words.contains("otpauth://totp/") && words.lines().count() == 14, "{words}");
        place.run(&["journal", "verify", "--deep", "--json"]).expect(0);
        totp(&[], 2);
        totp(&["--enrol", "--reset"], 2);
        place.run(&["user", "totp", "--name", "nobody", "--status"]).expect(1);
    }
}

#[tokio::test]
async fn a_server_insists_on_the_second_factor_unless_it_is_told_to_offer_it() {
    let place = Place::new(Engine::Sqlite).await;
    place.run(&["migrate"]).expect(0);
    place.add_user("root1", &["--role", "system_admin"]);
    let file = place.folder().join("daohu.toml");
    let config = file.display().to_string();
    std::fs::write(&file, "second_factor = \"offered\"\n").unwrap();
    for (args, insists) in [
        (&[][..], true),
        (&["--second-factor", "required"], true),
        (&["--second-factor", "offered"], false),
        (&["--config", &config], false),
        (&["--config", &config, "--second-factor", "required"], true),
    ] {
        let server = Server::start_with(&place, args);
        let me = server.try_code("root1", "");
        assert_eq!(me["must_enrol"], insists, "{args:?}");
        let url = format!("{}/api/v1/users", server.base);
        let call = ureq::get(url).header("cookie", server.sign_in("root1"));
        assert_eq!(call.call().is_err(), insists, "{args:?}");
    }
    std::fs::write(&file, "second_factor = \"never\"\n").unwrap();
    place.run(&["serve", "--config", &config]).expect(2);
    place.run(&["serve", "--second-factor", "never"]).expect(2);
}
