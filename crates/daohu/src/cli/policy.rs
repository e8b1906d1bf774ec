//! The arguments of policy packs.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use daohu_base::{AreaCode, Day};
use daohu_db::DbUrl;

use super::{DbArgs, parse_area, parse_day};

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// Look whether the packs of a folder can be used, and say all that is wrong, where, if not.
    Check(PolicyCheckArgs),
    /// Publish the packs of a folder: they go before what the program carries and what was published before, item by item.
    /// Servers of the database take them up within seconds.
    Load(PolicyLoadArgs),
    /// Take back what was published under a name.
    Withdraw(PolicyWithdrawArgs),
    /// List what was published, the last first.
    List(PolicyListArgs),
    /// Print the JSON Schema of a file of packs, for editors.
    Schema,
    /// Say what holds in an area on a day, where it stands and where it comes from.
    Explain(PolicyExplainArgs),
}

/// A database, if one is meant.
#[derive(Debug, Args)]
pub(crate) struct SomeDbArgs {
    /// sqlite:PATH or postgres://user:password@host/name: what is published there counts too
    #[arg(long, env = "DAOHU_DB", hide_env_values = true)]
    pub(crate) db: Option<DbUrl>,
    /// The key file (default: beside a SQLite file; required for PostgreSQL).
    #[arg(long, env = "DAOHU_KEYS")]
    pub(crate) keys: Option<PathBuf>,
}

impl SomeDbArgs {
    /// The database, if one is meant.
    pub(crate) fn given(&self) -> Option<DbArgs> {
        self.db.clone().map(|db| DbArgs { db, keys: self.keys.clone() })
    }
}

#[derive(Debug, Args)]
pub(crate) struct PolicyCheckArgs {
    /// The folder: its *.toml files, those of its folders included, in the order of their names.
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) db: SomeDbArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyLoadArgs {
    /// The folder: its *.toml files, those of its folders included, in the order of their names.
    pub(crate) dir: PathBuf,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// What the pack is called; it takes the place of what was published under this name (default: the folder's name).
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Why, for those who look at it later.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    /// Say what would happen, and publish nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyWithdrawArgs {
    /// What the pack is called.
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// Why, for those who look at it later.
    #[arg(long, default_value = "")]
    pub(crate) note: String,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyListArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyExplainArgs {
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Day,
    /// What is explained, such as `line` (default: all that differs by area).
    #[arg(long)]
    pub(crate) item: Option<String>,
    #[command(flatten)]
    pub(crate) db: SomeDbArgs,
    /// A folder of packs (*.toml) that go before all others, for this question alone.
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}
