//! The settings of a server: one table of them, read in one place from the command line, the
//! environment and the settings file, in this order of precedence.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr};

use daohu_app::{
    Lang,
    http::{Cidr, Enforcement, Tls},
};
use daohu_db::DbUrl;
use toml::de::{DeTable, DeValue};

use crate::{
    cli::{DbArgs, SettingArgs},
    open::{files_path, key_path},
    output::Failure,
};

/// One setting and its three names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    /// In the file.
    pub(crate) name: &'static str,
    pub(crate) flag: &'static str,
    pub(crate) variable: &'static str,
}

const fn setting(name: &'static str, flag: &'static str, variable: &'static str) -> Setting {
    Setting { name, flag, variable }
}

pub(crate) const DB: Setting = setting("db", "--db", "DAOHU_DB");
pub(crate) const KEYS: Setting = setting("keys", "--keys", "DAOHU_KEYS");
pub(crate) const FILES: Setting = setting("files", "--files", "DAOHU_FILES");
pub(crate) const LISTEN: Setting = setting("listen", "--listen", "DAOHU_LISTEN");
pub(crate) const TLS_CERT: Setting = setting("tls_cert", "--tls-cert", "DAOHU_TLS_CERT");
pub(crate) const TLS_KEY: Setting = setting("tls_key", "--tls-key", "DAOHU_TLS_KEY");
pub(crate) const PROXIES: Setting =
    setting("trusted_proxies", "--trusted-proxy", "DAOHU_TRUSTED_PROXIES");
pub(crate) const ORIGIN: Setting =
    setting("public_origin", "--public-origin", "DAOHU_PUBLIC_ORIGIN");
pub(crate) const FACTOR: Setting =
    setting("second_factor", "--second-factor", "DAOHU_SECOND_FACTOR");

/// All of them, in the order in which they are shown.
pub(crate) static SETTINGS: [Setting; 9] =
    [DB, KEYS, FILES, LISTEN, TLS_CERT, TLS_KEY, PROXIES, ORIGIN, FACTOR];

/// Where the server listens unless it is told otherwise: this machine only.
const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
/// How many letters of a name may be wrong for another to be meant.
const TYPOS_MAX: usize = 3;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    CommandLine,
    Environment,
    /// The line of the file.
    File(usize),
    Default,
}

/// A setting with its value, if it has one.
pub(crate) struct Given {
    pub(crate) setting: &'static Setting,
    value: Option<String>,
    pub(crate) origin: Origin,
}

/// What is wrong with the settings.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: &'static str,
    /// The setting as it is called in the file; empty for the file itself.
    pub(crate) setting: String,
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// What was given, not yet understood.
pub(crate) struct Settings {
    pub(crate) given: Vec<Given>,
    pub(crate) file: Option<PathBuf>,
    /// What is wrong with the file.
    pub(crate) faults: Vec<Fault>,
}

/// The settings, understood.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) db: DbArgs,
    pub(crate) files: PathBuf,
    pub(crate) listen: SocketAddr,
    pub(crate) tls: Option<Tls>,
    pub(crate) trusted_proxies: Vec<Cidr>,
    pub(crate) public_origin: Option<String>,
    pub(crate) second_factor: Enforcement,
}

impl Fault {
    pub(crate) fn new(
        code: &'static str,
        setting: impl Into<String>,
        zh: impl Into<String>,
        en: impl Into<String>,
    ) -> Self {
        Self { code, setting: setting.into(), zh: zh.into(), en: en.into() }
    }
}

impl From<Vec<Fault>> for Failure {
    fn from(faults: Vec<Fault>) -> Self {
        let join = |word: fn(&Fault) -> &String| {
            let told = faults.iter().map(|fault| format!("{} [{}]", word(fault), fault.code));
            told.collect::<Vec<_>>().join("\n")
        };
        Self::usage(join(|fault| &fault.zh), join(|fault| &fault.en))
    }
}

impl Given {
    /// As it may be printed: without a password.
    pub(crate) fn shown(&self) -> Option<String> {
        let value = self.value.as_deref()?;
        Some(if *self.setting == DB { masked(value) } else { value.to_owned() })
    }

    /// True if the file holds what is not printed.
    pub(crate) fn is_secret_of_file(&self) -> bool {
        matches!(self.origin, Origin::File(_)) && self.shown() != self.value
    }
}

impl Settings {
    /// Reads everything; an error where there is no such file.
    pub(crate) fn gather(
        args: &SettingArgs,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, Failure> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let file = args.config.clone().or_else(|| variable("DAOHU_CONFIG").map(PathBuf::from));
        let mut settings = Self { given: Vec::new(), file, faults: Vec::new() };
        let lines = settings.read_file()?;
        for setting in &SETTINGS {
            let in_file = lines.iter().find(|(name, ..)| name == setting.name);
            let (value, origin) = if let Some(value) = argument(args, setting) {
                (Some(value), Origin::CommandLine)
            } else if let Some(value) = variable(setting.variable) {
                (Some(value), Origin::Environment)
            } else if let Some((_, value, line)) = in_file {
                (Some(value.clone()), Origin::File(*line))
            } else {
                (default(setting), Origin::Default)
            };
            settings.given.push(Given { setting, value, origin });
        }
        Ok(settings)
    }

    /// The settings of the file as name, value and line.
    fn read_file(&mut self) -> Result<Vec<(String, String, usize)>, Failure> {
        let Some(file) = self.file.clone() else { return Ok(Vec::new()) };
        let path = file.display();
        let text = std::fs::read_to_string(&file).map_err(|error| {
            Failure::usage(
                format!("设置文件 {path}：{error} [config.no_file]"),
                format!("settings file {path}: {error} [config.no_file]"),
            )
        })?;
        let table = match DeTable::parse(&text) {
            Ok(table) => table,
            Err(error) => {
                let line = line_of(&text, error.span().map_or(0, |span| span.start));
                // Not the line's text, which may hold a password.
                let why = error.message();
                self.faults.push(Fault::new(
                    "config.not_toml",
                    "",
                    format!("{path}:{line}：不是 TOML（{why}）"),
                    format!("{path}:{line}: not TOML ({why})"),
                ));
                return Ok(Vec::new());
            }
        };
        let mut found = Vec::new();
        for (key, value) in table.get_ref() {
            let (name, line) = (key.get_ref().to_string(), line_of(&text, key.span().start));
            let place = format!("{path}:{line}");
            let Some(setting) = SETTINGS.iter().find(|setting| setting.name == name) else {
                self.faults.push(unknown(&place, &name));
                continue;
            };
            match written(setting, value.get_ref()) {
                Some(value) => found.push((name, value, line)),
                None => self.faults.push(wrong_type(&place, setting)),
            }
        }
        Ok(found)
    }

    /// The text of a setting.
    pub(crate) fn value(&self, setting: &Setting) -> Option<&str> {
        self.given(setting).and_then(|given| given.value.as_deref())
    }

    fn given(&self, setting: &Setting) -> Option<&Given> {
        self.given.iter().find(|given| given.setting == setting)
    }

    /// Where a setting comes from, as one would look for it.
    pub(crate) fn place(&self, setting: &Setting) -> String {
        match (self.given(setting).map(|given| given.origin), &self.file) {
            (Some(Origin::CommandLine), _) => setting.flag.to_owned(),
            (Some(Origin::Environment), _) => setting.variable.to_owned(),
            (Some(Origin::File(line)), Some(file)) => format!("{}:{line}", file.display()),
            _ => setting.name.to_owned(),
        }
    }

    fn bad(&self, setting: &Setting, zh: &str, en: &str) -> Fault {
        let (name, place) = (setting.name, self.place(setting));
        let shown = self.given(setting).and_then(Given::shown).unwrap_or_default();
        Fault::new(
            "config.bad_value",
            name,
            format!("{place}：{name} 不能是“{shown}”：{zh}"),
            format!("{place}: {name} cannot be {shown:?}: {en}"),
        )
    }

    fn parse<T: FromStr>(&self, setting: &Setting, zh: &str, en: &str) -> Result<T, Fault> {
        let text = self.value(setting).unwrap_or_default();
        text.parse().map_err(|_| self.bad(setting, zh, en))
    }

    pub(crate) fn db(&self) -> Result<DbArgs, Fault> {
        if self.value(&DB).is_none() {
            return Err(Fault::new(
                "config.no_database",
                DB.name,
                "没有指明数据库：请用 --db、DAOHU_DB 或设置文件中的 db",
                "no database is named: give --db, DAOHU_DB or db in the settings file",
            ));
        }
        let db: DbUrl = self.parse(
            &DB,
            "应为 sqlite:路径 或 postgres://用户:密码@主机/库名",
            "write sqlite:PATH or postgres://user:password@host/name",
        )?;
        let args = DbArgs { db, keys: self.value(&KEYS).map(PathBuf::from) };
        key_path(&args).map(|_| ()).map_err(|_| missing(&KEYS))?;
        Ok(args)
    }

    pub(crate) fn files(&self) -> Result<PathBuf, Fault> {
        let files = self.value(&FILES).map(PathBuf::from);
        files_path(&self.db()?, files).map_err(|_| missing(&FILES))
    }

    pub(crate) fn listen(&self) -> Result<SocketAddr, Fault> {
        self.parse(
            &LISTEN,
            "应为 地址:端口，如 127.0.0.1:8080",
            "write an address and a port, as 127.0.0.1:8080",
        )
    }

    pub(crate) fn tls(&self) -> Result<Option<Tls>, Fault> {
        match (self.value(&TLS_CERT), self.value(&TLS_KEY)) {
            (Some(certificates), Some(key)) => {
                Ok(Some(Tls { certificates: certificates.into(), key: key.into() }))
            }
            (None, None) => Ok(None),
            // Half of it must not mean a server without encryption.
            _ => Err(Fault::new(
                "config.half_tls",
                TLS_CERT.name,
                "tls_cert 与 tls_key 必须同时给出",
                "tls_cert and tls_key go together",
            )),
        }
    }

    pub(crate) fn trusted_proxies(&self) -> Result<Vec<Cidr>, Fault> {
        let parse = |cidr: &str| cidr.trim().parse();
        // An empty list names no proxy, not one without a name.
        let text = self.value(&PROXIES).filter(|text| !text.is_empty());
        let parts = text.into_iter().flat_map(|text| text.split(','));
        let parsed: Result<Vec<Cidr>, _> = parts.map(parse).collect();
        parsed.map_err(|_| {
            let (zh, en) = ("应为网段，如 10.0.0.0/8", "write networks, as 10.0.0.0/8");
            self.bad(&PROXIES, zh, en)
        })
    }

    pub(crate) fn public_origin(&self) -> Result<Option<String>, Fault> {
        let Some(text) = self.value(&ORIGIN) else { return Ok(None) };
        // Compared as browsers write it: with nothing behind the host and the port.
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_host = |host: &str| {
            let odd = |c: char| c.is_whitespace() || c.is_uppercase() || "/?#@".contains(c);
            !host.is_empty() && !host.contains(odd)
        };
        if host.is_some_and(is_host) {
            return Ok(Some(text.to_owned()));
        }
        Err(self.bad(
            &ORIGIN,
            "应如 https://daohu.example，小写，主机和端口之后什么都没有",
            "write it as https://daohu.example, in small letters, with nothing behind host and port",
        ))
    }

    pub(crate) fn second_factor(&self) -> Result<Enforcement, Fault> {
        match self.value(&FACTOR) {
            Some("required") => Ok(Enforcement::Required),
            Some("offered") => Ok(Enforcement::Offered),
            _ => Err(self.bad(
                &FACTOR,
                "应为 required（强制）或 offered（自愿）",
                "write required or offered",
            )),
        }
    }

    /// All of them, or everything that is wrong.
    pub(crate) fn understand(self) -> Result<Config, Vec<Fault>> {
        let mut faults = Vec::new();
        let config = self.all(&mut faults);
        faults.splice(..0, self.faults);
        match config {
            Some(config) if faults.is_empty() => Ok(config),
            _ => Err(faults),
        }
    }

    fn all(&self, faults: &mut Vec<Fault>) -> Option<Config> {
        fn keep<T>(parsed: Result<T, Fault>, faults: &mut Vec<Fault>) -> Option<T> {
            parsed.map_err(|fault| faults.push(fault)).ok()
        }
        let db = keep(self.db(), faults);
        // Without a database nobody can tell where its files are: said once.
        let files = db.as_ref().and_then(|_| keep(self.files(), faults));
        let listen = keep(self.listen(), faults);
        let tls = keep(self.tls(), faults);
        let trusted_proxies = keep(self.trusted_proxies(), faults);
        let public_origin = keep(self.public_origin(), faults);
        let second_factor = keep(self.second_factor(), faults);
        Some(Config {
            db: db?,
            files: files?,
            listen: listen?,
            tls: tls?,
            trusted_proxies: trusted_proxies?,
            public_origin: public_origin?,
            second_factor: second_factor?,
        })
    }
}

impl Config {
    /// False where others reach a server that nothing encrypts: behind a trusted proxy it is the proxy
    /// that does.
    pub(crate) fn is_encrypted(&self) -> bool {
        let is_local = self.listen.ip().is_loopback();
        is_local || self.tls.is_some() || !self.trusted_proxies.is_empty()
    }
}

impl Origin {
    /// In words.
    pub(crate) fn says(self, lang: Lang) -> &'static str {
        match self {
            Self::CommandLine => lang.pick("命令行", "command line"),
            Self::Environment => lang.pick("环境变量", "environment"),
            Self::File(_) => lang.pick("设置文件", "file"),
            Self::Default => lang.pick("默认", "default"),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CommandLine => "command_line",
            Self::Environment => "environment",
            Self::File(_) => "file",
            Self::Default => "default",
        })
    }
}

fn argument(args: &SettingArgs, setting: &Setting) -> Option<String> {
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    match setting.name {
        "db" => args.db.as_ref().map(|db| match db {
            DbUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
            // Its Display hides the password.
            DbUrl::Postgres(url) => url.clone(),
        }),
        "keys" => path(&args.keys),
        "files" => path(&args.files),
        "listen" => args.listen.clone(),
        "tls_cert" => path(&args.tls_cert),
        "tls_key" => path(&args.tls_key),
        "trusted_proxies" => (!args.trusted_proxy.is_empty()).then(|| args.trusted_proxy.join(",")),
        "public_origin" => args.public_origin.clone(),
        _ => args.second_factor.clone(),
    }
}

fn default(setting: &Setting) -> Option<String> {
    match setting.name {
        "listen" => Some(LISTEN_DEFAULT.to_string()),
        "second_factor" => Some("required".to_owned()),
        _ => None,
    }
}

/// The value of a line; nothing if it is of another type.
fn written(setting: &Setting, value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::Array(list) if *setting == PROXIES => {
            let texts = list.iter().map(|item| item.get_ref().as_str().map(str::to_owned));
            Some(texts.collect::<Option<Vec<String>>>()?.join(","))
        }
        DeValue::String(text) if *setting != PROXIES => Some(text.to_string()),
        _ => None,
    }
}

fn wrong_type(place: &str, setting: &Setting) -> Fault {
    let name = setting.name;
    let (zh, en) = match *setting == PROXIES {
        true => ("应为一组文字，如 [\"10.0.0.0/8\"]", "write a list of texts, as [\"10.0.0.0/8\"]"),
        false => ("应为文字，写在引号内", "write a text, in quotes"),
    };
    let (zh, en) = (format!("{place}：{name} {zh}"), format!("{place}: {name}: {en}"));
    Fault::new("config.wrong_type", name, zh, en)
}

fn unknown(place: &str, name: &str) -> Fault {
    let near = SETTINGS.iter().map(|setting| setting.name);
    let near = near.map(|known| (strsim::damerau_levenshtein(known, name), known)).min();
    let (mut zh, mut en) =
        (format!("{place}：没有设置项 {name}"), format!("{place}: there is no setting {name}"));
    match near.filter(|(typos, _)| *typos <= TYPOS_MAX) {
        Some((_, known)) => {
            zh += &format!("；是 {known} 吗？");
            en += &format!(": is {known} meant?");
        }
        None => {
            let all: Vec<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
            zh += &format!("；可用的有 {}", all.join("、"));
            en += &format!(": there are {}", all.join(", "));
        }
    }
    Fault::new("config.unknown_setting", name, zh, en)
}

fn missing(setting: &Setting) -> Fault {
    let Setting { name, flag, variable } = setting;
    Fault::new(
        "config.missing",
        *name,
        format!("PostgreSQL 库必须用 {flag}、{variable} 或设置文件中的 {name} 指明"),
        format!("for PostgreSQL give {flag}, {variable} or {name} in the settings file"),
    )
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1
}

/// The address of a database without its password.
fn masked(url: &str) -> String {
    const HIDDEN: &str = "***";
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, query) = rest.split_once('?').map_or((rest, None), |(a, b)| (a, Some(b)));
    let place = match place.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:{HIDDEN}@{host}"),
            None => place.to_owned(),
        },
        None => place.to_owned(),
    };
    let hide = |part: &str| match part.split_once('=') {
        Some(("password", _)) => format!("password={HIDDEN}"),
        _ => part.to_owned(),
    };
    let query = query.map(|query| query.split('&').map(hide).collect::<Vec<_>>().join("&"));
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{place}{query}")
}

#[cfg(test)]
mod tests;
