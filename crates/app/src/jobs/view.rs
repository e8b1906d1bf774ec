//! Jobs as the interface shows them.

use daohu_base::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Jobs,
    model::{
        BlankOption, Fault, FormatOption, ImportSummary, Job, Kind, OnErrorOption, Phase, Reason,
        Request, State, UploadedFile,
    },
    ops::kept_until,
};
use crate::{
    Lang, area_changes,
    http::{Accepted, At, FieldProblem, problem_title},
    undo::Undone,
};

/// How far a job is.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobProgress {
    id: String,
    state: State,
    /// What it is at; absent unless it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase: Option<Phase>,
    rows_done: u64,
    /// Null while it is not known.
    rows_total: Option<u64>,
    /// How often it was begun: again where a server was stopped in the middle.
    attempts: i64,
    created_at: At,
    started_at: Option<At>,
    ended_at: Option<At>,
    /// When its files are deleted; absent if they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    files_until: Option<At>,
    /// Why it was not carried out, or not wholly.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<JobProblem>,
}

/// An import.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportJob {
    #[serde(flatten)]
    progress: JobProgress,
    files: Vec<UploadedFile>,
    /// True if it only says what would happen.
    dry_run: bool,
    on_error: OnErrorOption,
    blank: BlankOption,
    /// What was done, or on a dry run would have been; absent until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<ImportSummary>,
    /// True if there is a report to fetch.
    has_report: bool,
    /// When it was taken back; absent if it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone_at: Option<At>,
}

/// An export.
#[derive(Serialize, ToSchema)]
pub(crate) struct ExportJob {
    #[serde(flatten)]
    progress: JobProgress,
    area: String,
    sheets: Vec<String>,
    format: FormatOption,
    /// False if it holds full numbers.
    masked: bool,
    /// True if there is a file to fetch.
    has_file: bool,
}

/// Why a job was not carried out.
#[derive(Serialize, ToSchema)]
pub(crate) struct JobProblem {
    /// `urn:daohu:problem:<code>`
    #[serde(rename = "type")]
    kind: String,
    /// What kind of problem it is, in the language asked for.
    title: &'static str,
    /// What is particular about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The stable code that programs match.
    code: String,
    /// What is wrong with which field of the request.
    errors: Vec<FieldProblem>,
}

/// A job of whatever kind.
#[derive(Serialize, ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    #[serde(flatten)]
    progress: JobProgress,
    kind: Kind,
    /// Where more is said of it: of an import or export.
    #[serde(skip_serializing_if = "Option::is_none")]
    href: Option<String>,
    /// True if it only says what would happen; null if nothing is ever stored.
    dry_run: Option<bool>,
    /// What a change of areas did, or would do; absent until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    area_change: Option<area_changes::Told>,
    /// What undoing an import did, or would do; absent until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    undone: Option<Undone>,
}

/// What of a job its maker may see now.
#[derive(Clone, Copy)]
pub(super) struct Sees {
    /// More than how far it is: whoever has the right to such work.
    pub(super) contents: bool,
    /// Who has which role: whoever may see accounts.
    pub(super) accounts: bool,
}

impl JobView {
    pub(super) fn new(jobs: &Jobs, mut job: Job, lang: Lang, sees: Sees) -> Self {
        if let Some(result) = job.result.as_mut().filter(|_| !sees.contents) {
            result.hide();
        }
        let progress = JobProgress::new(jobs, &job, lang);
        let (kind, dry_run) = (job.request.kind(), job.request.dry_run());
        let href = match kind {
            Kind::Import => Some(format!("/api/v1/imports/{}", job.id)),
            Kind::Export => Some(format!("/api/v1/exports/{}", job.id)),
            Kind::AreaChange | Kind::Undo => None,
        };
        let (mut area_change, undone) =
            job.result.map(|result| (result.area_change, result.undone)).unwrap_or_default();
        if let Some(told) = area_change.as_mut().filter(|_| !sees.accounts) {
            told.grants.iter_mut().for_each(|grant| grant.user = None);
        }
        Self { progress, kind, href, dry_run, area_change, undone }
    }
}

/// The answer to whoever asked for a job that has nothing but its line in the list of jobs.
pub(crate) fn accepted(jobs: &Jobs, job: Job, lang: Lang) -> Accepted<JobView> {
    let location = format!("/api/v1/jobs/{}", job.id);
    Accepted {
        location,
        body: JobView::new(jobs, job, lang, Sees { contents: true, accounts: false }),
    }
}

impl JobProblem {
    fn new(reason: Reason, lang: Lang) -> Self {
        let problem = |fault: Fault| {
            let Fault { column, value, code, message, by, limit } = fault;
            let kept = FieldProblem { column, value, message, by, limit, ..Default::default() };
            kept.kept(&code, lang)
        };
        let errors = reason.faults.into_iter().map(problem).collect();
        let detail = reason.detail.map(|[zh, en]| lang.pick(&zh, &en).to_owned());
        let title = problem_title(&reason.code, lang);
        let kind = format!("urn:daohu:problem:{}", reason.code);
        Self { kind, title, detail, code: reason.code, errors }
    }
}

impl JobProgress {
    fn new(jobs: &Jobs, job: &Job, lang: Lang) -> Self {
        let reason = match &job.result {
            Some(result) => result.problem.clone(),
            // It waited for its turn until its files were gone.
            None if job.state == State::Failed => Some(Reason::of("job.files_gone")),
            None => None,
        };
        Self {
            id: job.id.clone(),
            state: job.state,
            phase: job.phase(),
            rows_done: job.rows_done,
            rows_total: job.rows_total,
            attempts: job.attempts,
            created_at: At(job.created_at),
            started_at: job.started_at.map(At),
            ended_at: job.ended_at.map(At),
            files_until: job.files_kept.then(|| At(kept_until(jobs.context(), job))),
            problem: reason.map(|reason| JobProblem::new(reason, lang)),
        }
    }
}

impl ImportJob {
    /// None if the job is no import.
    pub(super) fn new(
        jobs: &Jobs,
        job: Job,
        undone_at: Option<Timestamp>,
        lang: Lang,
    ) -> Option<Self> {
        let progress = JobProgress::new(jobs, &job, lang);
        let has_report = job.has_file();
        let Request::Import(request) = job.request else { return None };
        Some(Self {
            progress,
            files: request.files,
            dry_run: request.dry_run,
            on_error: request.on_error,
            blank: request.blank,
            summary: job.result.and_then(|result| result.import),
            has_report,
            undone_at: undone_at.map(At),
        })
    }

    /// As a line of a list: without the rows.
    pub(super) fn without_rows(mut self) -> Self {
        if let Some(summary) = &mut self.summary {
            summary.problems.clear();
        }
        self
    }
}

impl ExportJob {
    /// None if the job is no export.
    pub(super) fn new(jobs: &Jobs, job: Job, lang: Lang) -> Option<Self> {
        let progress = JobProgress::new(jobs, &job, lang);
        let has_file = job.has_file();
        let Request::Export(request) = job.request else { return None };
        Some(Self {
            progress,
            area: request.area,
            sheets: request.sheets,
            format: request.format,
            masked: request.masked,
            has_file,
        })
    }
}
