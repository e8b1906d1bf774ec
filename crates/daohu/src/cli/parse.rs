//! What arguments may be.

use daohu_app::suspects::Verdict;
use daohu_base::{AreaCode, AreaLevel, Day, Fen};

pub(super) fn parse_area(text: &str) -> Result<AreaCode, String> {
    let area = AreaCode::parse(text).map_err(|error| error.to_string())?;
    if area.level() == AreaLevel::Group {
        return Err("areas go down to the village here: name the village of the group".to_owned());
    }
    Ok(area)
}

pub(super) fn parse_verdict(text: &str) -> Result<Verdict, String> {
    Verdict::named(text).ok_or_else(|| "open, different, same or merged".to_owned())
}

pub(super) fn parse_day(text: &str) -> Result<Day, String> {
    Day::parse(text).map_err(|error| error.to_string())
}

/// `township` …: the level of areas by which something is told.
pub(super) fn parse_level(text: &str) -> Result<AreaLevel, String> {
    let level = AreaLevel::named(text).filter(|level| *level <= AreaLevel::Village);
    level.ok_or_else(|| "province, city, county, township or village".to_owned())
}

/// `line=3200`: an amount as packs write it.
pub(super) fn parse_amount(text: &str) -> Result<(String, String), String> {
    let parts = text.split_once('=').map(|(id, amount)| (id.trim(), amount.trim()));
    let is_amount = |amount: &str| amount.parse::<f64>().is_ok_and(f64::is_finite);
    match parts {
        Some((id, amount)) if !id.is_empty() && is_amount(amount) => {
            Ok((id.to_owned(), amount.to_owned()))
        }
        _ => Err("STANDARD=AMOUNT, such as line=3200".to_owned()),
    }
}

/// Yuan with two decimals at most.
pub(super) fn parse_yuan(text: &str) -> Result<Fen, String> {
    Fen::parse_yuan(text).map_err(|error| error.to_string())
}
