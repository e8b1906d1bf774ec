//! The arguments of monitoring.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use daohu_base::{AreaCode, AreaLevel, Day, Fen};

use super::{DbArgs, parse_amount, parse_area, parse_day, parse_level, parse_yuan};

#[derive(Debug, Subcommand)]
pub(crate) enum MonitorCommand {
    /// Ask all guarantees in force on a day of every household of an area.
    Run(MonitorRunArgs),
    /// Say why a household has a guarantee, lacks it, or is not known to: the parts of the rules in words, with the values and who
    /// wrote them.
    Explain(MonitorExplainArgs),
    /// Tell a household's trajectory: when its state changed and by what, its spells of poverty, its incomes beside the line.
    Trajectory(MonitorTrajectoryArgs),
    /// Keep what the rules warn of: raise, clear and return warnings, as a server does every hour.
    Warn(MonitorWarnArgs),
    /// Prove that the households that a server saved, brought up to the database, are those that stand in it.
    Prove(MonitorProveArgs),
    /// Change a standard, a rule or a transfer in thought, and see who falls in or out and what it costs.
    Whatif(WhatIfArgs),
}

#[derive(Debug, Args)]
pub(crate) struct MonitorRunArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// The day on which members, ages and the year of income are looked at.
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Day,
    /// A folder of packs (*.toml) that go before those of the database, for this run alone.
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    /// Write a line for each household to this CSV file.
    #[arg(long)]
    pub(crate) out: Option<PathBuf>,
    /// Ask so many times, and tell the median of what it took: for measuring.
    #[arg(long, hide = true, default_value_t = 1)]
    pub(crate) repeat: usize,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorWarnArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// The area (default: all there is).
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: Option<AreaCode>,
    /// The day that the rules are asked about (default: the end of the last year whose accounts are closed).
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Option<Day>,
    /// Say what would be done, and store nothing.
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorProveArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// The folder of the server's files (default: beside a SQLite database).
    #[arg(long)]
    pub(crate) files: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorTrajectoryArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// 户编号, or COUNTY/户编号 where several counties have it.
    #[arg(long)]
    pub(crate) household: String,
    /// Events before this day (default: up to now).
    #[arg(long, value_parser = parse_day)]
    pub(crate) before: Option<Day>,
    /// So many events, the last ones first.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: usize,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct MonitorExplainArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    /// 户编号, or COUNTY/户编号 where several counties have it.
    #[arg(long)]
    pub(crate) household: String,
    /// The day on which members, ages and the year of income are looked at.
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Day,
    /// By what was on record on this day, as the journal tells it (default: what is on record now).
    #[arg(long, value_parser = parse_day)]
    pub(crate) as_of: Option<Day>,
    /// A folder of packs (*.toml) that go before those of the database, for this question alone.
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct WhatIfArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// The day on which members, ages and the year of income are looked at.
    #[arg(long, value_parser = parse_day)]
    pub(crate) on: Day,
    /// Another amount of a standard, such as line=3200; may stand several times.
    #[arg(long, value_parser = parse_amount)]
    pub(crate) set: Vec<(String, String)>,
    /// So many yuan a head and year for households of a class.
    #[arg(long, value_parser = parse_yuan)]
    pub(crate) transfer: Option<Fen>,
    /// Who has the transfer: a class of the packs (default: all).
    #[arg(long, requires = "transfer")]
    pub(crate) to: Option<String>,
    /// A folder of packs (*.toml) with other rules.
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    /// Tell it by county, township or village too.
    #[arg(long, value_parser = parse_level)]
    pub(crate) by: Option<AreaLevel>,
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IndicesArgs {
    #[command(flatten)]
    pub(crate) db: DbArgs,
    #[arg(long, value_parser = parse_area)]
    pub(crate) area: AreaCode,
    /// The year of incomes; guarantees are asked on its last day.
    #[arg(long)]
    pub(crate) year: i64,
    /// Tell it by county, township or village too.
    #[arg(long, value_parser = parse_level)]
    pub(crate) by: Option<AreaLevel>,
    /// Of the households of a class of the packs alone, by its id.
    #[arg(long)]
    pub(crate) class: Option<String>,
    /// A folder of packs (*.toml) that go before those of the database, for this question alone.
    #[arg(long)]
    pub(crate) pack: Option<PathBuf>,
    #[arg(long)]
    pub(crate) json: bool,
}
