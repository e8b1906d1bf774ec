//! The command `daohu`. Each subcommand is a file; this one reads the arguments and turns the
//! outcome into an exit code: 0 done, 1 a finding or refusal, 2 usage, 3 storage.

// A closed pipe makes these panic; `output::line` does not.
#![deny(clippy::print_stdout, clippy::print_stderr)]

mod cli;
mod commands;
mod config;
mod open;
mod output;
mod sample;
mod tables;
mod traces;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, ConfigCommand, JournalCommand, KeysCommand};
use output::Failure;

/// An import makes tens of millions of small strings; the system's allocator takes a fifth of its time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let lang = cli.lang();
    let done = match cli.command {
        Command::Demo(args) => commands::demo::run(args, lang).await,
        Command::Serve(args) => commands::serve::run(args, lang).await,
        Command::Config(ConfigCommand::Check(args)) => commands::config::check(args, lang).await,
        Command::Migrate(args) => commands::migrate::run(args, lang).await,
        Command::Sample(args) => commands::sample::run(&args, lang),
        Command::Import(args) => commands::import::run(args, lang).await,
        Command::Export(args) => commands::export::run(args, lang).await,
        Command::Undo(args) => commands::undo::run(args, lang).await,
        Command::Area(command) => commands::area::run(command, lang).await,
        Command::Coverage(args) => commands::coverage::run(args, lang).await,
        Command::Backup(args) => commands::backup::run(args, lang).await,
        Command::Restore(args) => commands::restore::run(args, lang).await,
        Command::Copy(args) => commands::copy::run(args, lang).await,
        Command::Household(args) => commands::household::run(args, lang).await,
        Command::Journal(JournalCommand::Verify(args)) => {
            commands::journal::verify(args, lang).await
        }
        Command::Quality(args) => commands::quality::run(args, lang).await,
        Command::Monitor(command) => commands::monitor::run(command, lang).await,
        Command::Indices(args) => commands::indices::run(args, lang).await,
        Command::Predict(args) => commands::predict::run(args, lang).await,
        Command::Policy(command) => commands::policy::run(command, lang).await,
        Command::Crosscheck(args) => commands::crosscheck::run(args, lang).await,
        Command::Suspects(args) => commands::suspects::run(args).await,
        Command::User(command) => commands::user::run(command, lang).await,
        Command::Keys(KeysCommand::Rotate(args)) => commands::keys::rotate(args, lang).await,
        Command::Openapi => commands::openapi::run(),
    };
    done.unwrap_or_else(|failure: Failure| failure.report(lang))
}
