//! Rotation of the keys, also under a server that runs.

use daohu_db::Engine;
use serde_json::{Value, json};

use crate::harness::{Place, Server};

fn loaded_with(place: &Place) {
    let sample = place.sample(20);
    place.run(&["import", &sample]).expect(0);
}

#[tokio::test]
async fn rotated_keys_still_open_everything() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        loaded_with(&place);
        let rows = place.run(&["keys", "rotate", "--json"]).expect(0).json();
        let count = rows["resealed"].as_u64().unwrap();
        assert!(count > 20);
        place.add_user("root1", &["--role", "system_admin"]);
        place.run(&["user", "totp", "--name", "root1", "--enrol"]).expect(0);
        let rows = place.run(&["keys", "rotate", "--json"]).expect(0).json();
        assert_eq!(rows["resealed"], count + 1);
        let secret = place.row("select secret from second_factors").await;
        assert_eq!(secret.blob(0).unwrap()[..2], [0, 3], "{engine:?}");
        place.run(&["journal", "verify", "--deep", "--json"]).expect(0);
        place.run(&["household", "--id", "50024200000001", "--json"]).expect(0);
    }
}

#[tokio::test]
async fn a_server_follows_a_rotation_while_it_runs() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        loaded_with(&place);
        place.add_user("root1", &["--role", "system_admin"]);
        place.add_user("clerk", &["--role", "office_clerk", "--area", "500242"]);
        let server = Server::start(&place);
        let (root, clerk) = (server.sign_in("root1"), server.sign_in("clerk"));
        let members = || {
            let url = format!("{}/api/v1/households/500242000000001/persons", server.base);
            let mut found = ureq::get(url).header("cookie", &clerk).call().unwrap();
            found.body_mut().read_json::<Value>().unwrap()
        };
        let before = members();
        assert!(before[0]["id_number"].is_string(), "{before}");
        // All the while rows go over to the new key, and none is out of reach.
        let mut rotation = place.start(&["keys", "rotate"]);
        while rotation.try_wait().unwrap().is_none() {
            assert_eq!(members(), before, "{engine:?}");
        }
        assert!(rotation.wait().unwrap().success());
        assert_eq!(members(), before, "{engine:?}");

        // What the server writes from now on is sealed with the new key, and others read it.
        let body = json!({ "name": "chen.li", "display_name": "chen.li" });
        let url = format!("{}/api/v1/users", server.base);
        ureq::post(url).header("cookie", &root).send_json(body).unwrap();
        let last = "select body from
                      (select stamp, body from journal where kind = 'user' union all
                       select stamp, body from journal_pending where kind = 'user') as entries
                    order by stamp desc limit 1";
        let sealed = place.row(last).await.blob(0).unwrap().to_vec();
        assert_eq!(sealed[..2], [0, 2], "{engine:?}");
        place.run(&["journal", "verify", "--deep", "--json"]).expect(0);
    }
}

#[tokio::test]
async fn nothing_is_written_or_told_with_the_keys_of_another_database() {
    for engine in Engine::BOTH {
        let (place, other) = (Place::new(engine).await, Place::new(engine).await);
        loaded_with(&place);
        loaded_with(&other);
        let own = place.keys.with_extension("own");
        std::fs::rename(&place.keys, &own).unwrap();
        std::fs::copy(&other.keys, &place.keys).unwrap();
        let sample = place.folder().join("sample").display().to_string();
        let out = place.folder().join("out").display().to_string();
        for args in [
            &["user", "add", "--name", "x", "--role", "system_admin"][..],
            &["import", &sample],
            &[
                "export",
                "--area",
                "500242",
                "--what",
                "households",
                "--format",
                "csv",
                "--out",
                &out,
            ],
            &["journal", "verify"],
            &["serve", "--listen", "127.0.0.1:0"],
        ] {
            let says = place.run(args).expect(3).stderr();
            assert!(says.contains("--keys"), "{engine:?} {args:?} {says}");
        }
        std::fs::rename(&own, &place.keys).unwrap();
        place.run(&["journal", "verify", "--deep"]).expect(0);
        assert_eq!(place.run(&["user", "list", "--json"]).expect(0).json(), json!([]));
    }
}
