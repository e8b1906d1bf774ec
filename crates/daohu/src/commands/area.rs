//! `daohu area …`: the tree of areas.

use std::{path::Path, process::ExitCode};

use daohu_app::{
    Error, Lang,
    area_changes::{AreaNote, Line, Request, change},
    exchange::text_of,
    journal::Act,
};
use daohu_base::{Actor, Scope};

use super::{Done, stoppable::Stoppable};
use crate::{
    cli::{AreaChangeArgs, AreaCommand},
    open::{Wanted, open},
    output::{Failure, note, shown},
};

/// The columns of the file.
const HEADERS: [&str; 5] = ["原代码", "新代码", "新名称", "村民小组", "户编号"];
/// The first of them must be there.
const NEEDED: usize = 2;
/// What the change calls them.
const NAMES: [&str; 5] = ["from", "to", "name", "groups", "households"];
/// What separates several values in a cell.
const SEPARATORS: [char; 4] = ['、', ',', '，', ';'];

pub(crate) async fn run(command: AreaCommand, lang: Lang) -> Done {
    match command {
        AreaCommand::Change(args) => {
            let as_json = args.json;
            run_change(args, lang).await.map_err(|failure| failure.told(lang, as_json))
        }
    }
}

async fn run_change(args: AreaChangeArgs, lang: Lang) -> Done {
    let (lines, rows) = read(&args.file)?;
    let context = open(&args.db, Wanted::Existing).await?;
    let act = Act::new(Actor::command("area change"), &*context.clock, "command");
    let AreaChangeArgs { on, document, dry_run, file, json, .. } = args;
    let request = Request { on, document, lines, dry_run };
    let stoppable = Stoppable::begin();
    let ticket = stoppable.ticket.clone();
    let told = change(&context, act, Scope::all(), request, ticket).await;
    let told = told.map_err(|error| in_file(error, &file, &rows))?;
    shown(&told, json)?;
    for AreaNote { code, areas, zh, en } in &told.notes {
        // Where a program reads, the answer has them.
        if !json {
            let (areas, says) = (areas.join(" "), lang.pick(zh, en));
            note(format_args!("{}{areas} {says} [{code}]", lang.pick("注意：", "note: ")))
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Says what is wrong with the lines of a file by its rows and columns.
fn in_file(error: Error, path: &Path, rows: &[u64]) -> Error {
    let Error::Invalid(mut faults) = error else { return error };
    for fault in &mut faults {
        let of_line = fault.column.strip_prefix("lines.").and_then(|rest| rest.split_once('.'));
        let place = of_line.and_then(|(line, name)| {
            let header = NAMES.iter().position(|known| *known == name)?;
            let line = line.parse::<usize>().ok()?.checked_sub(1)?;
            Some((rows.get(line)?, HEADERS.get(header)?))
        });
        if let Some((row, header)) = place {
            fault.column = format!("{}:{row} {header}", path.display());
        }
    }
    Error::Invalid(faults)
}

/// The lines of a file, and the row of each. What is wrong with the file as such is said here, what is wrong with the
/// lines by the change.
fn read(path: &Path) -> Result<(Vec<Line>, Vec<u64>), Failure> {
    let file = path.display();
    let unreadable = |error: csv::Error| {
        Failure::refusal(
            format!("无法读取 {file}：{error}"),
            format!("cannot read {file}: {error}"),
        )
    };
    // In GBK, too, as spreadsheets save it.
    let text = text_of(path)?;
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let headers = reader.headers().map_err(unreadable)?.clone();
    let trimmed = |header: &str| header.trim_start_matches('\u{feff}').trim().to_owned();
    let headers: Vec<String> = headers.iter().map(trimmed).collect();
    let places = HEADERS.map(|name| headers.iter().position(|header| header == name));
    let wanted = HEADERS.iter().zip(places).take(NEEDED);
    let missing: Vec<&str> =
        wanted.filter(|(_, place)| place.is_none()).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        let missing = missing.join("、");
        return Err(Failure::refusal(
            format!("{file} 缺少列：{missing}"),
            format!("{file} lacks {missing}"),
        ));
    }
    // One that is misspelt would be left out without a word.
    let is_unknown = |header: &&String| !header.is_empty() && !HEADERS.contains(&header.as_str());
    if let Some(unknown) = headers.iter().find(is_unknown) {
        let known = HEADERS.join("、");
        return Err(Failure::refusal(
            format!("{file} 有不认识的列“{unknown}”：列名为 {known}"),
            format!("{file} has an unknown column {unknown:?}: the columns are {known}"),
        ));
    }
    let (mut lines, mut rows) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        let cells = places.map(|place| place.and_then(|i| record.get(i)).unwrap_or("").trim());
        let [from, to, name, groups, households] = cells;
        if cells.iter().all(|cell| cell.is_empty()) {
            continue;
        }
        let some = |cell: &str| (!cell.is_empty()).then(|| cell.to_owned());
        let many = |cell: &str| {
            let parts = cell.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        rows.push(record.position().map_or(0, csv::Position::line));
        lines.push(Line {
            from: from.to_owned(),
            to: some(to),
            name: some(name),
            groups: many(groups),
            households: many(households),
        });
    }
    Ok((lines, rows))
}
