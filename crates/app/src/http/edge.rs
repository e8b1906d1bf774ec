//! The outermost layer: trace id, panics, words of problems, headers, access log, metrics.

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody},
    extract::{MatchedPath, Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, StreamExt, stream};

use super::{ApiError, App, Caller};

/// What a browser is told about every answer that does not say otherwise itself.
const HEADERS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::CACHE_CONTROL, "no-store"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    (header::REFERRER_POLICY, "no-referrer"),
];
/// One year, as browsers' preload lists ask.
const ONLY_TLS: &str = "max-age=31536000";

pub(super) async fn edge(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let trusted = &app.config().trusted_proxies;
    let caller = Caller::new(request.headers(), request.extensions(), trusted);
    request.extensions_mut().insert(caller.clone());
    let method = request.method().clone();
    // The template, never the path: ids of people do not belong into logs.
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("-", MatchedPath::as_str);
    let pause = Duration::from_millis(app.config().body_pause_ms_max);
    let request = request.map(|body| impatient(body, pause));

    let answer = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    let mut response = answer.unwrap_or_else(|_| {
        ApiError::new("server.internal").because("a handler panicked").into_response()
    });
    if let Some(problem) = response.extensions_mut().remove::<Arc<ApiError>>() {
        problem.log(&caller.trace_id);
        let headers = std::mem::take(response.headers_mut());
        response = problem.render(caller.lang, &caller.trace_id);
        headers.iter().for_each(|(name, value)| {
            response.headers_mut().entry(name).or_insert_with(|| value.clone());
        });
    }
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.config().secure_cookies {
        let only_tls = HeaderValue::from_static(ONLY_TLS);
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, only_tls);
    }

    let (status, took) = (response.status(), started.elapsed());
    app.metrics().observe(route, &method, status, took);
    log(&caller, &method, route, status, took);
    response
}

fn log(
    caller: &Caller,
    method: &axum::http::Method,
    route: &str,
    status: StatusCode,
    took: Duration,
) {
    tracing::info!(
        trace_id = caller.trace_id,
        %method,
        route,
        status = status.as_u16(),
        duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
        user.id = caller.user_id.get().map_or("-", String::as_str),
        "{method} {route} {}",
        status.as_u16()
    );
}

/// The same body, which fails if nothing arrives for `pause`: a connection that trickles must not
/// hold its handler.
fn impatient(body: Body, pause: Duration) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::from_stream(stream::unfold(Some(body.into_data_stream()), move |body| async move {
        let mut body = body?;
        match tokio::time::timeout(pause, body.next()).await {
            Ok(piece) => piece.map(|piece| (piece, Some(body))),
            Err(late) => Some((Err(axum::Error::new(late)), None)),
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use axum::{Router, body::to_bytes, middleware, routing::post};
    use tower::ServiceExt;

    use super::*;
    use crate::http::{HttpConfig, Json, app::testing};

    async fn panics() {
        panic!("on purpose")
    }

    async fn reads(Json(_): Json<String>) {}

    /// The status and code that a request with this body gets.
    async fn ask(path: &str, body: Body) -> (StatusCode, String) {
        let config = HttpConfig { body_pause_ms_max: 20, ..HttpConfig::default() };
        let (_scratch, app) = testing::app(config).await;
        let router: Router = Router::new()
            .route("/panics", post(panics))
            .route("/reads", post(reads))
            .layer(middleware::from_fn_with_state(app, edge));
        let request = Request::post(path).header("content-type", "application/json").body(body);
        let response = router.oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), 10_000).await.unwrap();
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        (status, problem["code"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_panic_is_an_answer() {
        let (status, code) = ask("/panics", Body::empty()).await;
        assert_eq!((status.as_u16(), code.as_str()), (500, "server.internal"));
    }

    #[tokio::test]
    async fn a_body_that_stops_is_not_waited_for() {
        let begun = stream::iter([Ok::<_, Infallible>("\"half")]).chain(stream::pending());
        let (status, code) = ask("/reads", Body::from_stream(begun)).await;
        assert_eq!((status.as_u16(), code.as_str()), (400, "request.body_unreadable"));
    }
}
