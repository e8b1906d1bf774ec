//! The address that is served: taken before the database is touched, and not open to others unnoticed.

use std::{
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    process::Stdio,
};

use daohu_db::Engine;

use crate::harness::Place;

#[tokio::test]
async fn a_taken_address_stops_a_server_before_it_touches_the_database() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let data = place.folder().join("demo");
        let folder = data.display().to_string();
        for args in [
            &["serve", "--listen", &address][..],
            &["demo", "--listen", &address, "--data", &folder],
        ] {
            let told = place.run(&[&["--lang", "en"], args].concat()).expect(1).stderr();
            assert!(told.contains(&address) && told.contains("--listen"), "{engine:?} {told}");
        }
        assert!(!data.exists(), "{engine:?}");
        // Nothing was made there.
        place.run(&["household", "--id", "1"]).expect(3);
    }
}

#[tokio::test]
async fn a_server_that_others_reach_without_encryption_says_so() {
    for (listen, proxy, warns) in [
        ("0.0.0.0:0", None, true),
        ("127.0.0.1:0", None, false),
        ("0.0.0.0:0", Some("127.0.0.1/32"), false),
    ] {
        let place = Place::new(Engine::Sqlite).await;
        let mut command = place.command(&["serve", "--listen", listen]);
        if let Some(proxy) = proxy {
            command.args(["--trusted-proxy", proxy]);
        }
        command.env("RUST_LOG", "warn").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("http://"), "{address}");
        child.kill().unwrap();
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        child.wait().unwrap();
        assert_eq!(told.contains("--tls-cert"), warns, "{listen} {proxy:?} {told}");
    }
}
