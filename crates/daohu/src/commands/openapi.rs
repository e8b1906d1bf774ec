//! `daohu openapi`: the OpenAPI document, for the file that is committed.

use std::process::ExitCode;

use super::Done;
use crate::output::line;

pub(crate) fn run() -> Done {
    let document = daohu_app::http::openapi();
    let text = serde_json::to_string_pretty(&document).map_err(std::io::Error::other)?;
    line(text)?;
    Ok(ExitCode::SUCCESS)
}
