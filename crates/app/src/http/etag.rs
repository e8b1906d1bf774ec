//! Versions on the wire: a record's version is its ETag, and a change names the one it was made on.

use axum::{
    Json,
    extract::{FromRequestParts, OptionalFromRequestParts},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::ApiError;

/// A record with its version as ETag.
pub struct Versioned<T>(pub i64, pub T);

/// `201`: a new record with its address and version.
pub struct Created<T> {
    /// Where it can be read.
    pub location: String,
    /// Its version.
    pub version: i64,
    /// The record.
    pub body: T,
}

/// The version that a change was made on. A request without one is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IfMatch(pub i64);

/// `"v3"`
fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

fn parse(tag: &str) -> Option<i64> {
    tag.strip_prefix("\"v")?.strip_suffix('"')?.parse().ok()
}

impl<T: Serialize> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        ([(header::ETAG, etag(self.0))], Json(self.1)).into_response()
    }
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let headers = [(header::LOCATION, self.location), (header::ETAG, etag(self.version))];
        (StatusCode::CREATED, headers, Json(self.body)).into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let header: Option<&HeaderValue> = parts.headers.get(header::IF_MATCH);
        let header = header.ok_or_else(|| ApiError::new("request.if_match_missing"))?;
        let version = header.to_str().ok().and_then(parse);
        version.map(Self).ok_or_else(|| ApiError::new("request.bad_if_match"))
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, s: &S) -> Result<Option<Self>, ApiError> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Ok(None);
        }
        <Self as FromRequestParts<S>>::from_request_parts(parts, s).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_survives_the_wire() {
        assert_eq!(parse(&etag(3)), Some(3));
        for bad in ["v3", "\"3\"", "*", "\"v\"", "W/\"v3\"", ""] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
