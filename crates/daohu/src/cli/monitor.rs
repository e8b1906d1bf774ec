//! The arguments of monitoring.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use daohu_base::{AreaCode, Day};

use super::{DbArgs, parse_area, parse_day};

#[derive(Debug, Subcommand)]
pub(crate) enum MonitorCommand {
    /// Ask all guarantees in force on a day of every household of an area.
    Run(MonitorRunArgs),
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
