//! Messages: in one language, with what to do.

use std::process::Command;

use daohu_db::Engine;

use crate::harness::Place;

fn is_chinese(text: &str) -> bool {
    text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c))
}

fn told(command: &mut Command, code: i32) -> String {
    let out = command.output().unwrap();
    let told = String::from_utf8(out.stderr).unwrap();
    assert_eq!(out.status.code(), Some(code), "{told}");
    told
}

#[tokio::test]
async fn lc_all_then_lc_messages_then_lang_choose_the_language() {
    let place = Place::new(Engine::Sqlite).await;
    for (all, messages, lang, chinese) in [
        ("en_US.UTF-8", "zh_CN.UTF-8", "zh_CN.UTF-8", false),
        ("zh_CN.UTF-8", "en_US.UTF-8", "en_US.UTF-8", true),
        ("", "en_GB.UTF-8", "zh_CN.UTF-8", false),
        ("", "", "en_US.UTF-8", false),
        ("", "", "", true),
    ] {
        let mut command = place.command(&["household", "--id", "1"]);
        command.env("LC_ALL", all).env("LC_MESSAGES", messages).env("LANG", lang);
        assert_eq!(is_chinese(&told(&mut command, 3)), chinese, "{all} {messages} {lang}");
    }
}

#[tokio::test]
async fn errors_of_the_store_and_of_files_are_in_one_language_and_say_what_to_do() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let says = |args: &[&str], code: i32, hint: &str| {
            let en = told(place.command(&["--lang", "en"]).args(args), code);
            assert!(!is_chinese(&en) && en.contains(hint), "{engine:?} {en}");
            let zh = told(place.command(&["--lang", "zh"]).args(args), code);
            assert!(is_chinese(&zh) && !zh.contains(" / ") && zh != en, "{engine:?} {zh}");
        };
        says(&["household", "--id", "1"], 3, "daohu migrate --db");
        place.run(&["migrate"]).expect(0);
        says(&["household", "--id", "1"], 1, "no such household");
        says(&["import", "missing.csv"], 1, "missing.csv");
        std::fs::rename(&place.keys, place.folder().join("away")).unwrap();
        says(&["household", "--id", "1"], 3, "--keys");
        std::fs::write(&place.keys, "{}").unwrap();
        says(&["household", "--id", "1"], 3, "--keys");
    }
}

#[tokio::test]
async fn a_server_that_is_not_reached_is_named_once_without_the_password() {
    let place = Place::new(Engine::Sqlite).await;
    let url = "postgres://who:secret@127.0.0.1:1/none";
    let run = place.run(&["--lang", "en", "migrate", "--db", url]).expect(3).stderr();
    assert!(run.contains("127.0.0.1:1") && !run.contains("secret"), "{run}");
    assert!(!run.contains("creating a new object"), "{run}");
    assert_eq!(run.matches("refused").count(), 1, "{run}");
}

#[tokio::test]
async fn migrate_says_what_it_did() {
    for engine in Engine::BOTH {
        let place = Place::new(engine).await;
        let migrate = || place.run(&["--lang", "en", "migrate"]).expect(0).stdout();
        let first = migrate();
        assert!(first.contains("created, schema version"), "{first}");
        let second = migrate();
        assert!(second.contains("nothing to do, schema version"), "{second}");
    }
}

#[tokio::test]
async fn files_that_stand_there_are_left_alone_and_named() {
    let place = Place::new(Engine::Sqlite).await;
    let sample = place.sample(20);
    for format in ["csv", "xlsx"] {
        let out = place.folder().join(format).display().to_string();
        let args = ["sample", "--county", "500242", "--households", "20", "--format", format];
        let write = || place.run(&[&args[..], &["--out", &out]].concat());
        write().expect(0);
        let told = write().expect(1).stderr();
        assert!(told.contains(&out), "{told}");
    }
    place.run(&["import", "--json", &sample]).expect(0);
    for (format, name) in [("csv", "out"), ("parquet", "out"), ("xlsx", "out.xlsx")] {
        let out = place.folder().join(name);
        let name = out.display().to_string();
        let args = ["--lang", "zh", "export", "--area", "500242", "--what", "households,areas"];
        let export = |more: &[&str]| {
            place.run(&[&args[..], &["--format", format, "--out", &name], more].concat())
        };
        let told = export(&[]).expect(0).stdout();
        let rows = |sheet: &str| told.lines().any(|line| line.starts_with(sheet));
        assert!(rows("户  ") && told.contains(" 20\n"), "{told}");
        assert!(rows("行政区划"), "{told}");
        let file = if format == "xlsx" { out } else { out.join(format!("households.{format}")) };
        std::fs::write(&file, "mine").unwrap();
        let told = export(&[]).expect(1).stderr();
        assert!(told.contains(&name) && told.contains("--force"), "{told}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        export(&["--force"]).expect(0);
        assert!(std::fs::read(&file).unwrap() != b"mine");
    }
    let file = place.folder().join("file");
    std::fs::write(&file, "mine").unwrap();
    let name = file.display().to_string();
    let args = ["--lang", "en", "export", "--area", "500242", "--format", "csv", "--out", &name];
    let told = place.run(&args).expect(3).stderr();
    assert!(told.contains(&name), "{told}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
}
