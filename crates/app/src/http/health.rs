//! Whether the server lives and can serve.

use axum::extract::State;
use daohu_db::SchemaState;
use serde::Serialize;

use super::{Answer, ApiError, App, Json};
use crate::schema::MIGRATIONS;

/// `{"status": "ok"}`
#[derive(Serialize)]
pub(super) struct Health {
    status: &'static str,
}

/// The process lives.
pub(super) async fn healthz() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The database answers and has the schema of this program.
pub(super) async fn readyz(State(app): State<App>) -> Answer<Json<Health>> {
    let not_ready = || ApiError::new("server.not_ready");
    match app.context().db.schema(&MIGRATIONS).await {
        Ok(SchemaState::Current) => Ok(Json(Health { status: "ok" })),
        Ok(state) => Err(not_ready().because(format!("schema: {state:?}"))),
        Err(error) => Err(not_ready().because(error)),
    }
}
