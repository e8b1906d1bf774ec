//! Lists page by the key of their last row, never by an offset.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use daohu_base::Timestamp;
use serde::{Serialize, Serializer, de::DeserializeOwned};
use utoipa::ToSchema;

use super::{Answer, ApiError, extract::has_nul};

/// Rows of a page unless the request says otherwise.
const LIMIT_DEFAULT: u32 = 50;
/// Most rows of a page.
const LIMIT_MAX: u32 = 200;
/// Longest mark that is looked at.
const CURSOR_BYTES_MAX: usize = 1024;

/// Which page of which list is wanted. `K` is the key that the list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest<K> {
    /// Names the list, so that a mark of another list is refused.
    list: &'static str,
    /// Rows of the page.
    limit: u32,
    /// The key of the last row before the page.
    pub after: Option<K>,
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Send it as `after` to get the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// An instant on the wire: RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct At(pub Timestamp);

impl<K: Serialize + DeserializeOwned> PageRequest<K> {
    /// Checks what the query says.
    pub fn new(list: &'static str, limit: Option<u32>, after: Option<&str>) -> Answer<Self> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(ApiError::beyond("limit", "page.bad_limit", LIMIT_MAX.into()));
        }
        let bad = || ApiError::field("after", "page.bad_cursor");
        let after = after.map(|mark| read(list, mark).ok_or_else(bad)).transpose()?;
        Ok(Self { list, limit, after })
    }

    /// How many rows to fetch: one more than are shown tells whether there is a next page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }

    /// How many rows the page has at most.
    pub fn rows(&self) -> usize {
        usize::try_from(self.limit).unwrap_or(usize::MAX)
    }

    /// The page of a list that stopped looking at `next`, where that may not be its end.
    pub fn cut<T>(&self, items: Vec<T>, next: Option<K>) -> Page<T> {
        Page { items, next: next.and_then(|mark| write(self.list, &mark)) }
    }

    /// The page, of rows fetched as [`PageRequest::fetch`] says.
    pub fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> K) -> Page<T> {
        let limit = self.rows();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).and_then(|last| write(self.list, &key(last)));
        Page { items, next }
    }
}

impl<T> Page<T> {
    /// The same page, its rows in another form.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(form).collect(), next: self.next }
    }
}

fn write<K: Serialize>(list: &str, key: &K) -> Option<String> {
    serde_json::to_vec(&(list, key)).ok().map(|json| URL_SAFE_NO_PAD.encode(json))
}

fn read<K: DeserializeOwned>(list: &str, mark: &str) -> Option<K> {
    let json = URL_SAFE_NO_PAD.decode(mark).ok().filter(|_| mark.len() <= CURSOR_BYTES_MAX)?;
    if has_nul(&json) {
        return None;
    }
    let (of, key): (String, K) = serde_json::from_slice(&json).ok()?;
    (of == list).then_some(key)
}

impl Serialize for At {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_leads_to_the_next_page_of_the_same_list_only() {
        let first = PageRequest::<(String, i64)>::new("a", Some(2), None).unwrap();
        assert_eq!(first.fetch(), 3);
        let key = |row: &i64| ("x".to_owned(), *row);
        assert!(first.page(vec![1, 2], key).next.is_none());
        let page = first.page(vec![1, 2, 3], key);
        assert_eq!(page.items, [1, 2]);
        let mark = page.next.unwrap();
        let second = PageRequest::<(String, i64)>::new("a", None, Some(&mark)).unwrap();
        assert_eq!(second.after, Some(("x".to_owned(), 2)));
        assert!(PageRequest::<(String, i64)>::new("b", None, Some(&mark)).is_err());
        assert!(PageRequest::<i64>::new("a", None, Some(&mark)).is_err());
        assert!(PageRequest::<i64>::new("a", None, Some("!")).is_err());
        assert!(PageRequest::<i64>::new("a", Some(0), None).is_err());
        assert!(PageRequest::<i64>::new("a", Some(201), None).is_err());
    }
}
