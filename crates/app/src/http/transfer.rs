//! Files over HTTP, never whole in memory: uploads part by part, downloads piece by piece.

use std::path::Path;

use axum::{
    body::{Body, Bytes},
    extract::{
        DefaultBodyLimit, FromRequest, Multipart, Request,
        multipart::{Field, MultipartError},
    },
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::Serialize;
use tokio::io::AsyncReadExt;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr,
        schema::{KnownFormat, ObjectBuilder, Schema, SchemaFormat, Type},
    },
};

use super::{Answer, ApiError, App};
use crate::Error;

/// What is read from a file at once.
const PIECE_BYTES: usize = 64 * 1024;

/// `202`: the work goes on, and can be asked after there.
pub struct Accepted<T> {
    /// Where.
    pub location: String,
    /// How far it is.
    pub body: T,
}

/// A form with files, not larger than the policy allows.
pub struct Upload {
    multipart: Multipart,
    declared: Option<u64>,
    bytes_max: u64,
}

/// The next part of a form: a file if it has a name at home, else a line of text.
pub struct Part<'u> {
    field: Field<'u>,
    bytes_max: u64,
}

/// A file to be saved under this name.
pub struct Download {
    file: tokio::fs::File,
    bytes: u64,
    name: String,
}

impl PartialSchema for Download {
    fn schema() -> RefOr<Schema> {
        let binary = SchemaFormat::KnownFormat(KnownFormat::Binary);
        ObjectBuilder::new().schema_type(Type::String).format(Some(binary)).into()
    }
}

impl ToSchema for Download {}

impl<T: Serialize> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        let location = [(header::LOCATION, self.location)];
        (StatusCode::ACCEPTED, location, axum::Json(self.body)).into_response()
    }
}

impl FromRequest<App> for Upload {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, app: &App) -> Answer<Self> {
        let max = app.context().policy.exchange().upload_bytes_max;
        let declared = request.headers().get(header::CONTENT_LENGTH);
        let declared = declared.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if declared.is_some_and(|bytes| bytes > max) {
            return Err(ApiError::too_large(max));
        }
        // In place of the limit for bodies that are held in memory.
        DefaultBodyLimit::max(usize::try_from(max).unwrap_or(usize::MAX)).apply(&mut request);
        let multipart = Multipart::from_request(request, app).await;
        let multipart = multipart.map_err(|_| ApiError::new("exchange.not_multipart"))?;
        Ok(Self { multipart, declared, bytes_max: max })
    }
}

impl Upload {
    /// How large it says it is, if it does.
    pub fn bytes(&self) -> Option<u64> {
        self.declared
    }

    /// The next part, when the one before is read.
    pub async fn next(&mut self) -> Answer<Option<Part<'_>>> {
        let bytes_max = self.bytes_max;
        let next = self.multipart.next_field().await.map_err(|error| broken(&error, bytes_max))?;
        Ok(next.map(|field| Part { field, bytes_max }))
    }
}

impl Part<'_> {
    /// What the part is called in the form.
    pub fn name(&self) -> &str {
        self.field.name().unwrap_or_default()
    }

    /// The file's name at home, if it is one.
    pub fn file_name(&self) -> Option<&str> {
        self.field.file_name()
    }

    /// The next piece of it.
    pub async fn piece(&mut self) -> Answer<Option<Bytes>> {
        self.field.chunk().await.map_err(|error| broken(&error, self.bytes_max))
    }

    /// All of it, if it is a text no longer than this.
    pub async fn text(&mut self, bytes_max: usize) -> Answer<Option<String>> {
        let mut text = Vec::new();
        while let Some(piece) = self.piece().await? {
            text.extend_from_slice(&piece);
            if text.len() > bytes_max {
                return Ok(None);
            }
        }
        Ok(String::from_utf8(text).ok())
    }
}

fn broken(error: &MultipartError, bytes_max: u64) -> ApiError {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(bytes_max),
        _ => ApiError::new("exchange.bad_upload"),
    }
}

impl Download {
    /// Of this file.
    pub async fn open(path: &Path, name: &str) -> Answer<Self> {
        let file = tokio::fs::File::open(path).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => ApiError::new("job.files_gone"),
            _ => Error::from(error).into(),
        })?;
        Self::new(file, name.to_owned()).await
    }

    /// Of this file, which has no name of its own.
    pub async fn of(file: std::fs::File, name: String) -> Answer<Self> {
        Self::new(tokio::fs::File::from_std(file), name).await
    }

    async fn new(file: tokio::fs::File, name: String) -> Answer<Self> {
        let bytes = file.metadata().await.map_err(Error::from)?.len();
        Ok(Self { file, bytes, name })
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let kind = match self.name.rsplit_once('.') {
            Some((_, "zip")) => "application/zip",
            Some((_, "csv")) => "text/csv; charset=utf-8",
            _ => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        };
        let headers = [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_LENGTH, self.bytes.to_string()),
            (header::CONTENT_DISPOSITION, disposition(&self.name)),
        ];
        let pieces = stream::try_unfold(self.file, async |mut file| {
            let mut piece = vec![0; PIECE_BYTES];
            let length = file.read(&mut piece).await?;
            piece.truncate(length);
            Ok::<_, std::io::Error>((length > 0).then(|| (Bytes::from(piece), file)))
        });
        (headers, Body::from_stream(pieces)).into_response()
    }
}

/// The name in the form that browsers take for other letters than English ones (RFC 6266, RFC 8187), and before it one
/// for programs that know ASCII alone: they would make up a name.
fn disposition(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let coded: String = name
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect();
    let ascii = |c: char| if c.is_ascii_alphanumeric() || ".-_ ".contains(c) { c } else { '_' };
    // Nothing but its ending may be left of a name.
    let fallback: String = name.chars().map(ascii).collect();
    let fallback = fallback.trim_start_matches(['_', '-']);
    let first = if fallback.starts_with('.') || fallback.is_empty() { "download" } else { "" };
    format!("attachment; filename=\"{first}{fallback}\"; filename*=UTF-8''{coded}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_travel_in_any_letters() {
        for (name, expected) in [
            ("a-1.zip", "filename=\"a-1.zip\"; filename*=UTF-8''a-1.zip"),
            ("户\".x", "filename=\"download.x\"; filename*=UTF-8''%E6%88%B7%22.x"),
            ("户-99.x", "filename=\"99.x\"; filename*=UTF-8''%E6%88%B7-99.x"),
            ("户", "filename=\"download\"; filename*=UTF-8''%E6%88%B7"),
        ] {
            assert_eq!(disposition(name), format!("attachment; {expected}"));
        }
    }
}
