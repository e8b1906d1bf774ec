//! The arguments. Names are fixed: scripts rely on them.

mod crosscheck;
mod monitor;
mod parse;
mod policy;
mod predict;

use std::{net::SocketAddr, path::PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use daohu_app::{Lang, suspects::Verdict};
use daohu_base::{AreaCode, Day};
use daohu_db::DbUrl;

pub(crate) use self::crosscheck::CrosscheckArgs;
pub(crate) use self::monitor::{
    IndicesArgs, MonitorCommand, MonitorExplainArgs, MonitorProveArgs, MonitorRunArgs,
    MonitorTrajectoryArgs, MonitorWarnArgs, WhatIfArgs,
};
use self::parse::{parse_amount, parse_area, parse_day, parse_level, parse_verdict, parse_yuan};
pub(crate) use self::policy::{
    PolicyCheckArgs, PolicyCommand, PolicyExplainArgs, PolicyListArgs, PolicyLoadArgs,
    PolicyWithdrawArgs, SomeDbArgs,
};
pub(crate) use self::predict::PredictArgs;

/// Daohu 到户: the registry of targeted poverty alleviation.
#[derive(Debug, Parser)]
#[command(name = "daohu", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    /// The language of messages: zh or en (default: from LC_ALL, LC_MESSAGES or LANG).
    #[arg(long, global = true, value_enum)]
    lang: Option<LangArg>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum LangArg {
    Zh,
    En,
}

impl Cli {
    /// The language asked for, or that of the environment; Chinese unless it says English.
    pub(crate) fn lang(&self) -> Lang {
        match self.lang {
            Some(LangArg::Zh) => Lang::Zh,
            Some(LangArg::En) => Lang::En,
            None => {
                // As POSIX orders them; one that is empty is as good as not set.
                let names = ["LC_ALL", "LC_MESSAGES", "LANG"];
                let mut set = names.iter().filter_map(|name| std::env::var(name).ok());
                match set.find(|value| !value.is_empty()) {
                    Some(lang) if lang.starts_with("en") => Lang::En,
                    _ => Lang::Zh,
                }
            }
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Load a sample county into ./daohu-data and serve it.
    Demo(DemoArgs),
    /// Serve the interface.
    Serve(SettingArgs),
    /// The settings of a server.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Create the database, or bring it up to date.
    Migrate(MigrateArgs),
    /// Write a made-up county or province in the exchange format.
    Sample(SampleArgs),
    /// Import spreadsheets: all of them or none.
    Import(ImportArgs),
    /// Export spreadsheets that `import` reads back.
    Export(ExportArgs),
    /// Write all tables to one encrypted file, while servers go on.
    Backup(BackupArgs),
    /// Put a backup into an empty database of either engine: all of it or nothing.
    Restore(RestoreArgs),
    /// Copy a database into an empty one of either engine: all of it or nothing.
    Copy(CopyArgs),
    /// Show one household, now or on a past day.
    Household(HouseholdArgs),
    /// Undo an import on which nothing was built.
    Undo(UndoArgs),
    /// The tree of areas.
    #[command(subcommand)]
    Area(AreaCommand),
    /// Who answers for the households and villages of an area, and where nobody does.
    Coverage(CoverageArgs),
    /// How good the records of an area are: which rules are broken, where and how often.
    Quality(QualityArgs),
    /// Which households of an area have what it takes to be out of poverty, lack it, or are not known to have it.
    #[command(subcommand)]
    Monitor(MonitorCommand),
    /// Indices of poverty of an area: incidence, depth, severity, inequality, and in how many ways households are poor.
    Indices(IndicesArgs),
    /// How likely each household is to stand above the poverty line next year, what income it may expect, and why; and how
    /// good such predictions would have been in past years. It advises and never decides.
    Predict(PredictArgs),
    /// Policy packs.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// Look members up in lists of departments (vehicles, deaths, the school roll …); each hit is a lead.
    Crosscheck(CrosscheckArgs),
    /// Pairs of persons of an area who may be one, and what was judged of them.
    Suspects(SuspectsArgs),
    /// The journal of all changes.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Accounts and their roles.
    #[command(subcommand)]
    User(UserCommand),
    /// The key file.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the OpenAPI document.
    #[command(hide = true)]
    Openapi,
}

/// Where the data is and what opens it.
#[derive(Clone, Debug, Args)]
pub(crate) struct DbArgs {
    /// sqlite:PATH or postgres://user:password@host/name
    #[arg(long, env = "DAOHU_DB", hide_env_values = true)]
    pub(crate) db: DbUrl,
    /// The key file (default: beside a SQLite file; required for PostgreSQL).
    #[arg(long, env = "DAOHU_KEYS")]
    pub(crate) keys: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// The folder of the demonstration's database.
    #[arg(long, default_value = "daohu-data")]
    pub(crate) data: PathBuf,
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) listen: SocketAddr,
    /// The sample county.
    #[arg(long, default_value = "500242")]
    pub(crate) county: String,
    /// Its registered households.
    #[arg(long, default_value_t = 32_377)]
    pub(crate) households: u64,
}

/// The settings of a server. `config.rs` knows where else they are given.
#[derive(Debug, Default, Args)]
pub(crate) struct SettingArgs {
    /// sqlite:PATH or postgres://user:password@host/name
    ///
    /// Every setting may also stand in the file, or in a variable: DAOHU_DB, DAOHU_KEYS,
    /// DAOHU_FILES, DAOHU_LISTEN, DAOHU_TLS_CERT, DAOHU_TLS_KEY, DAOHU_TRUSTED_PROXIES,
    /// DAOHU_PUBLIC_ORIGIN, DAOHU_SECOND_FACTOR, DAOHU_CONFIG.
    #[arg(long)]
    pub(crate) db: Option<DbUrl>,
    /// The key file (default: beside a SQLite file; required for PostgreSQL).
    #[arg(long)]
    pub(crate) keys: Option<PathBuf>,
    /// The folder for files of uploads and exports, which nobody else may read (default: beside a
    /// SQLite file; required for PostgreSQL). Several servers of one database share it.
    #[arg(long)]
    pub(crate) files: Option<PathBuf>,
    /// Address and port (default: 127.0.0.1:8080).
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// PEM file of the certificate.
    #[arg(long)]
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file of its key.
    #[arg(long)]
    pub(crate) tls_key: Option<PathBuf>,
    /// Proxies whose X-Forwarded-For is believed.
    #[arg(long, value_name = "CIDR")]
    pub(crate) trusted_proxy: Vec<String>,
    /// https://HOST as browsers see it, where a proxy changes the Host header.
    #[arg(long)]
    pub(crate) public_origin: Option<String>,
    /// Whether roles that need a second factor can do without (default: required).
    #[arg(long, value_parser = ["required", "offered"])]
    pub(crate) second_factor: Option<String>,
    /// A file with the same settings. Arguments go before variables, variables before the file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Check the settings of a server and what they name, and show where each comes from.
    Check(ConfigCheckArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ConfigCheckArgs {
    #[command(flatten)]
    pub(crate) settings: SettingArgs,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MigrateArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("place").required(true).args(["county", "province"]))]
pub(crate) struct SampleArgs {
    /// Six digits.
    #[arg(long)]
    pub(crate) county: Option<String>,
    /// Two digits.
    #[arg(long)]
    pub(crate) province: Option<String>,
    #[arg(long)]
    pub(crate) households: u64,
    /// Everything random follows from it.
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// The last year of income.
    #[arg(long, default_value_t = 2015)]
    pub(crate) year: u16,
    /// The folder to write to.
    #[arg(long)]
    pub(crate) out: PathBuf,
    #[arg(long, value_enum, default_value_t = FormatArg::Csv)]
    pub(crate) format: FormatArg,
    /// The share of rows that is spoiled as spreadsheets are, from 0 to 1.
    #[arg(long, default_value_t = 0.0)]
    pub(crate) dirty: f64,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormatArg {
    Csv,
    Xlsx,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Say what would happen, store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// What a refused row does: nothing goes in, or all the others.
    #[arg(long, value_enum, default_value_t = OnErrorArg::Abort)]
    pub(crate) on_error: OnErrorArg,
    /// What a blank cell does to a stored value.
    #[arg(long, value_enum, default_value_t = BlankArg::Keep)]
    pub(crate) blank: BlankArg,
    /// Write every row with its outcome to this workbook.
    #[arg(long)]
    pub(crate) report: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
    /// Workbooks, CSV files or folders of them.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum OnErrorArg {
    Abort,
    RejectRow,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BlankArg {
    Keep,
    Clears,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormatArg {
    Csv,
    Xlsx,
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// The area whose rows are wanted.
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// areas, organisations, villages, cadres, teams, households, persons, incomes, pairings, targets,
    /// indicators or all; several separated by commas
    #[arg(long, default_value = "all")]
    pub(crate) what: String,
    /// Without the numbers that name a person.
    #[arg(long)]
    pub(crate) masked: bool,
    #[arg(long, value_enum, default_value_t = ExportFormatArg::Xlsx)]
    pub(crate) format: ExportFormatArg,
    /// The file (xlsx) or folder (csv, parquet) to write.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Replace files that are there.
    #[arg(long)]
    pub(crate) force: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// The file to write; one that is there is not replaced.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// The empty database to fill; its key file is that of the database that was backed up.
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) json: bool,
    /// What `daohu backup` wrote.
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CopyArgs {
    /// sqlite:PATH or postgres://user:password@host/name
    #[arg(long, value_name = "URL")]
    pub(crate) from: DbUrl,
    /// The empty database to fill.
    #[arg(long, value_name = "URL")]
    pub(crate) to: DbUrl,
    /// The key file of both (default: beside a SQLite file that is copied; required for PostgreSQL).
    #[arg(long, env = "DAOHU_KEYS")]
    pub(crate) keys: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct HouseholdArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// 户编号, with COUNTY/ before it where several counties have it.
    #[arg(long)]
    pub(crate) id: String,
    /// As it was at the end of this day.
    #[arg(long, value_parser = parse_day)]
    pub(crate) as_of: Option<Day>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UndoArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Say what would happen, store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) json: bool,
    /// List what was imported, the latest first, in place of undoing anything.
    #[arg(long, conflicts_with_all = ["id", "dry_run"])]
    pub(crate) list: bool,
    /// The import's id, as `daohu import` or `--list` told it.
    #[arg(required_unless_present = "list")]
    pub(crate) id: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AreaCommand {
    /// Rename areas, give them other codes, merge and split them (区划调整).
    Change(AreaChangeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AreaChangeArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// The first day of the new codes: today or a day before.
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Day,
    /// The number of the document that orders it.
    #[arg(long)]
    pub(crate) document: Option<String>,
    /// Say what would happen, store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) json: bool,
    /// A CSV file with the columns 原代码, 新代码, 新名称, 村民小组, 户编号; the last two only where a village is
    /// split, several of them separated by 、
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// The day that it holds for (default: today).
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SuspectsArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// open, different, same or merged (default: all who are suspected).
    #[arg(long, value_parser = parse_verdict)]
    pub(crate) verdict: Option<Verdict>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct QualityArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// One rule alone: R17. For people, the records that break it are listed.
    #[arg(long)]
    pub(crate) rule: Option<String>,
    /// So many of these records at most.
    #[arg(long, default_value_t = 50, requires = "rule")]
    pub(crate) limit: usize,
    /// The day whose rules hold, and that ages are counted to (default: today).
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    /// How much each cadre who answers for households is to see put right, instead of how good the records are.
    #[arg(long)]
    pub(crate) worklist: bool,
    /// What the report came to on the days of the last year, instead of what it comes to now; above counties, the sums of what it
    /// came to in each county the last time.
    #[arg(long, conflicts_with_all = ["worklist", "record", "rule", "on"])]
    pub(crate) trend: bool,
    /// Keep what the report of each area in a county comes to now as today's point of its trend. A server does so by itself, at its
    /// first look of a day at which something of the county is new, unless an import runs.
    #[arg(long, conflicts_with_all = ["worklist", "rule", "on"])]
    pub(crate) record: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JournalCommand {
    /// Check that nothing was changed behind the journal.
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Also compare every row with its last entry.
    #[arg(long)]
    pub(crate) deep: bool,
    /// A file with a checkpoint: what an earlier `journal verify` printed, plain or with --json, kept
    /// where this database's owner cannot change it.
    #[arg(long, value_name = "FILE")]
    pub(crate) checkpoint: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Create an account; prints its initial password unless one is given.
    Add(UserAddArgs),
    /// Give an account a role in an area.
    Role(UserRoleArgs),
    /// Set a new password; prints an initial one unless one is given.
    Passwd(UserPasswdArgs),
    /// The second factor of an account: one-time codes.
    Totp(UserTotpArgs),
    /// List the accounts.
    List(UserListArgs),
}

#[derive(Debug, Args)]
pub(crate) struct UserAddArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) name: String,
    /// As people call him or her (default: the name).
    #[arg(long)]
    pub(crate) display_name: Option<String>,
    /// Read the password from standard input.
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// A role to give at once.
    #[arg(long)]
    pub(crate) role: Option<String>,
    /// The area of the role; none for the three administrators.
    #[arg(long, requires = "role", value_parser = parse_area)]
    pub(crate) area: Option<AreaCode>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserRoleArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long)]
    pub(crate) role: String,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: Option<AreaCode>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserPasswdArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) name: String,
    /// Read the password from standard input.
    #[arg(long)]
    pub(crate) password_stdin: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("deed").required(true).args(["status", "enrol", "reset"]))]
pub(crate) struct UserTotpArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) name: String,
    /// Since when codes are asked for, and how many recovery codes are left.
    #[arg(long)]
    pub(crate) status: bool,
    /// Make a secret that is in force at once; prints it, to be handed out, with recovery codes.
    #[arg(long)]
    pub(crate) enrol: bool,
    /// Ask for no codes any more, and end the sessions.
    #[arg(long)]
    pub(crate) reset: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct UserListArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new sealing key and seal every number and second factor with it.
    Rotate(RotateArgs),
}

#[derive(Debug, Args)]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) json: bool,
}
