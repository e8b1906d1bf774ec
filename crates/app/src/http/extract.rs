//! What handlers take: as axum's own, but a bad request is told as a problem, field by field.

use axum::{
    body::Bytes,
    extract::{
        FromRequest, FromRequestParts, OptionalFromRequest, Request,
        rejection::{BytesRejection, FailedToBufferBody},
    },
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use daohu_base::{AreaCode, Day};
use serde::{Serialize, de::DeserializeOwned};

use super::{Answer, ApiError};

/// A JSON body.
pub struct Json<T>(pub T);
/// The parameters in the path.
pub struct Path<T>(pub T);
/// The parameters after the `?`.
pub struct Query<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::new("request.not_json"));
        }
        let body = whole_body(request, state).await?;
        if has_nul(&body) {
            return Err(ApiError::new("request.bad_json"));
        }
        let mut parser = serde_json::Deserializer::from_slice(&body);
        let value = serde_path_to_error::deserialize(&mut parser).map_err(|error| {
            let path = error.path().to_string();
            bad_json(&path, error.inner())
        })?;
        parser.end().map_err(|_| ApiError::new("request.bad_json"))?;
        Ok(Self(value))
    }
}

/// A request without a body has none, and need not say of what type.
impl<T: DeserializeOwned, S: Send + Sync> OptionalFromRequest<S> for Json<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, ApiError> {
        if !request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(None);
        }
        <Self as FromRequest<S>>::from_request(request, state).await.map(Some)
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let path = axum::extract::Path::from_request_parts(parts, state).await;
        path.map(|path| Self(path.0)).map_err(|_| ApiError::new("request.bad_path"))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let query = axum::extract::Query::from_request_parts(parts, state).await;
        query.map(|query| Self(query.0)).map_err(|rejection| {
            let [zh, en] = query_words(&rejection.body_text());
            ApiError::new("request.bad_query").detail(zh, en)
        })
    }
}

/// A day of a query or body, if it is given.
pub(crate) fn day(field: &str, text: Option<&str>) -> Answer<Option<Day>> {
    text.map(Day::parse).transpose().map_err(|_| ApiError::field(field, "request.bad_day"))
}

/// The code of an area in a path: what is none is nobody's.
pub(crate) fn area_in_path(code: &str) -> Answer<AreaCode> {
    AreaCode::parse(code).map_err(|_| ApiError::new("record.not_found"))
}

/// As many bytes as a body that is held in memory may have: beside each request, for the words that refuse it.
#[derive(Clone, Copy)]
pub(super) struct BodyMax(pub(super) u64);

/// The body, as far as its route's limit allows.
pub(super) async fn whole_body<S: Send + Sync>(request: Request, state: &S) -> Answer<Bytes> {
    let bytes_max = request.extensions().get::<BodyMax>().map(|max| max.0);
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let is_too_large = matches!(
            rejection,
            BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_))
        );
        match (is_too_large, bytes_max) {
            (true, Some(max)) => ApiError::too_large(max),
            (true, None) => ApiError::new("request.body_too_large"),
            (false, _) => ApiError::new("request.body_unreadable"),
        }
    })
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kind = text.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json")
}

/// True if a text in this JSON holds the character NUL, which PostgreSQL cannot store.
pub(super) fn has_nul(json: &[u8]) -> bool {
    const ESCAPE: &[u8] = b"\\u0000";
    let mut rest = json;
    while let Some(at) = rest.windows(ESCAPE.len()).position(|part| part == ESCAPE) {
        let (before, after) = rest.split_at(at);
        // An even number of backslashes before it: it is not itself escaped.
        if before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0 {
            return true;
        }
        rest = after.get(1..).unwrap_or_default();
    }
    false
}

/// What is wrong with a query, from serde's words: these name the parameter and what was expected of it. They go to
/// the sender only.
fn query_words(text: &str) -> [String; 2] {
    let text = text.strip_prefix("Failed to deserialize query string: ").unwrap_or(text);
    let mut names = text.split('`').skip(1).step_by(2);
    let first = names.next().unwrap_or_default();
    let known: Vec<&str> = names.collect();
    // Before the first colon stands the parameter, where the value is to blame.
    let blamed = text.split_once(": ").filter(|(name, _)| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    if text.contains("unknown field") {
        let zh = format!("没有参数 {first}；可用：{}", known.join("、"));
        [zh, format!("there is no parameter {first}; known: {}", known.join(", "))]
    } else if text.contains("missing field") {
        [format!("缺少参数 {first}"), format!("the parameter {first} is missing")]
    } else if text.contains("duplicate field") {
        [format!("参数 {first} 出现了两次"), format!("the parameter {first} stands twice")]
    } else if let Some((name, _)) = blamed {
        [format!("参数 {name} 的值不正确"), text.to_owned()]
    } else {
        ["查询参数的写法不正确".to_owned(), text.to_owned()]
    }
}

/// serde's own words quote the value, which may be a password: only their kind is kept.
fn bad_json(path: &str, error: &serde_json::Error) -> ApiError {
    if !error.is_data() {
        return ApiError::new("request.bad_json");
    }
    let text = error.to_string();
    let named = |text: &str| text.split('`').nth(1).unwrap_or_default().to_owned();
    let inside = |name: String| match path.rsplit_once('.') {
        Some((parent, _)) => format!("{parent}.{name}"),
        None => name,
    };
    if text.starts_with("missing field") {
        ApiError::field(named(&text), "request.field_missing")
    } else if text.starts_with("unknown field") {
        ApiError::field(inside(named(&text)), "request.field_unknown")
    } else {
        let code = if text.starts_with("invalid type") {
            "request.field_type"
        } else {
            "request.bad_field"
        };
        ApiError::field(path, code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_with_a_query_is_said_in_either_language() {
        #[derive(Debug, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(dead_code, reason = "only what is refused is looked at")]
        struct Wanted {
            q: String,
            limit: Option<u32>,
            is_poor: Option<bool>,
        }
        for (query, expected) in [
            ("q=a&x=1", "没有参数 x；可用：q、limit、is_poor"),
            ("limit=1", "缺少参数 q"),
            ("q=a&q=b", "参数 q 出现了两次"),
            ("q=a&limit=many", "参数 limit 的值不正确"),
            ("q=a&is_poor=maybe", "参数 is_poor 的值不正确"),
        ] {
            let uri = format!("/?{query}").parse().unwrap();
            let refused = axum::extract::Query::<Wanted>::try_from_uri(&uri).unwrap_err();
            let [zh, en] = query_words(&refused.body_text());
            assert_eq!(zh, expected);
            assert!(en.is_ascii() && !en.contains("deserialize"), "{en}");
        }
    }

    #[test]
    fn nul_is_found_where_it_is_meant() {
        for (json, expected) in [
            (r#""a""#, false),
            (r#""\u0000""#, true),
            (r#""a\u0000b""#, true),
            (r#""\\u0000""#, false),
            (r#""\\\u0000""#, true),
            (r#""\\u0000", "\u0000""#, true),
        ] {
            assert_eq!(has_nul(json.as_bytes()), expected, "{json}");
        }
    }
}
