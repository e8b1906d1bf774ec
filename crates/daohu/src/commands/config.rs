//! `daohu config check`: what a server would find wrong when it starts, and some that it would find
//! later.

use std::sync::Arc;
use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

use daohu_app::{Lang, http::Tls, journal, keys::Keys, schema::MIGRATIONS};
use daohu_base::{Clock, SystemClock};
use daohu_db::{Db, DbUrl, Error as DbError, Missing, Options, SchemaState};
use serde_json::{Value, json};

use super::{
    Done,
    serve::{OPEN_EN, OPEN_ZH},
};
use crate::{
    cli::{ConfigCheckArgs, DbArgs},
    config::{self, Fault, Settings},
    open::key_path,
    output::{self, FINDING, Failure, line},
};

/// A certificate that ends earlier is a finding: time to have a new one made.
const DAYS_LEFT_MIN: i64 = 14;
const DAY_MS: i64 = 86_400_000;
/// What others than the owner may do with a file.
const OF_OTHERS: u32 = 0o077;
/// What those may do who are neither the owner nor in the group.
const OF_STRANGERS: u32 = 0o007;

/// What was looked at: fine, with a word about it, or a finding.
struct Check {
    setting: &'static str,
    found: Result<[String; 2], Fault>,
}

type Found = Result<[String; 2], Fault>;

pub(crate) async fn check(args: ConfigCheckArgs, lang: Lang) -> Done {
    let settings = Settings::gather(&args.settings, |name| std::env::var(name).ok())?;
    let checks = look(&settings).await;
    let count = checks.iter().filter(|check| check.found.is_err()).count() + settings.faults.len();
    if args.json {
        output::json(&as_json(&settings, &checks, count == 0, lang))?;
    } else {
        print(&settings, &checks, count, lang)?;
    }
    Ok(if count == 0 { ExitCode::SUCCESS } else { ExitCode::from(FINDING) })
}

async fn look(settings: &Settings) -> Vec<Check> {
    let mut checks = Vec::new();
    let mut add = |setting: &config::Setting, found: Option<Found>| {
        checks.extend(found.map(|found| Check { setting: setting.name, found }));
    };
    add(&config::DB, settings_file(settings).transpose());
    match settings.db() {
        Ok(db) => {
            let (found, opened) = database(&db).await;
            add(&config::DB, Some(found));
            add(&config::KEYS, Some(keys(&db, opened).await));
            add(&config::FILES, Some(settings.files().and_then(|folder| files(&folder))));
        }
        Err(fault) => add(&config::DB, Some(Err(fault))),
    }
    let listening = settings.listen().and_then(listening);
    add(&config::LISTEN, Some(listening));
    add(
        &config::TLS_CERT,
        settings.tls().and_then(|tls| tls.map(certificate).transpose()).transpose(),
    );
    add(&config::PROXIES, Some(proxies(settings)));
    add(&config::ORIGIN, settings.public_origin().transpose().map(as_given));
    add(&config::FACTOR, settings.second_factor().err().map(Err));
    checks
}

fn as_given(origin: Result<String, Fault>) -> Found {
    origin.map(|origin| [origin.clone(), origin])
}

fn fine(zh: impl Into<String>, en: impl Into<String>) -> Found {
    Ok([zh.into(), en.into()])
}

/// Whether strangers read the password in the file.
fn settings_file(settings: &Settings) -> Result<Option<[String; 2]>, Fault> {
    let Some(file) = &settings.file else { return Ok(None) };
    let has_password = settings.given.iter().any(|given| given.is_secret_of_file());
    if has_password && mode(file).unwrap_or_default() & OF_STRANGERS != 0 {
        let file = file.display();
        return Err(Fault::new(
            "config.password_readable",
            "db",
            format!("{file} 含数据库密码，而其他人可以读取：chmod o= {file}"),
            format!(
                "{file} holds the database's password and anybody may read it: chmod o= {file}"
            ),
        ));
    }
    Ok(None)
}

/// Whether the database is there or can be made; and itself, if it is there.
async fn database(args: &DbArgs) -> (Found, Option<Db>) {
    let fault = |code, failure: Failure| {
        let [zh, en] = failure.texts();
        Err(Fault::new(code, "db", zh, en))
    };
    let options = Options { missing: Missing::Refuse, readers: 1, ..Options::default() };
    let db = match Db::open(&args.db, options).await {
        Ok(db) => db,
        Err(DbError::NoDatabase(place)) => return (absent(args, &place), None),
        Err(error) => return (fault("config.database", error.into()), None),
    };
    let state = match db.schema(&MIGRATIONS).await {
        Ok(state) => state,
        Err(error) => return (fault("config.database", error.into()), None),
    };
    if let DbUrl::Sqlite(path) = &args.db
        && let Err(fault) = writable(path.parent(), "db")
    {
        return (Err(fault), Some(db));
    }
    let place = &args.db;
    match state {
        SchemaState::Empty => (will_be_made(place), None),
        SchemaState::Older { found } => {
            let zh = format!("{place} 的结构版本是 {found}，服务启动时升级");
            (
                fine(zh, format!("{place} has schema {found}; a server brings it up to date")),
                Some(db),
            )
        }
        SchemaState::Current => {
            (fine(format!("{place} 可用"), format!("{place} is there")), Some(db))
        }
    }
}

fn will_be_made(place: &DbUrl) -> Found {
    fine(
        format!("{place} 还没有，服务启动时建立"),
        format!("{place} is not there yet; a server makes it"),
    )
}

fn absent(args: &DbArgs, place: &str) -> Found {
    match &args.db {
        DbUrl::Sqlite(path) => writable(path.parent(), "db").and_then(|()| will_be_made(&args.db)),
        DbUrl::Postgres(_) => Err(Fault::new(
            "config.database",
            "db",
            format!("{place} 没有这个数据库；请先建立：createdb"),
            format!("there is no database at {place}: make it with createdb"),
        )),
    }
}

/// Whether the key file is there, its owner's alone, and that of the database.
async fn keys(args: &DbArgs, opened: Option<Db>) -> Found {
    let fault = |code, zh: String, en: String| Err(Fault::new(code, "keys", zh, en));
    let path = key_path(args).unwrap_or_default();
    let shown = path.display();
    if !path.exists() && opened.is_none() {
        writable(path.parent(), "keys")?;
        return fine(
            format!("{shown} 还没有，建库时生成"),
            format!("{shown} is not there yet; it is made with the database"),
        );
    }
    let keys = match Keys::load(&path) {
        Ok(keys) => keys,
        Err(error) => {
            let [zh, en] = Failure::from(error).texts();
            return fault("config.keys", zh, en);
        }
    };
    if mode(&path).unwrap_or_default() & OF_OTHERS != 0 {
        let zh = format!("{shown} 不只是所有者可以访问：chmod 600 {shown}");
        let en = format!("{shown} is open to others than its owner: chmod 600 {shown}");
        return fault("config.keys_readable", zh, en);
    }
    let fits = match &opened {
        Some(db) => journal::opens(db, &Arc::new(keys)).await,
        None => Ok(true),
    };
    match fits {
        Ok(true) => fine(format!("{shown} 可用"), format!("{shown} opens the database")),
        Ok(false) => fault(
            "config.keys_differ",
            format!("{shown} 不是这个数据库的密钥文件"),
            format!("{shown} is not the key file of this database"),
        ),
        Err(error) => {
            let [zh, en] = Failure::from(error).texts();
            fault("config.database", zh, en)
        }
    }
}

/// Whether the folder of jobs' files can be had and is the server's alone.
fn files(folder: &Path) -> Found {
    let shown = folder.display();
    if !folder.exists() {
        writable(folder.parent(), "files")?;
        return fine(
            format!("{shown} 还没有，服务启动时建立"),
            format!("{shown} is not there yet; a server makes it"),
        );
    }
    writable(Some(folder), "files")?;
    if mode(folder).unwrap_or_default() & OF_OTHERS != 0 {
        return Err(Fault::new(
            "config.files_readable",
            "files",
            format!("{shown} 存放完整号码，而其他人可以进入：chmod 700 {shown}"),
            format!("{shown} holds full numbers and others may enter it: chmod 700 {shown}"),
        ));
    }
    fine(format!("{shown} 可用"), format!("{shown} is private"))
}

/// Whether the certificate can be used, and for how long.
fn certificate(tls: Tls) -> Found {
    let fault = |code, zh: String, en: String| Err(Fault::new(code, "tls_cert", zh, en));
    let until = match tls.valid_until() {
        Ok(until) => until,
        Err(error) => {
            let zh = format!("证书或私钥不能用：{error}");
            return fault("config.tls", zh, format!("the certificate cannot be used: {error}"));
        }
    };
    let days = (until.0 - SystemClock.now().0).div_euclid(DAY_MS);
    let (shown, day) = (tls.certificates.display(), until.day());
    if mode(&tls.key).unwrap_or_default() & OF_STRANGERS != 0 {
        let key = tls.key.display();
        let zh = format!("{key} 其他人可以读取：chmod o= {key}");
        return fault(
            "config.tls_key_readable",
            zh,
            format!("anybody may read {key}: chmod o= {key}"),
        );
    }
    match days {
        ..0 => {
            let zh = format!("{shown} 已于 {day} 过期");
            fault("config.tls_expired", zh, format!("{shown} expired on {day}"))
        }
        0..DAYS_LEFT_MIN => {
            let zh = format!("{shown} 将于 {day} 过期，还有 {days} 天");
            fault("config.tls_expires", zh, format!("{shown} expires on {day}, in {days} days"))
        }
        _ => fine(
            format!("{shown} 有效至 {day}，还有 {days} 天"),
            format!("{shown} is valid until {day}, for {days} days"),
        ),
    }
}

fn proxies(settings: &Settings) -> Found {
    let count = settings.trusted_proxies()?.len();
    let text = settings.value(&config::PROXIES).unwrap_or_default();
    if text.split(',').any(|cidr| cidr.trim().ends_with("/0")) {
        return Err(Fault::new(
            "config.trusts_everybody",
            "trusted_proxies",
            format!("{text} 信任所有人：任何人都可以伪造来源地址"),
            format!("{text} trusts everybody: anybody may make up where a request comes from"),
        ));
    }
    let is_open = settings.listen().is_ok_and(|listen| !listen.ip().is_loopback());
    if count == 0 && is_open && matches!(settings.tls(), Ok(None)) {
        return Err(Fault::new("config.not_encrypted", "listen", OPEN_ZH, OPEN_EN));
    }
    fine(format!("{count} 个网段"), format!("{count} networks"))
}

/// Whether the address is free, or taken by a server of ours.
fn listening(address: SocketAddr) -> Found {
    match TcpListener::bind(address) {
        Ok(_) => fine(format!("{address} 空闲"), format!("{address} is free")),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_ours(address.port()) => fine(
            format!("{address} 由正在运行的到户服务使用"),
            format!("{address} is taken by a Daohu server that runs"),
        ),
        Err(error) => Err(Fault::new(
            "config.listen",
            "listen",
            format!("不能监听 {address}（{error}）"),
            format!("cannot listen on {address} ({error})"),
        )),
    }
}

/// True if a process of this program listens on the port, as far as we may look.
fn is_ours(port: u16) -> bool {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(fs::read_to_string);
    let sockets: Vec<String> = tables
        .iter()
        .flatten()
        .flat_map(|table| table.lines())
        .filter_map(|l| inode(l, port))
        .collect();
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    let own = fs::read_to_string("/proc/self/comm").unwrap_or_default();
    processes.flatten().map(|process| process.path()).any(|process| {
        fs::read_to_string(process.join("comm")).is_ok_and(|name| name == own)
            && links(&process.join("fd")).any(|link| sockets.contains(&link))
    })
}

/// What a process has open.
fn links(folder: &Path) -> impl Iterator<Item = String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let targets = entries.filter_map(|entry| fs::read_link(entry.path()).ok());
    targets.map(|target: PathBuf| target.display().to_string())
}

/// The socket of a line of `/proc/net/tcp` that listens on the port, as its processes call it.
fn inode(line: &str, port: u16) -> Option<String> {
    const LISTENING: &str = "0A";
    let mut words = line.split_whitespace().skip(1);
    let (local, state) = (words.next()?, words.nth(1)?);
    let is_meant = state == LISTENING && local.ends_with(&format!(":{port:04X}"));
    // Queues, timer, retransmissions, user, timeout stand before it.
    let inode = words.nth(5)?;
    is_meant.then(|| format!("socket:[{inode}]"))
}

fn mode(path: &Path) -> Option<u32> {
    fs::metadata(path).ok().map(|found| found.permissions().mode())
}

/// Whether a file can be made in a folder, by making one without a name.
fn writable(folder: Option<&Path>, setting: &'static str) -> Result<(), Fault> {
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    tempfile::tempfile_in(folder).map(drop).map_err(|error| {
        let folder = folder.display();
        Fault::new(
            "config.not_writable",
            setting,
            format!("不能写入目录 {folder}：{error}"),
            format!("the folder {folder} cannot be written: {error}"),
        )
    })
}

fn as_json(settings: &Settings, checks: &[Check], is_fine: bool, lang: Lang) -> Value {
    let given = settings.given.iter().map(|given| {
        let place = settings.place(given.setting);
        let value = json!({
            "value": given.shown(),
            "origin": given.origin.to_string(),
            "place": place,
        });
        (given.setting.name.to_owned(), value)
    });
    let fault = |fault: &Fault| {
        let message = lang.pick(&fault.zh, &fault.en);
        json!({ "setting": fault.setting, "is_fine": false, "code": fault.code, "message": message })
    };
    let rows = checks.iter().map(|check| match &check.found {
        Ok([zh, en]) => {
            let message = lang.pick(zh, en);
            json!({ "setting": check.setting, "is_fine": true, "code": null, "message": message })
        }
        Err(found) => fault(found),
    });
    json!({
        "is_fine": is_fine,
        "file": settings.file,
        "settings": given.collect::<serde_json::Map<_, _>>(),
        "checks": settings.faults.iter().map(fault).chain(rows).collect::<Vec<_>>(),
    })
}

fn print(settings: &Settings, checks: &[Check], count: usize, lang: Lang) -> Result<(), Failure> {
    for given in &settings.given {
        let value = given.shown().unwrap_or_else(|| "-".to_owned());
        let (origin, place) = (given.origin.says(lang), settings.place(given.setting));
        let place = if given.origin == config::Origin::Default { String::new() } else { place };
        line(
            format_args!("{:<16} {value:<40} {origin} {place}", given.setting.name)
                .to_string()
                .trim_end(),
        )?;
    }
    line("")?;
    let mut tell = |fault: &Fault| {
        let (mark, text) = (lang.pick("问题", "finding"), lang.pick(&fault.zh, &fault.en));
        line(format_args!("{mark:<8} {text} [{}]", fault.code))
    };
    settings.faults.iter().try_for_each(&mut tell)?;
    for check in checks {
        match &check.found {
            Ok([zh, en]) => {
                let (mark, text) = (lang.pick("正常", "fine"), lang.pick(zh, en));
                line(format_args!("{mark:<8} {}: {text}", check.setting))?;
            }
            Err(fault) => tell(fault)?,
        }
    }
    line(match (count, lang) {
        (0, Lang::Zh) => "设置没有问题".to_owned(),
        (0, Lang::En) => "the settings are fine".to_owned(),
        (count, Lang::Zh) => format!("{count} 个问题"),
        (count, Lang::En) => format!("{count} findings"),
    })
}
