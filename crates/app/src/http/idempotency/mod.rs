//! Writes that may be sent twice: a request with an `Idempotency-Key` is carried out once.
//!
//! Invariants: of several equal requests one is executed and the others get its answer; only
//! success is remembered, because a refusal changed nothing and may be tried again; a request that
//! was cut off by a crash stays claimed, so that it is never executed twice unseen. Answers are
//! stored encrypted, and without the secrets that are told only once ([`ForReplay`]).

mod sql;

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, IntoResponseParts, Response, ResponseParts},
};
use daohu_db::FutureExt;
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::OwnedMutexGuard;

use super::{
    Answer, ApiError, App,
    extract::{is_json, whole_body},
    session,
};
use crate::{
    Context,
    accounts::SignedIn,
    keys::{Keys, hex},
};

pub(crate) use sql::forget_all;

const HEADER: &str = "idempotency-key";
const KEY_CHARACTERS_MAX: usize = 128;
/// Longest answer that is remembered; answers to writes are single records.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// How the routes end that stop work. They may be sent twice anyway, and claiming a key would wait for
/// the very import that is to stop.
const CANCEL: &str = "/cancel";
const HOUR_MS: i64 = 3_600_000;
/// What a repeated answer needs besides its body.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::ETAG, header::LOCATION];

/// Put into an answer's extensions: the body that repeated requests get, without what is told once.
#[derive(Clone)]
pub struct ForReplay(pub Bytes);

impl ForReplay {
    /// Of a body that will be sent as JSON.
    pub fn json<T: Serialize>(body: &T) -> Self {
        // Bodies are structs of texts and numbers, which always have a JSON form.
        Self(serde_json::to_vec(body).unwrap_or_default().into())
    }
}

impl IntoResponseParts for ForReplay {
    type Error = Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Infallible> {
        parts.extensions_mut().insert(self);
        Ok(parts)
    }
}

/// One request under one key of one user.
struct Claim {
    user_id: String,
    key: String,
    request_hash: String,
    at: i64,
}

/// A remembered answer. Status 0: not answered yet.
struct Stored {
    request_hash: String,
    status: u16,
    headers: String,
    body: Vec<u8>,
}

pub(super) async fn replay(State(app): State<App>, request: Request, next: Next) -> Response {
    once(app, request, next).await.unwrap_or_else(IntoResponse::into_response)
}

async fn once(app: App, request: Request, next: Next) -> Answer<Response> {
    let Some(key) = key(request.method(), request.headers())? else {
        return Ok(next.run(request).await);
    };
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    if route.is_some_and(|route| route.ends_with(CANCEL)) {
        return Ok(next.run(request).await);
    }
    let Some(who) = session::identify(&app, request.headers()).await? else {
        // Sign-in cannot be repeated, and everything else will be refused.
        return Ok(next.run(request).await);
    };
    // Files are too large to be held and compared; imports recognise a repeated file themselves.
    if request.headers().contains_key(header::CONTENT_TYPE) && !is_json(request.headers()) {
        return Err(ApiError::new("idempotency.unsupported"));
    }
    let (mut parts, body) = request.into_parts();
    let body = whole_body(Request::from_parts(parts.clone(), body), &app).await?;
    let mut hash = Sha256::new();
    for part in [parts.method.as_str().as_bytes(), parts.uri.to_string().as_bytes(), &body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let claim = Claim::new(app.context(), &who, key, &hash.finalize());
    parts.extensions.insert(who);
    let request = Request::from_parts(parts, Body::from(body));
    // A task of its own: the answer is remembered even if the caller goes away meanwhile.
    let work = async move { carry_out(&app, claim, request, next).await };
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(ApiError::new("server.internal").because(error)))
}

async fn carry_out(app: &App, claim: Claim, request: Request, next: Next) -> Answer<Response> {
    let claim = Arc::new(claim);
    // Requests of this server wait for each other; one of another server is told to come back.
    let _turn = app.locks().turn(claim.context()).await;
    let context = app.context();
    let since = remembered_since(context, claim.at);
    let mine = Arc::clone(&claim);
    let earlier = context.db.write(move |tx| sql::claim(tx, mine, since).boxed()).await?;
    if let Some(stored) = earlier {
        return repeated(&context.keys, &claim, stored);
    }
    let response = next.run(request).await;
    if !response.status().is_success() || response.body().size_hint().exact().is_none() {
        context.db.write(move |tx| async move { sql::release(tx, &claim).await }.boxed()).await?;
        return Ok(response);
    }
    remember(context, claim, response).await
}

/// Instants before this one are forgotten.
fn remembered_since(context: &Context, now: i64) -> i64 {
    let hours = context.policy.security().idempotency_hours;
    now.saturating_sub(hours.saturating_mul(HOUR_MS))
}

/// Deletes the answers whose time is over, as each request with a key does: also where no other comes.
pub async fn forget_old(context: &Context) -> Result<(), crate::Error> {
    let since = remembered_since(context, context.clock.now().0);
    let work = async move |tx: &mut daohu_db::Tx| sql::forget_before(tx, since).await;
    Ok(context.db.write(move |tx| async move { work(tx).await }.boxed()).await?)
}

async fn remember(context: &Context, claim: Arc<Claim>, response: Response) -> Answer<Response> {
    let (mut parts, body) = response.into_parts();
    let limit = usize::try_from(ANSWER_BYTES_MAX).unwrap_or(usize::MAX);
    let body = to_bytes(body, limit)
        .await
        .map_err(|error| ApiError::new("server.internal").because(error))?;
    let told_again = parts.extensions.remove().map_or_else(|| body.clone(), |ForReplay(told)| told);
    let stored = Stored {
        request_hash: claim.request_hash.clone(),
        status: parts.status.as_u16(),
        headers: write_headers(&parts.headers),
        body: context.keys.seal(&claim.context(), &told_again).map_err(crate::Error::from)?,
    };
    let work = async move |tx: &mut daohu_db::Tx| sql::finish(tx, &claim, stored).await;
    context.db.write(move |tx| async move { work(tx).await }.boxed()).await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn repeated(keys: &Keys, claim: &Claim, stored: Stored) -> Answer<Response> {
    if stored.request_hash != claim.request_hash {
        return Err(ApiError::new("idempotency.mismatch"));
    }
    if stored.status == 0 {
        return Err(ApiError::new("idempotency.in_progress"));
    }
    let body = keys.open(&claim.context(), &stored.body).map_err(crate::Error::from)?;
    let mut response = Body::from(body).into_response();
    *response.status_mut() = StatusCode::from_u16(stored.status).unwrap_or_default();
    *response.headers_mut() = read_headers(&stored.headers);
    let mark = HeaderValue::from_static("true");
    response.headers_mut().insert(HeaderName::from_static("idempotency-replayed"), mark);
    Ok(response)
}

impl Claim {
    /// The hash is keyed: a body may hold a password, and a plain hash of one can be guessed.
    fn new(context: &Context, who: &SignedIn, key: String, hash: &[u8]) -> Self {
        Self {
            user_id: who.user.id.clone(),
            key,
            request_hash: hex(&context.keys.identity(&hex(hash))),
            at: context.clock.now().0,
        }
    }

    /// What the stored answer is bound to.
    fn context(&self) -> String {
        format!("idempotency/{}/{}", self.user_id, self.key)
    }
}

fn key(method: &Method, headers: &HeaderMap) -> Answer<Option<String>> {
    let repeatable = matches!(*method, Method::POST | Method::PUT | Method::PATCH);
    let Some(value) = headers.get(HEADER).filter(|_| repeatable) else { return Ok(None) };
    let is_key = |key: &&str| {
        (1..=KEY_CHARACTERS_MAX).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic())
    };
    let key = value.to_str().ok().filter(is_key);
    let key = key.ok_or_else(|| ApiError::new("request.bad_idempotency_key"))?;
    Ok(Some(key.to_owned()))
}

fn write_headers(headers: &HeaderMap) -> String {
    let line = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(format!("{name}: {value}"))
    };
    KEPT.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn read_headers(text: &str) -> HeaderMap {
    text.lines()
        .filter_map(|line| line.split_once(": "))
        .filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?)))
        .collect()
}

/// Who of equal requests goes first.
#[derive(Default)]
pub(super) struct Locks(Mutex<HashMap<String, Weak<tokio::sync::Mutex<()>>>>);

impl Locks {
    async fn turn(&self, name: String) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| lock.strong_count() > 0);
            let lock = locks.get(&name).and_then(Weak::upgrade).unwrap_or_default();
            locks.insert(name, Arc::downgrade(&lock));
            lock
        };
        lock.lock_owned().await
    }
}
