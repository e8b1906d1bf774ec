//! The state of the server, and its routes.

use std::sync::Arc;

use axum::{Extension, Router, extract::DefaultBodyLimit, middleware, routing::get};
use utoipa_axum::router::OpenApiRouter;

use super::{
    ApiError, Cidr, edge,
    extract::BodyMax,
    guard, health,
    idempotency::{self, Locks},
    limit::Limiter,
    metrics::{self, Metrics},
    openapi::openapi,
};
use crate::{
    Context,
    accesses::{self, Accesses},
    accounts, area_changes, areas, classes, codes, crosscheck, households,
    jobs::{self, Jobs},
    journal, monitoring, policies, quality, registers, suspects, undo, warnings,
};

/// Where the interface lives.
pub(super) const BASE: &str = "/api/v1";
/// What a request body may weigh unless its route says otherwise.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What becomes of a user whose role needs a second factor and who has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enforcement {
    /// Nothing but enrolling one is allowed.
    Required,
    /// Nothing: whoever wants one enrols it, and nobody is held to it.
    Offered,
}

/// What the server must know about its surroundings.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Cidr>,
    /// True where browsers come over TLS: the cookie then travels over TLS alone.
    pub secure_cookies: bool,
    /// `https://host` as browsers see it, where a proxy changes the `Host` header.
    pub public_origin: Option<String>,
    /// Whether roles that need a second factor are held to it.
    pub second_factor: Enforcement,
    /// What a request body may weigh; routes that import set their own.
    pub body_bytes_max: usize,
    /// How long a body may pause between two pieces.
    pub body_pause_ms_max: u64,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            secure_cookies: true,
            public_origin: None,
            second_factor: Enforcement::Required,
            body_bytes_max: BODY_BYTES_MAX,
            body_pause_ms_max: 20_000,
        }
    }
}

/// The server's state: cheap to clone. Its context is private to `http`, so that a handler gets at
/// the database only through a [`super::Permit`].
#[derive(Clone)]
pub struct App {
    inner: Arc<Inner>,
    context: Arc<Context>,
}

struct Inner {
    jobs: Jobs,
    accesses: Accesses,
    config: HttpConfig,
    metrics: Metrics,
    limiter: Limiter,
    locks: Locks,
}

impl App {
    /// A server over this context, and its imports and exports.
    pub fn new(context: Context, jobs: Jobs, config: HttpConfig) -> Self {
        let (metrics, limiter, locks) = Default::default();
        let accesses = Accesses::new(context.clone());
        context.live.keep();
        let inner = Inner { jobs, accesses, config, metrics, limiter, locks };
        Self { inner: Arc::new(inner), context: Arc::new(context) }
    }

    /// The same under the policy in force: a request follows one from its begin to its end.
    pub(super) fn current(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), context: Arc::new(self.context.current()) }
    }

    /// The access log of the server: who serves lets it run, and writes at the end what waits.
    pub fn accesses(&self) -> &Accesses {
        &self.inner.accesses
    }

    pub(super) fn jobs(&self) -> &Jobs {
        &self.inner.jobs
    }

    pub(super) fn context(&self) -> &Context {
        &self.context
    }

    pub(super) fn config(&self) -> &HttpConfig {
        &self.inner.config
    }

    pub(super) fn metrics(&self) -> &Metrics {
        &self.inner.metrics
    }

    pub(super) fn locks(&self) -> &Locks {
        &self.inner.locks
    }

    pub(super) fn limiter(&self) -> &Limiter {
        &self.inner.limiter
    }
}

/// Every slice's routes, below [`BASE`]. A slice is added here and nowhere else.
pub(super) fn api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(accounts::routes())
        .merge(codes::routes())
        .merge(area_changes::routes())
        .merge(undo::routes())
        .merge(areas::routes())
        .merge(households::routes())
        .merge(registers::routes())
        .merge(quality::routes())
        .merge(suspects::routes())
        .merge(crosscheck::routes())
        .merge(warnings::routes())
        .merge(monitoring::api::routes())
        .merge(policies::api::routes())
        .merge(classes::routes())
        .merge(jobs::routes())
        .merge(journal::routes())
        .merge(accesses::routes())
}

/// The whole server as one service.
pub fn router(app: App) -> Router {
    let (api, _) = OpenApiRouter::new().nest(BASE, api()).split_for_parts();
    let document = openapi();
    let bytes_max = app.config().body_bytes_max;
    let limit = DefaultBodyLimit::max(bytes_max);
    let told = Extension(BodyMax(u64::try_from(bytes_max).unwrap_or(u64::MAX)));
    api.layer(middleware::from_fn_with_state(app.clone(), idempotency::replay))
        .route(&format!("{BASE}/openapi.json"), get(|| async { axum::Json(document) }))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(metrics::get_metrics))
        .fallback(async || ApiError::new("request.unknown_route"))
        .method_not_allowed_fallback(async || ApiError::new("request.wrong_method"))
        .layer(limit)
        .layer(told)
        .layer(middleware::from_fn_with_state(app.clone(), guard::admit))
        .layer(middleware::from_fn_with_state(app.clone(), edge::edge))
        .with_state(app)
}

#[cfg(test)]
pub(super) mod testing {
    use daohu_base::SystemClock;
    use daohu_db::{Engine, testing::Scratch};
    use daohu_policy::Policy;

    use super::*;
    use crate::{
        accounts::{Cost, Passwords},
        keys::Keys,
        schema::MIGRATIONS,
    };

    /// An application over an empty database, for the tests of this folder.
    pub(in crate::http) async fn app(config: HttpConfig) -> (Scratch, App) {
        let scratch = Scratch::new(Engine::Sqlite).await;
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1 };
        let context = Context::new(
            scratch.open().await,
            Arc::new(Policy::embedded().unwrap()),
            (Arc::new(Keys::generate().unwrap()), Passwords::new(cost).unwrap()),
            Arc::new(SystemClock),
        );
        context.db.migrate(&MIGRATIONS).await.unwrap();
        // No test of this folder keeps files.
        let jobs = Jobs::new(context.clone(), std::env::temp_dir()).unwrap();
        (scratch, App::new(context, jobs, config))
    }
}
