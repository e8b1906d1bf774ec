//! Settings from their three places, understood or refused.

use super::*;

fn settings(text: &str, args: SettingArgs, variables: &[(&str, &str)]) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daohu.toml");
    std::fs::write(&file, text).unwrap();
    let args = SettingArgs { config: Some(file), ..args };
    let variable = |name: &str| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    Settings::gather(&args, variable).unwrap()
}

fn faults(text: &str) -> Vec<(&'static str, String)> {
    let faults = settings(text, SettingArgs::default(), &[("DAOHU_DB", "sqlite:a")]).understand();
    faults.err().unwrap_or_default().into_iter().map(|fault| (fault.code, fault.en)).collect()
}

#[test]
fn the_command_line_goes_before_the_environment_and_that_before_the_file() {
    let text = "db = \"sqlite:file\"\nlisten = \"127.0.0.1:1\"\nfiles = \"file\"\n";
    let variables = [("DAOHU_LISTEN", "127.0.0.1:2"), ("DAOHU_FILES", "variable")];
    let args = || SettingArgs { listen: Some("127.0.0.1:3".to_owned()), ..SettingArgs::default() };
    let found = settings(text, args(), &variables);
    for (setting, value, origin) in [
        (&LISTEN, Some("127.0.0.1:3"), Origin::CommandLine),
        (&FILES, Some("variable"), Origin::Environment),
        (&DB, Some("sqlite:file"), Origin::File(1)),
        (&FACTOR, Some("required"), Origin::Default),
        (&TLS_CERT, None, Origin::Default),
    ] {
        let given = found.given(setting).unwrap();
        assert_eq!((given.value.as_deref(), given.origin), (value, origin), "{setting:?}");
    }
    let config = found.understand().unwrap();
    assert_eq!(config.listen.port(), 3);
    assert_eq!(config.files, PathBuf::from("variable"));
    // A variable that is empty is as good as none.
    let found = settings(text, SettingArgs::default(), &[("DAOHU_LISTEN", "")]);
    assert_eq!(found.value(&LISTEN), Some("127.0.0.1:1"));
}

#[test]
fn a_setting_that_is_not_known_is_named_with_its_line_and_the_nearest() {
    let found = faults("# mine\n\ntls_crt = \"a\"\n");
    assert_eq!((found.len(), found[0].0), (1, "config.unknown_setting"));
    let text = &found[0].1;
    assert!(text.contains("daohu.toml:3: ") && text.contains("is tls_cert meant?"), "{text}");
    let found = faults("colour_of_the_sky = 1\n");
    assert!(found[0].1.contains("there are db, keys, files"), "{found:?}");
}

#[test]
fn every_fault_is_told_at_once_and_where_it_is() {
    let text = "listen = \"here\"\ntls_cert = \"a\"\ntrusted_proxies = [\"10.0.0.0/99\"]\n\
                public_origin = \"https://a.example/x\"\nsecond_factor = \"no\"\nkeys = 3\n";
    let found = faults(text);
    let codes: Vec<&str> = found.iter().map(|(code, _)| *code).collect();
    assert_eq!(
        codes,
        [
            "config.wrong_type",
            "config.bad_value",
            "config.half_tls",
            "config.bad_value",
            "config.bad_value",
            "config.bad_value",
        ]
    );
    for (line, at) in [(6, 0), (1, 1), (3, 3), (4, 4), (5, 5)] {
        assert!(found[at].1.contains(&format!("daohu.toml:{line}: ")), "{}", found[at].1);
    }
    let found = faults("listen = 127.0.0.1\n");
    assert_eq!(found[0].0, "config.not_toml");
    assert!(found[0].1.contains("daohu.toml:1: "), "{found:?}");
}

#[test]
fn a_list_of_proxies_is_a_list() {
    let args = SettingArgs::default;
    let db = ("DAOHU_DB", "sqlite:a");
    let several = settings("trusted_proxies = [\"10.0.0.0/8\", \"::1\"]\n", args(), &[db]);
    assert_eq!(several.understand().unwrap().trusted_proxies.len(), 2);
    let none = settings("trusted_proxies = []\n", args(), &[db]);
    assert!(none.understand().unwrap().trusted_proxies.is_empty());
    let variable = ("DAOHU_TRUSTED_PROXIES", "10.0.0.0/8, 10.1.0.1");
    assert_eq!(settings("", args(), &[db, variable]).trusted_proxies().unwrap().len(), 2);
    assert_eq!(faults("trusted_proxies = \"10.0.0.0/8\"\n")[0].0, "config.wrong_type");
}

#[test]
fn passwords_are_not_shown() {
    for (url, shown) in [
        ("sqlite:a:b@c", "sqlite:a:b@c"),
        ("postgres://a@h/n", "postgres://a@h/n"),
        ("postgres://a:secret@h:1/n?sslmode=require", "postgres://a:***@h:1/n?sslmode=require"),
        ("postgres://a:se@cret@h/n", "postgres://a:***@h/n"),
        ("postgres://h/n?user=a&password=secret", "postgres://h/n?user=a&password=***"),
    ] {
        assert_eq!(masked(url), shown);
    }
    let text = "db = \"postgres://a:secret@h/n\"\n";
    let found = settings(text, SettingArgs::default(), &[]);
    assert!(found.given[0].is_secret_of_file());
    let told = found.understand().err().unwrap();
    assert!(told.iter().all(|fault| !format!("{fault:?}").contains("secret")), "{told:?}");
    // Nor where the line cannot be read.
    let told = faults("db = \"postgres://a:secret@h/n\n");
    assert!(!told[0].1.contains("secret"), "{told:?}");
}

#[test]
fn postgres_needs_its_key_file_and_folder_named() {
    let text = "db = \"postgres://h/n\"\n";
    let codes = |text: &str| {
        let told = settings(text, SettingArgs::default(), &[]).understand().err().unwrap();
        told.into_iter().map(|fault| (fault.code, fault.setting)).collect::<Vec<_>>()
    };
    assert_eq!(codes(text), [("config.missing", "keys".to_owned())]);
    let text = "db = \"postgres://h/n\"\nkeys = \"k\"\n";
    assert_eq!(codes(text), [("config.missing", "files".to_owned())]);
    assert_eq!(codes(""), [("config.no_database", "db".to_owned())]);
}

#[test]
fn the_example_is_right_and_names_every_setting() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging");
    let text = std::fs::read_to_string(root.join("daohu.toml")).unwrap();
    settings(&text, SettingArgs::default(), &[]).understand().unwrap();
    // What is commented out is right as well, and nothing is missing.
    let line = |line: &str| line.trim_start_matches("# ").to_owned();
    let is_setting =
        |line: &String| SETTINGS.iter().any(|s| line.starts_with(&format!("{} = ", s.name)));
    let lines: Vec<String> = text.lines().map(line).filter(is_setting).collect();
    let found = settings(&lines.join("\n"), SettingArgs::default(), &[]);
    for given in &found.given {
        assert!(matches!(given.origin, Origin::File(_)), "{}", given.setting.name);
        assert!(text.contains(given.setting.variable), "{}", given.setting.variable);
    }
    found.understand().unwrap();
}
