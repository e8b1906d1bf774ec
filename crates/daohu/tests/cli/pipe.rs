//! Output that nobody reads to its end: `daohu … | head -1`.

use std::{io::Read, process::Stdio};

use daohu_db::Engine;

use crate::harness::Place;

#[tokio::test]
async fn a_closed_pipe_ends_a_command_quietly() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let sample = place.sample(20);
        for args in [
            &["import", &sample][..],
            &["household", "--id", "50024200000001"],
            &["household", "--id", "50024200000001", "--json"],
            &["journal", "verify", "--deep"],
            &["user", "add", "--name", "root1", "--role", "system_admin"],
            &["user", "list"],
            &["migrate"],
            &["openapi"],
        ] {
            let mut command = place.command(args);
            let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            drop(child.stdout.take());
            let mut told = String::new();
            child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
            let code = child.wait().unwrap().code();
            assert_eq!((code, told.as_str()), (Some(0), ""), "{engine:?} {args:?}");
        }
        // And what it did is done.
        let users = place.run(&["user", "list", "--json"]).expect(0).json();
        assert_eq!(users[0]["name"], "root1");
        // A failure that nobody hears still has its code.
        let mut command = place.command(&["household", "--id", "X"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stderr.take());
        assert_eq!(child.wait().unwrap().code(), Some(1), "{engine:?}");
    }
}
