//! How often one address or user may do one thing, in bounded memory.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use daohu_base::Timestamp;

use super::ApiError;

const MINUTE_MS: i64 = 60_000;
/// Keys remembered at once; about 10 MB.
const KEYS_MAX: usize = 100_000;

/// Counts by minute. One server's memory: several servers allow as many times the rate.
#[derive(Default)]
pub(super) struct Limiter(Mutex<HashMap<(&'static str, String), Window>>);

struct Window {
    minute: i64,
    count: u32,
}

impl Limiter {
    /// Counts one `act` of `key`; refuses the one after `per_minute` within a minute.
    pub(super) fn count(
        &self,
        act: &'static str,
        key: String,
        per_minute: u32,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let minute = now.0.div_euclid(MINUTE_MS);
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= KEYS_MAX {
            windows.retain(|_, window| window.minute == minute);
            if windows.len() >= KEYS_MAX {
                // More callers in a minute than we remember: a flood. Forget nobody, admit nobody.
                return Err(refused(now));
            }
        }
        let window = windows.entry((act, key)).or_insert(Window { minute, count: 0 });
        if window.minute != minute {
            *window = Window { minute, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        if window.count > per_minute { Err(refused(now)) } else { Ok(()) }
    }
}

fn refused(now: Timestamp) -> ApiError {
    let rest_ms = MINUTE_MS - now.0.rem_euclid(MINUTE_MS);
    ApiError::new("request.rate_limited").retry_after_s(rest_ms / 1000 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_own_minute() {
        let limiter = Limiter::default();
        let count = |key: &str, ms| limiter.count("x", key.to_owned(), 2, Timestamp(ms)).is_ok();
        assert!(count("a", 0) && count("a", 1) && !count("a", 59_999));
        assert!(count("b", 59_999) && count("a", 60_000));
    }
}
