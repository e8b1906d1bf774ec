//! What is refused before anybody looks at it.
//!
//! Requests that another site made a browser send: `SameSite=Strict` keeps the cookie from them already; this is the second lock, and it also holds
//! for pages of sister domains. And addresses that hold the character NUL, which PostgreSQL cannot
//! store: they are nobody's.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{ApiError, App};

pub(super) async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    if request.uri().to_string().contains("%00") {
        return ApiError::new("request.bad_path").into_response();
    }
    let origin = app.config().public_origin.as_deref();
    // HTTP/2 names the host in the address, HTTP/1 in a header.
    let host = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
    let host = request.uri().authority().map(Authority::as_str).or(host);
    if request.method().is_safe() || is_same_site(request.headers(), host, origin) {
        next.run(request).await
    } else {
        ApiError::new("request.cross_site").into_response()
    }
}

/// Browsers say where a request comes from; programs say nothing, and carry no one else's cookie.
fn is_same_site(headers: &HeaderMap, host: Option<&str>, public_origin: Option<&str>) -> bool {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    if let Some(site) = text("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(header::ORIGIN.as_str()) else { return true };
    match public_origin {
        Some(ours) => origin == ours,
        // Behind a proxy that ends TLS the scheme is not ours to know.
        None => origin.split_once("://").is_some_and(|(_, theirs)| Some(theirs) == host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_say_decides() {
        let ours = Some("https://daohu.example");
        for (expected, public, headers) in [
            (true, None, &[][..]),
            (true, None, &[("sec-fetch-site", "same-origin"), ("origin", "https://x")]),
            (true, None, &[("sec-fetch-site", "none")]),
            (false, None, &[("sec-fetch-site", "same-site")]),
            (
                false,
                None,
                &[("sec-fetch-site", "cross-site"), ("host", "a"), ("origin", "http://a")],
            ),
            (true, None, &[("host", "a:8080"), ("origin", "http://a:8080")]),
            (false, None, &[("host", "a:8080"), ("origin", "http://a")]),
            (false, None, &[("host", "a"), ("origin", "null")]),
            (false, None, &[("origin", "null")]),
            (true, ours, &[("host", "inner"), ("origin", "https://daohu.example")]),
            (false, ours, &[("host", "inner"), ("origin", "http://inner")]),
        ] {
            let headers: HeaderMap = headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
                .collect::<Vec<_>>()
                .into_iter()
                .collect();
            let host = headers.get("host").map(|host| host.to_str().unwrap());
            assert_eq!(is_same_site(&headers, host, public), expected, "{headers:?}");
        }
    }
}
