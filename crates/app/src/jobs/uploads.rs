//! Uploads on their way: their room is spoken for before it is used.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// The uploads of this server: bytes by user, who has one at a time.
#[derive(Clone, Default)]
pub(super) struct Uploads(Arc<Mutex<HashMap<String, u64>>>);

/// The place of an upload; dropped, it is free again.
pub(super) struct Reserved {
    uploads: Uploads,
    user_id: String,
}

impl Uploads {
    /// A place for this many bytes; none if another upload of the user is still on its way.
    pub(super) fn reserve(&self, user_id: &str, bytes: u64) -> Option<Reserved> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.contains_key(user_id) {
            return None;
        }
        all.insert(user_id.to_owned(), bytes);
        Some(Reserved { uploads: self.clone(), user_id: user_id.to_owned() })
    }

    /// Bytes that are spoken for.
    pub(super) fn bytes(&self) -> u64 {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.values().fold(0, |sum, bytes| sum.saturating_add(*bytes))
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        let mut all = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(&self.user_id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_uploads_once_at_a_time_and_gives_the_place_back() {
        let uploads = Uploads::default();
        let first = uploads.reserve("a", 5).unwrap();
        assert!(uploads.reserve("a", 1).is_none());
        let second = uploads.reserve("b", 7).unwrap();
        assert_eq!(uploads.bytes(), 12);
        drop(first);
        assert_eq!(uploads.bytes(), 7);
        assert!(uploads.reserve("a", 1).is_some());
        drop(second);
    }
}
