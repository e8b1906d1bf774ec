//! Who looked at a household is written, also by a server that is stopped right afterwards.

use std::process::Command;

use daohu_db::Engine;
use serde_json::Value;

use crate::harness::{Place, Server};

#[tokio::test]
async fn a_server_that_is_stopped_writes_who_looked() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(5);
        place.run(&["import", "--json", &sample]).expect(0);
        place.add_user("leader", &["--role", "leader", "--area", "500242"]);
        let mut server = Server::start(&place);
        let cookie = server.sign_in("leader");
        let get = |path: &str| -> Value {
            let url = format!("{}/api/v1{path}", server.base);
            let mut answer = ureq::get(url).header("cookie", &cookie).call().unwrap();
            answer.body_mut().read_json().unwrap()
        };
        let id = get("/households?limit=1")["items"][0]["id"].as_i64().unwrap();
        get(&format!("/households/{id}"));
        let stop = Command::new("kill").arg(server.child.id().to_string()).status();
        assert!(stop.unwrap().success());
        assert!(server.child.wait().unwrap().success(), "{engine:?}");
        let query = "select household, actor, address, what from accesses";
        let row = place.row(query).await;
        let texts = [1, 2, 3].map(|i| row.text(i).unwrap());
        assert_eq!(row.int(0).unwrap(), id, "{engine:?}");
        assert_eq!(texts, ["leader", "127.0.0.1", "household"], "{engine:?}");
    }
}
