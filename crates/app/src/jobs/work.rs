//! Carrying a job out, from the rights of its maker to the file that comes of it.

use std::{path::PathBuf, sync::Arc};

use daohu_base::Scope;

use super::{
    files::{Folder, pack},
    model::{
        ExportRequest, FormatOption, ImportRequest, Job, Outcome, RIGHTS_TO_AREAS, Reason, Request,
        State, UndoRequest,
    },
    progress::{Progress, Ticket},
};
use crate::{
    Context, Error,
    accounts::{self, Authority},
    area_changes,
    exchange::{
        export::{ExportOptions, Format, export},
        import::{ImportOptions, import},
    },
    journal::Act,
    sheet::{Masking, Sheet},
    undo::undo,
};

/// How a job ended that did not fail.
pub(super) type Ended = (State, Outcome);

/// Carries a job out, with the rights that its maker has now.
pub(super) async fn carry_out(
    context: &Context,
    folder: &Folder,
    job: &Job,
    ticket: Ticket,
) -> Result<Ended, Error> {
    let authority = accounts::authority(context, &job.user_id, job.request.rights()).await?;
    let Some(authority) = authority else { return Ok(refused("job.right_lost")) };
    match &job.request {
        Request::Import(request) => {
            let areas = scope_of_areas(context, job).await?;
            run_import(context, folder, (&job.id, request), (authority, areas), ticket).await
        }
        Request::Export(request) => {
            run_export(context, folder, (&job.id, request), authority, ticket).await
        }
        Request::AreaChange(request) => {
            let act = Act::new(authority.actor, &*context.clock, format!("area change {}", job.id));
            let (scope, request) = (authority.scope, request.clone());
            let told = area_changes::change(context, act, scope, request, ticket).await?;
            Ok((State::Done, Outcome { area_change: Some(told), ..Outcome::default() }))
        }
        Request::Undo(UndoRequest { import, dry_run }) => {
            let act = Act::new(authority.actor, &*context.clock, format!("undo {}", job.id));
            let scopes = (authority.scope, scope_of_areas(context, job).await?);
            let undone = undo(context, act, scopes, (import, *dry_run), ticket).await?;
            Ok((State::Done, Outcome { undone: Some(undone), ..Outcome::default() }))
        }
    }
}

/// Where the maker of a job may write areas: of the same grants, the areas of one role, not those of another.
async fn scope_of_areas(context: &Context, job: &Job) -> Result<Scope, Error> {
    let areas = accounts::authority(context, &job.user_id, RIGHTS_TO_AREAS).await?;
    Ok(areas.map_or(Scope::nothing(), |authority| authority.scope))
}

fn refused(code: &str) -> Ended {
    (State::Refused, Outcome { problem: Some(Reason::of(code)), ..Outcome::default() })
}

async fn run_import(
    context: &Context,
    folder: &Folder,
    (id, request): (&str, &ImportRequest),
    (authority, areas): (Authority, Scope),
    ticket: Ticket,
) -> Result<Ended, Error> {
    let options = ImportOptions {
        on_error: request.on_error.into(),
        blank: request.blank.into(),
        dry_run: request.dry_run,
        lang: request.lang(),
        scope: authority.scope,
        areas,
        report: Some(folder.report(id)),
        work_folder: Some(folder.of(id)),
    };
    let act = Act::new(authority.actor, &*context.clock, format!("import {id}"));
    let paths = folder.uploads(id, &request.files);
    let summary = import(context, act, paths, options, ticket).await?;
    // A dry run is carried out whatever it finds; an import that stores nothing is not.
    let refused = !summary.committed && !request.dry_run;
    let has_file = summary.has_report;
    let problem = match (refused, has_file) {
        (true, _) => Some("exchange.rows_rejected"),
        (false, false) => Some("exchange.report_failed"),
        (false, true) => None,
    };
    let problem = problem.map(Reason::of);
    let state = if refused { State::Refused } else { State::Done };
    let import = Some(summary.into());
    Ok((state, Outcome { import, has_file, problem, ..Outcome::default() }))
}

async fn run_export(
    context: &Context,
    folder: &Folder,
    (id, request): (&str, &ExportRequest),
    authority: Authority,
    Ticket { progress, .. }: Ticket,
) -> Result<Ended, Error> {
    let area = request.area()?;
    if !authority.scope.contains(&area) {
        return Ok(refused("job.right_lost"));
    }
    folder.check_room(context.policy.exchange(), 1)?;
    let place = folder.make(id)?;
    let (format, out) = match request.format {
        FormatOption::Xlsx => (Format::Xlsx, folder.workbook(id)),
        FormatOption::Csv => (Format::Csv, place.join("csv")),
        FormatOption::Parquet => (Format::Parquet, place.join("parquet")),
    };
    let options = ExportOptions {
        area,
        scope: authority.scope,
        sheets: request.sheets.iter().filter_map(|name| Sheet::named(name)).collect(),
        masking: if request.masked { Masking::Masked } else { Masking::Full },
        reason: request.reason.clone(),
        format,
        out,
        is_watched: true,
    };
    let act = Act::new(authority.actor, &*context.clock, format!("export {id}"));
    let (files, rows) = export(context, act, options, progress.clone()).await?;
    if format != Format::Xlsx {
        into_archive(files, folder.archive(id), progress).await?;
    }
    let rows = rows.iter().map(|(_, rows)| rows).sum();
    let outcome = Outcome { rows: Some(rows), has_file: true, ..Outcome::default() };
    Ok((State::Done, outcome))
}

async fn into_archive(
    files: Vec<PathBuf>,
    archive: PathBuf,
    progress: Arc<Progress>,
) -> Result<(), Error> {
    let work = move || pack(&files, &archive, &progress);
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Cancelled)?
}
