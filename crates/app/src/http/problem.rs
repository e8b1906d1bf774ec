//! The one error at the edge, and how it is told (RFC 9457).
//!
//! A handler's error travels as an extension of an empty response; [`super::edge`], which alone
//! knows the language and the trace id, turns it into words.

use std::{error::Error as StdError, sync::Arc};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::{
    ToSchema,
    openapi::schema::{Object, ObjectBuilder, Type},
};

use super::catalogue;
use crate::{Error, FieldError, Lang, Referrer, undo::kind_title};

/// Where the words of the catalogue name the bound that a field breaks.
const LIMIT: &str = "{limit}";

/// Why a request was not carried out.
#[derive(Debug)]
pub struct ApiError {
    code: &'static str,
    detail: Option<[String; 2]>,
    fields: Vec<FieldProblem>,
    retry_after_s: Option<i64>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A problem as it is sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// `urn:daohu:problem:<code>`
    #[serde(rename = "type")]
    kind: String,
    /// What kind of problem it is, in the language asked for.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is particular about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// The stable code that programs match.
    #[schema(schema_with = codes)]
    code: &'static str,
    /// What is wrong with which field.
    errors: Vec<FieldProblem>,
    /// Names the request in the server's log.
    trace_id: String,
}

/// What is wrong with one field, or one cell of a sheet.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct FieldProblem {
    /// The sheet, for what came in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row as the spreadsheet numbers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The field, or the column's header.
    pub column: String,
    /// The value, unless it names a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The stable code that programs match.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// What refers to it, where that is what is wrong: some of it, if there is much.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub by: Vec<Referrer>,
    /// The bound that it breaks, if the words name one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Every code by name, so that a client is told by its compiler when one goes.
fn codes() -> Object {
    let codes = catalogue::all().iter().map(|entry| entry.code);
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).build()
}

impl ApiError {
    /// A problem of the catalogue.
    pub fn new(code: &'static str) -> Self {
        Self { code, detail: None, fields: Vec::new(), retry_after_s: None, source: None }
    }

    /// With what is particular about this one, in Chinese and English.
    pub fn detail(mut self, zh: impl Into<String>, en: impl Into<String>) -> Self {
        self.detail = Some([zh.into(), en.into()]);
        self
    }

    /// With what the log should know and the user must not.
    pub fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// One field is wrong; the words come from the catalogue.
    pub fn field(column: impl Into<String>, code: &'static str) -> Self {
        let column = column.into();
        let mut error = Self::new("request.invalid");
        error.fields.push(FieldProblem { column, code, ..FieldProblem::default() });
        error
    }

    /// The same, of a field that breaks a bound.
    pub fn beyond(column: &str, code: &'static str, limit: u64) -> Self {
        Error::Invalid(vec![FieldError::beyond(column, code, limit)]).into()
    }

    /// As large as a request may be.
    pub fn too_large(bytes_max: u64) -> Self {
        let (kib, mib) = (bytes_max >> 10, bytes_max >> 20);
        let most = if mib > 0 { format!("{mib} MB") } else { format!("{kib} KB") };
        Self::new("request.body_too_large")
            .detail(format!("最多 {most}"), format!("{most} at most"))
    }

    /// Its code, and what is particular about it in Chinese and English: to be kept and told later.
    pub(crate) fn to_parts(&self) -> (&'static str, Option<[String; 2]>) {
        (self.code, self.detail.clone())
    }

    fn with_fields(self, fields: Vec<FieldError>) -> Self {
        Self { fields: fields.into_iter().map(FieldProblem::from).collect(), ..self }
    }

    pub(super) fn retry_after_s(mut self, seconds: i64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(catalogue::entry(self.code).status).unwrap_or_default()
    }

    /// Writes the cause to the log: the one place where a failure is logged.
    pub(crate) fn log(&self, trace_id: &str) {
        let Some(source) = &self.source else { return };
        let chain = daohu_db::with_causes(&**source);
        if self.status().is_server_error() {
            tracing::error!(trace_id, code = self.code, error = chain, "request failed: {chain}");
        } else {
            tracing::info!(trace_id, code = self.code, error = chain, "request refused: {chain}");
        }
    }

    /// The problem as a text, for a terminal: what is wrong, the code, and a line for each field.
    pub fn words(&self, lang: Lang) -> String {
        let mut text = catalogue::entry(self.code).title(lang).to_owned();
        if let Some([zh, en]) = &self.detail {
            text.push_str(lang.pick("：", ": "));
            text.push_str(lang.pick(zh, en));
        }
        text.push_str(&format!(" [{}]", self.code));
        for field in &self.fields {
            let field = field.worded(lang);
            let value = field.value.map(|value| format!("“{value}” ")).unwrap_or_default();
            // What stands in the way of an undo is named by its kind.
            let column = kind_title(&field.column, lang).unwrap_or(&field.column);
            let (message, code) = (&field.message, field.code);
            text.push_str(&format!("\n  {column}: {value}{message} [{code}]"));
        }
        text
    }

    /// The problem for a program that started a command: as it is answered over HTTP, but for what only a server has.
    pub fn to_json(&self, lang: Lang) -> serde_json::Value {
        let errors: Vec<FieldProblem> =
            self.fields.iter().map(|field| field.worded(lang)).collect();
        let detail = self.detail.as_ref().map(|[zh, en]| lang.pick(zh, en));
        let title = catalogue::entry(self.code).title(lang);
        serde_json::json!({ "code": self.code, "title": title, "detail": detail, "errors": errors })
    }

    /// The answer in words.
    pub(super) fn render(&self, lang: Lang, trace_id: &str) -> Response {
        let entry = catalogue::entry(self.code);
        let problem = Problem {
            kind: format!("urn:daohu:problem:{}", entry.code),
            title: entry.title(lang),
            status: entry.status,
            detail: self.detail.as_ref().map(|[zh, en]| lang.pick(zh, en).to_owned()),
            code: entry.code,
            errors: self.fields.iter().map(|field| field.worded(lang)).collect(),
            trace_id: trace_id.to_owned(),
        };
        // A struct of texts always has a JSON form.
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        let language = lang.pick("zh-CN", "en");
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language));
        if let Some(seconds) = self.retry_after_s {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl FieldProblem {
    /// Of a request that was kept: with its code as the catalogue has it, in words.
    pub(crate) fn kept(self, code: &str, lang: Lang) -> Self {
        Self { code: catalogue::entry(code).code, ..self }.worded(lang)
    }

    /// With the catalogue's words, where it has none of its own.
    fn worded(&self, lang: Lang) -> Self {
        let mut field = self.clone();
        if field.message.is_empty() {
            let limit = field.limit.map(|limit| limit.to_string()).unwrap_or_default();
            field.message = catalogue::entry(field.code).title(lang).replace(LIMIT, &limit);
            if !field.by.is_empty() {
                let by: Vec<String> = field.by.iter().map(|by| by.says(lang)).collect();
                field.message.push_str(lang.pick("：", ": "));
                field.message.push_str(&by.join(lang.pick("、", ", ")));
            }
        }
        field
    }
}

impl Referrer {
    fn says(&self, lang: Lang) -> String {
        let kind = kind_title(&self.kind, lang).unwrap_or(&self.kind);
        match &self.record {
            Some(record) => format!("{kind} {record}"),
            None => {
                format!("{kind}{}", lang.pick("（此处不列出）", " (not named here)"))
            }
        }
    }
}

impl From<FieldError> for FieldProblem {
    fn from(error: FieldError) -> Self {
        let FieldError { column, value, code, message, by, limit } = error;
        Self { column, value, code, message, by, limit, ..Self::default() }
    }
}

impl From<Error> for ApiError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound(_) => Self::new("record.not_found"),
            Error::Stale { current, .. } => Self::new("record.stale")
                .detail(format!("现为第{current}版"), format!("The version is {current} now")),
            Error::Invalid(fields) => Self::new("request.invalid").with_fields(fields),
            Error::InTheWay(code, fields) => Self::new(code).with_fields(fields),
            Error::Refused(code) => Self::new(code),
            Error::Full(code, max) => {
                Self::new(code).detail(format!("最多 {max}"), format!("{max} at most"))
            }
            Error::Ambiguous(choices) => {
                let choices = choices.join("、");
                Self::new("record.ambiguous").detail(choices.clone(), choices)
            }
            Error::Cancelled => Self::new("server.cancelled"),
            Error::Store(error) => error.into(),
            Error::Spreadsheet(error) => {
                Self::new(error.problem.code()).detail(error.says(Lang::Zh), error.says(Lang::En))
            }
            Error::NoRoom { needed, free, .. } => {
                let mib = |bytes: u64| bytes >> 20;
                let (needed_mib, free_mib) = (mib(needed).saturating_add(1), mib(free));
                Self::new("exchange.disk_full").detail(
                    format!("需要 {needed_mib} MB，剩余 {free_mib} MB"),
                    format!("{needed_mib} MB are needed, {free_mib} MB are free"),
                )
            }
            Error::Key(_) | Error::File(_) | Error::Backup(_) | Error::Policy(_) => {
                Self::new("server.internal").because(error)
            }
        }
    }
}

impl From<daohu_db::Error> for ApiError {
    fn from(error: daohu_db::Error) -> Self {
        let code = match error {
            daohu_db::Error::Busy => "server.busy",
            daohu_db::Error::Changed => "record.stale",
            daohu_db::Error::DiskFull => "server.disk_full",
            _ => "server.internal",
        };
        Self::new(code).because(error)
    }
}
