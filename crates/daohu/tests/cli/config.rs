//! The settings of a server: checked before it starts, and its certificate while it runs.

use std::{
    fs::{self, Permissions},
    io::{BufRead, BufReader},
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use daohu_db::Engine;
use serde_json::Value;

use crate::harness::{Place, Run, Server};

/// A check of a free port; the arguments go behind.
fn check(place: &Place, args: &[&str]) -> Run {
    let head = ["--lang", "en", "config", "check", "--json", "--listen", "127.0.0.1:0"];
    place.run(&[&head, args].concat())
}

/// The codes of what was found.
fn codes(run: Run) -> Vec<String> {
    let told = run.expect(1).json();
    let checks = told["checks"].as_array().unwrap();
    let codes = checks.iter().filter_map(|check| check["code"].as_str().map(str::to_owned));
    codes.collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A certificate in two files that is valid until a day of this year.
fn certificate(folder: &Path, (year, month, day): (i32, u8, u8)) -> [PathBuf; 2] {
    let key = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(year, month, day);
    let paths = [folder.join("cert.pem"), folder.join("key.pem")];
    fs::write(&paths[0], params.self_signed(&key).unwrap().pem()).unwrap();
    fs::write(&paths[1], key.serialize_pem()).unwrap();
    set_mode(&paths[1], 0o600);
    paths
}

fn tls(paths: &[PathBuf; 2]) -> [String; 4] {
    let [cert, key] = paths.each_ref().map(|path| path.display().to_string());
    ["--tls-cert".to_owned(), cert, "--tls-key".to_owned(), key]
}

#[tokio::test]
async fn settings_are_fine_before_there_is_a_database_and_after() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        check(&place, &[]).expect(0);
        assert!(!place.keys.exists() && !place.folder().join("files").exists(), "{engine:?}");
        place.run(&["migrate"]).expect(0);
        let told = check(&place, &[]).expect(0).json();
        assert_eq!(told["settings"]["db"]["origin"], "environment");
        assert_eq!(told["settings"]["listen"]["place"], "--listen");
        assert_eq!(told["settings"]["second_factor"]["origin"], "default");
    }
}

#[tokio::test]
async fn a_key_file_must_be_private_and_the_databases_own() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        place.run(&["migrate"]).expect(0);
        place.add_user("chen", &["--role", "system_admin"]);
        check(&place, &[]).expect(0);
        set_mode(&place.keys, 0o640);
        assert_eq!(codes(check(&place, &[])), ["config.keys_readable"]);
        fs::remove_file(&place.keys).unwrap();
        assert_eq!(codes(check(&place, &[])), ["config.keys"]);

        let other = Place::new(Engine::Sqlite).await;
        other.run(&["migrate"]).expect(0);
        fs::rename(&other.keys, &place.keys).unwrap();
        assert_eq!(codes(check(&place, &[])), ["config.keys_differ"]);
    }
}

#[tokio::test]
async fn folders_must_be_writable_and_private() {
    let place = Place::new(Engine::Sqlite).await;
    place.run(&["migrate"]).expect(0);
    let files = place.folder().join("files");
    fs::create_dir(&files).unwrap();
    set_mode(&files, 0o750);
    assert_eq!(codes(check(&place, &[])), ["config.files_readable"]);
    assert_eq!(codes(check(&place, &["--files", "/proc/none"])), ["config.not_writable"]);
    set_mode(&files, 0o700);
    check(&place, &[]).expect(0);
    // Keys and files would have to be made there as well.
    let elsewhere = ["--db", "sqlite:/proc/none/registry.db"];
    assert_eq!(codes(check(&place, &elsewhere))[0], "config.not_writable");
}

#[tokio::test]
async fn a_database_that_is_not_reached_is_told_without_its_password() {
    let place = Place::new(Engine::Sqlite).await;
    let db = ["--db", "postgres://daohu:secret@127.0.0.1:1/daohu"];
    let run = check(&place, &db).expect(1);
    assert!(!run.stdout().contains("secret") && run.stdout().contains("daohu:***@"));
    assert!(codes(run).contains(&"config.database".to_owned()));
}

#[tokio::test]
async fn a_certificate_must_be_valid_and_the_keys() {
    let place = Place::new(Engine::Sqlite).await;
    place.run(&["migrate"]).expect(0);
    let paths = certificate(place.folder(), (2090, 1, 1));
    let args = tls(&paths);
    let args = args.each_ref().map(String::as_str);
    check(&place, &args).expect(0);
    set_mode(&paths[1], 0o644);
    assert_eq!(codes(check(&place, &args)), ["config.tls_key_readable"]);
    let key = fs::read(&paths[1]).unwrap();
    certificate(place.folder(), (1990, 1, 1));
    assert_eq!(codes(check(&place, &args)), ["config.tls_expired"]);
    fs::write(&paths[1], key).unwrap();
    assert_eq!(codes(check(&place, &args)), ["config.tls"]);
    fs::remove_file(&paths[1]).unwrap();
    assert_eq!(codes(check(&place, &args)), ["config.tls"]);
    assert_eq!(codes(check(&place, &args[..2])), ["config.half_tls"]);
}

#[tokio::test]
async fn an_address_may_be_taken_by_a_server_of_ours_and_by_no_other() {
    let place = Place::new(Engine::Sqlite).await;
    let server = Server::start(&place);
    let ours = server.base.trim_start_matches("http://").to_owned();
    place.run(&["config", "check", "--listen", &ours]).expect(0);
    let theirs = TcpListener::bind("127.0.0.1:0").unwrap();
    let theirs = theirs.local_addr().unwrap().to_string();
    let run = place.run(&["config", "check", "--json", "--listen", &theirs]);
    assert_eq!(codes(run), ["config.listen"]);
}

#[tokio::test]
async fn what_lets_others_in_is_a_finding() {
    let place = Place::new(Engine::Sqlite).await;
    let open = ["config", "check", "--json", "--listen", "0.0.0.0:0"];
    assert_eq!(codes(place.run(&open)), ["config.not_encrypted"]);
    place.run(&[&open[..], &["--trusted-proxy", "10.0.0.0/8"]].concat()).expect(0);
    let everybody = ["--trusted-proxy", "0.0.0.0/0"];
    assert_eq!(codes(check(&place, &everybody)), ["config.trusts_everybody"]);
    // A file with a password that anybody may read.
    let file = place.folder().join("daohu.toml");
    fs::write(&file, "db = \"postgres://a:secret@127.0.0.1:1/n\"\n").unwrap();
    let mut command = place.command(&["config", "check", "--json", "--config"]);
    command.arg(&file).env_remove("DAOHU_DB").env("DAOHU_LISTEN", "127.0.0.1:0");
    for (mode, is_found) in [(0o644, true), (0o640, false)] {
        set_mode(&file, mode);
        let told: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
        let told = told.to_string();
        assert!(!told.contains("secret"), "{told}");
        assert_eq!(told.contains("config.password_readable"), is_found, "{told}");
    }
}

#[tokio::test]
async fn a_wrong_settings_file_is_a_finding_of_the_check_and_stops_a_server() {
    let place = Place::new(Engine::Sqlite).await;
    let file = place.folder().join("daohu.toml");
    fs::write(&file, "listne = \"127.0.0.1:0\"\n").unwrap();
    let file = file.display().to_string();
    assert_eq!(codes(check(&place, &["--config", &file])), ["config.unknown_setting"]);
    let told = place.run(&["--lang", "en", "serve", "--config", &file]).expect(2).stderr();
    assert!(told.contains("daohu.toml:1: ") && told.contains("is listen meant?"), "{told}");
    assert!(told.contains("[config.unknown_setting]"), "{told}");
    check(&place, &["--config", "none.toml"]).expect(2);
    assert!(!place.keys.exists());
}

#[tokio::test]
async fn a_hangup_reads_the_certificate_again() {
    let place = Place::new(Engine::Sqlite).await;
    let args = tls(&certificate(place.folder(), (2090, 1, 1)));
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0"]);
    command.args(args).env("RUST_LOG", "info").stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut address = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
    assert!(address.starts_with("https://"), "{address}");
    certificate(place.folder(), (2091, 1, 1));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-HUP", &id]).status().unwrap().success());
    let mut told = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let (say, heard) = mpsc::channel();
    let listener = std::thread::spawn(move || {
        let is_meant = |line: &String| line.contains("certificate was read again");
        // A process that a hangup ended says nothing more, nor does one that does not mind it.
        say.send(told.any(|line| is_meant(&line))).unwrap_or_default();
    });
    let is_read = heard.recv_timeout(Duration::from_secs(20)).unwrap_or_default();
    child.kill().unwrap();
    child.wait().unwrap();
    listener.join().unwrap();
    assert!(is_read);
}
