//! The subcommands, one file each.

pub(crate) mod area;
pub(crate) mod backup;
pub(crate) mod config;
pub(crate) mod copy;
pub(crate) mod coverage;
pub(crate) mod crosscheck;
pub(crate) mod demo;
pub(crate) mod export;
pub(crate) mod household;
pub(crate) mod import;
pub(crate) mod indices;
pub(crate) mod journal;
pub(crate) mod keys;
pub(crate) mod migrate;
pub(crate) mod monitor;
pub(crate) mod openapi;
pub(crate) mod policy;
pub(crate) mod predict;
mod prove;
pub(crate) mod quality;
pub(crate) mod restore;
pub(crate) mod sample;
pub(crate) mod serve;
mod stoppable;
pub(crate) mod suspects;
pub(crate) mod totp;
mod trajectory;
pub(crate) mod undo;
pub(crate) mod user;
mod warn;
mod watch;

use crate::output::Failure;

/// What a subcommand gives back.
pub(crate) type Done = Result<std::process::ExitCode, Failure>;
