//! Entries and the arithmetic of the chain.

use std::sync::atomic::{AtomicI64, Ordering};

use daohu_base::{Actor, Clock, Stamp, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::packing;
use crate::keys::{KeyError, Keys};

/// Under which county the journal keeps what belongs to none.
pub const NO_COUNTY: &str = "000000";

/// One act of one actor: the frame of all changes of a transaction.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who, and under which authority.
    pub actor: Actor,
    /// When.
    pub at: Timestamp,
    /// Where the facts come from: `api`, `import <id>`, `migration`.
    pub source: String,
    /// Marks the transaction.
    pub stamp: Stamp,
}

/// What happened to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Created,
    /// Some of it changed.
    Updated,
    /// It lies in another county now (no `after`), or came from one.
    Moved,
    /// What an import did to it was undone: it is again as it was before, or not there (no `after`).
    Undone,
    /// It was looked at in a way that must be accounted for: an export, an unmasked number.
    Disclosed,
    /// It was put into an empty database, from a backup or from another database.
    Restored,
    /// A user signed in.
    SignedIn,
    /// A session ended, by its user or by someone else.
    SignedOut,
    /// An attempt to sign in was refused.
    SignInFailed,
    /// Too many attempts failed: the account is shut for a while.
    LockedOut,
    /// A user asked for a secret for one-time codes.
    Started,
    /// From now on codes are asked for.
    Enrolled,
    /// The user does without codes.
    Removed,
    /// Somebody else took the second factor away.
    Reset,
    /// The password was right, the code was not.
    CodeRefused,
    /// One of the codes for who has lost the telephone was used.
    RecoveryCodeUsed,
    /// They were replaced by new ones.
    RecoveryCodesRenewed,
}

impl Action {
    /// As stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Moved => "moved",
            Self::Undone => "undone",
            Self::Disclosed => "disclosed",
            Self::Restored => "restored",
            Self::SignedIn => "signed_in",
            Self::SignedOut => "signed_out",
            Self::SignInFailed => "sign_in_failed",
            Self::LockedOut => "locked_out",
            Self::Started => "started",
            Self::Enrolled => "enrolled",
            Self::Removed => "removed",
            Self::Reset => "reset",
            Self::CodeRefused => "code_refused",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesRenewed => "recovery_codes_renewed",
        }
    }
}

/// One changed record. `before` and `after` are JSON objects of the record's columns.
#[derive(Clone, Debug)]
pub struct Change {
    /// Six digits, or [`NO_COUNTY`].
    pub county: String,
    /// Which kind of record: `household`, `user` …
    pub kind: &'static str,
    /// The record's key within its county, as text.
    pub record: String,
    /// What happened.
    pub action: Action,
    /// The columns that changed, as they were.
    pub before: Option<String>,
    /// The whole record, as it is now.
    pub after: Option<String>,
}

/// Changes of one act on their way into the journal.
#[derive(Clone, Debug)]
pub struct Draft {
    /// Whose changes they are.
    pub act: Act,
    /// Of the first of them within the act.
    pub position: i64,
    /// In the order of their positions.
    pub changes: Vec<Change>,
}

/// An entry as stored, without its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the columns of the journal, described in the migration")]
pub struct Entry {
    pub county: String,
    pub stamp: i64,
    pub position: i64,
    pub at: i64,
    pub actor: String,
    pub authority: String,
    pub source: String,
    pub kind: String,
    pub record: String,
    pub action: String,
    pub body: Vec<u8>,
}

/// A record as the journal names it: county, kind, key.
pub type RecordRef<'a> = (&'a str, &'a str, &'a str);

/// How far a journal has come: its chains, without a look at whether they are whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The number of the last line of the root chain; 0 if there is none.
    pub root: i64,
    /// The root chain there, in hex.
    pub root_chain: String,
    /// The heads of the counties' chains.
    pub heads: Vec<HeadPosition>,
}

/// The head of a county's chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadPosition {
    /// Six digits, or [`NO_COUNTY`].
    pub county: String,
    /// The sequence of its last entry.
    pub sequence: i64,
    /// The chain there, in hex.
    pub chain: String,
}

/// What is wrong with a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Problem {
    /// An entry is not what was sealed.
    Altered,
    /// An entry is missing.
    Removed,
    /// An entry stands where another was sealed.
    Reordered,
    /// The end of the chain is missing.
    Cut,
    /// A row is not what its last entry says.
    RowDiffers,
    /// A row has gone although no entry says so.
    RowMissing,
    /// A row has no entry.
    RowUnknown,
    /// The checkpoint was not signed with these keys.
    ForgedCheckpoint,
}

/// 32 bytes of a chain; all zero before the first entry.
pub(super) type Link = [u8; 32];

/// The start of every chain.
pub(super) const START: Link = [0; 32];

/// Serials of transactions within this process.
static STAMPS: AtomicI64 = AtomicI64::new(0);
/// Room for transactions of one millisecond.
const STAMPS_PER_MS: i64 = 1 << 20;

impl Act {
    /// An act of now.
    pub fn new(actor: Actor, clock: &dyn Clock, source: impl Into<String>) -> Self {
        let at = clock.now();
        Self { actor, at, source: source.into(), stamp: next_stamp(at) }
    }

    /// The same act at a later instant: when its transaction has begun, and others can no longer come
    /// before it.
    pub fn anew(&self, clock: &dyn Clock) -> Self {
        let at = clock.now();
        Self { at, stamp: next_stamp(at), ..self.clone() }
    }

    /// Puts the act behind the instant of what it changes. Clocks of two servers differ, and whoever
    /// changes what the other one wrote comes after it in the journal too. The instant is then no
    /// reading of this server's clock, and the log says by how much.
    pub fn follow(&mut self, last: Timestamp) {
        if self.at < last {
            let behind_ms = last.0.saturating_sub(self.at.0);
            tracing::warn!(behind_ms, "another server's clock is ahead of this one");
            self.at = Timestamp(last.0.saturating_add(1));
            self.stamp = next_stamp(self.at);
        }
    }
}

/// A mark that no other transaction has. Processes start counting at a random place, so that two
/// servers on one database do not meet.
fn next_stamp(at: Timestamp) -> Stamp {
    if STAMPS.load(Ordering::Relaxed) == 0 {
        let mut bytes = [0; 8];
        // Without random numbers the counter starts at 1: still unique within this process.
        let _ = getrandom::fill(&mut bytes);
        let start = (i64::from_be_bytes(bytes) & (STAMPS_PER_MS - 1)).max(1);
        let _ = STAMPS.compare_exchange(0, start, Ordering::Relaxed, Ordering::Relaxed);
    }
    let serial = STAMPS.fetch_add(1, Ordering::Relaxed) & (STAMPS_PER_MS - 1);
    Stamp(at.0.saturating_mul(STAMPS_PER_MS).saturating_add(serial))
}

impl Draft {
    /// The entries, their bodies packed and sealed.
    pub(super) fn entries(self, keys: &Keys) -> Result<Vec<Entry>, KeyError> {
        let changes = (self.position..).zip(self.changes);
        changes.map(|(position, change)| Entry::new(keys, &self.act, position, change)).collect()
    }
}

impl Entry {
    /// The entry of one change, its body packed and sealed.
    fn new(keys: &Keys, act: &Act, position: i64, change: Change) -> Result<Self, KeyError> {
        let before = change.before.as_deref().unwrap_or("null");
        let after = change.after.as_deref().unwrap_or("null");
        let body = ["{\"before\":", before, ",\"after\":", after, "}"].concat();
        let mut entry = Self {
            county: change.county,
            stamp: act.stamp.0,
            position,
            at: act.at.0,
            actor: act.actor.name.clone(),
            authority: act.actor.authority.clone(),
            source: act.source.clone(),
            kind: change.kind.to_owned(),
            record: change.record,
            action: change.action.as_str().to_owned(),
            body: Vec::new(),
        };
        entry.body = keys.seal(&entry.context(), &packing::pack(&body))?;
        Ok(entry)
    }

    /// The JSON text `{"before": …, "after": …}`.
    pub fn open(&self, keys: &Keys) -> Result<Vec<u8>, KeyError> {
        let packed = keys.open(&self.context(), &self.body)?;
        packing::unpack(&packed).ok_or(KeyError::Sealed)
    }

    /// What the body is bound to.
    fn context(&self) -> String {
        let (mut stamp, mut position) = (itoa::Buffer::new(), itoa::Buffer::new());
        let (stamp, position) = (stamp.format(self.stamp), position.format(self.position));
        ["journal", &self.county, &self.kind, &self.record, stamp, position].join("/")
    }

    /// The chain after this entry.
    pub(super) fn link(&self, previous: &Link, sequence: i64) -> Link {
        let mut hash = Sha256::new();
        hash.update(previous);
        for number in [sequence, self.stamp, self.position, self.at] {
            hash.update(number.to_be_bytes());
        }
        let texts = [
            &self.county,
            &self.actor,
            &self.authority,
            &self.source,
            &self.kind,
            &self.record,
            &self.action,
        ];
        for bytes in texts.into_iter().map(|text| text.as_bytes()).chain([self.body.as_slice()]) {
            // Lengths stand before the bytes: no two lists of columns give the same stream.
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        }
        hash.finalize().into()
    }
}

/// A county's new head in the root chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) number: i64,
    pub(super) at: i64,
    pub(super) county: String,
    pub(super) sequence: i64,
    pub(super) head: Link,
}

impl Root {
    /// The root chain after this line.
    pub(super) fn link(&self, previous: &Link) -> Link {
        let mut hash = Sha256::new();
        hash.update(previous);
        for number in [self.number, self.at, self.sequence] {
            hash.update(number.to_be_bytes());
        }
        hash.update((self.county.len() as u64).to_be_bytes());
        hash.update(self.county.as_bytes());
        hash.update(self.head);
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use daohu_base::SystemClock;

    use super::*;

    fn change(record: &str) -> Change {
        Change {
            county: "990102".into(),
            kind: "household",
            record: record.into(),
            action: Action::Created,
            before: None,
            after: Some("{\"no\":\"H001\"}".into()),
        }
    }

    #[test]
    fn a_body_opens_only_as_the_entry_it_was_sealed_for() {
        let keys = Keys::generate().unwrap();
        let act = Act::new(Actor::command("test"), &SystemClock, "test");
        let mut entry = Entry::new(&keys, &act, 0, change("1")).unwrap();
        assert_eq!(entry.open(&keys).unwrap(), b"{\"before\":null,\"after\":{\"no\":\"H001\"}}");
        entry.record = "2".into();
        assert!(entry.open(&keys).is_err());
    }

    #[test]
    fn every_column_is_in_the_chain() {
        let keys = Keys::generate().unwrap();
        let act = Act::new(Actor::command("test"), &SystemClock, "test");
        let entry = Entry::new(&keys, &act, 0, change("1")).unwrap();
        let link = entry.link(&START, 1);
        let alter: [fn(&mut Entry); 11] = [
            |e| e.county.push('1'),
            |e| e.stamp += 1,
            |e| e.position += 1,
            |e| e.at += 1,
            |e| e.actor.push('1'),
            |e| e.authority.push('1'),
            |e| e.source.push('1'),
            |e| e.kind.push('1'),
            |e| e.record.push('1'),
            |e| e.action.push('1'),
            |e| e.body.push(1),
        ];
        for change in alter {
            let mut other = entry.clone();
            change(&mut other);
            assert_ne!(other.link(&START, 1), link);
        }
        assert_ne!(entry.link(&START, 2), link);
        assert_ne!(entry.link(&link, 1), link);
    }

    #[test]
    fn an_act_comes_after_what_it_changes() {
        let clock_at = Act::new(Actor::command("test"), &SystemClock, "test");
        for (ahead_ms, follows) in [(-1, false), (0, false), (1, true), (60_000, true)] {
            let (mut act, last) = (clock_at.clone(), Timestamp(clock_at.at.0 + ahead_ms));
            act.follow(last);
            assert!(act.at >= last);
            assert_eq!((act.at > clock_at.at, act.stamp.0 > clock_at.stamp.0), (follows, follows));
        }
    }

    #[test]
    fn stamps_are_unique() {
        let at = Timestamp(1_700_000_000_000);
        let stamps: std::collections::HashSet<i64> = (0..1000).map(|_| next_stamp(at).0).collect();
        assert_eq!(stamps.len(), 1000);
    }
}
