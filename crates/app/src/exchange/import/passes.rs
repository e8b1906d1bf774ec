//! The passes over the rows, batch by batch, and what they hand over to the writing half.

use std::{
    collections::HashSet,
    path::Path,
    sync::{Arc, atomic::Ordering},
};

use daohu_db::Tx;
use tokio::sync::mpsc;

use super::{
    contest::settle,
    decide::Decider,
    follow::Moves,
    group::{Existing, Groups},
    ops::{Message, batch_rows},
    registers::{Known, Registers, Stored},
    writes::Writes,
};
use crate::{
    Error,
    exchange::spill::Spill,
    households::Marks,
    jobs::Progress,
    sheet::{PAIRINGS, Sheet},
};

/// Memory for ID numbers that wait to be written.
const KEYS_BYTES: usize = 16 << 20;

/// Settles what several rows want, and notes who may be one, before anything is decided.
pub(super) async fn settle_all(
    tx: &mut Tx,
    decider: &mut Decider<'_>,
    groups: &mut Groups,
    homes: &HashSet<String>,
    is_empty: bool,
) -> Result<(), Error> {
    let mut contests = std::mem::take(&mut decider.contests);
    loop {
        let batch = groups.batch(|no| homes.contains(no))?;
        if batch.is_empty() {
            break;
        }
        let existing = look_up(tx, decider, &batch, is_empty).await?;
        for group in &batch {
            let known = (&decider.tree, decider.scope, decider.checker, decider.author.keys);
            settle(&mut contests, group, &existing, known);
            let marks = (decider.checker.marks, decider.author.keys);
            decider.candidates.note(group, &existing, marks);
        }
    }
    decider.contests = contests;
    groups.rewind()
}

/// Decides household by household.
pub(super) async fn decide_all(
    tx: &mut Tx,
    decider: &mut Decider<'_>,
    groups: &mut Groups,
    is_empty: bool,
    run: &mut Run,
    progress: &Progress,
) -> Result<(), Error> {
    loop {
        progress.check()?;
        let batch = groups.batch(|_| true)?;
        if batch.is_empty() {
            return Ok(());
        }
        let existing = look_up(tx, decider, &batch, is_empty).await?;
        for group in &batch {
            decider.decide(group, &existing)?;
            let rows = u64::try_from(group.len()).unwrap_or_default();
            progress.rows_done.fetch_add(rows, Ordering::Relaxed);
        }
        if decider.writes.len() >= batch_rows(tx.engine()) {
            run.flush(decider).await?;
        }
    }
}

/// Decides the rows of the registers that are read before households, or of the others.
pub(super) async fn decide_registers(
    tx: &mut Tx,
    decider: &mut Decider<'_>,
    registers: &mut Registers,
    before: Option<&Sheet>,
    run: &mut Run,
    progress: &Progress,
) -> Result<(), Error> {
    while let Some((register, batch)) = registers.batch(before)? {
        progress.check()?;
        let known = (decider.checker.marks, &decider.brought);
        let known = Known::load(tx, decider.author.keys, known, register, &batch).await?;
        decider.decide_registers(register, &batch, &known)?;
        let rows: usize = batch.iter().map(|keyed| keyed.rows.len()).sum();
        progress.rows_done.fetch_add(u64::try_from(rows).unwrap_or_default(), Ordering::Relaxed);
        if decider.writes.len() >= batch_rows(tx.engine()) {
            run.flush(decider).await?;
        }
    }
    Ok(())
}

/// The members of households that moved go along, but for those whom rows wrote.
pub(super) async fn follow_all(
    tx: &mut Tx,
    decider: &mut Decider<'_>,
    moves: Moves,
    run: &mut Run,
    progress: &Progress,
) -> Result<(), Error> {
    let mut followers = moves.followers()?;
    while let Some(batch) = followers.batch(tx, decider.author.keys).await? {
        progress.check()?;
        for (member, village) in &batch {
            decider.follow(member, village)?;
        }
        if decider.writes.len() >= batch_rows(tx.engine()) {
            run.flush(decider).await?;
        }
    }
    Ok(())
}

/// What the store knows of a batch; nothing, without asking, when it is empty.
async fn look_up(
    tx: &mut Tx,
    decider: &Decider<'_>,
    batch: &[super::group::Group],
    is_empty: bool,
) -> Result<Existing, Error> {
    let marks: Marks<'_> = decider.checker.marks;
    let mut existing = match is_empty {
        true => Existing::default(),
        false => Existing::load(tx, decider.author.keys, marks, batch).await?,
    };
    let pairings = batch.iter().flat_map(|group| &group.pairings);
    existing.named = Stored::load(tx, (marks, &decider.brought), &PAIRINGS, pairings).await?;
    Ok(existing)
}

/// The hand-over from the deciding half to the writing half.
pub(super) struct Run {
    pub(super) send: Option<mpsc::Sender<Message>>,
    held: Spill,
    serial: u64,
}

impl Run {
    /// A run that sends to the writing half, if there is one.
    pub(super) fn new(send: Option<mpsc::Sender<Message>>, folder: &Arc<Path>) -> Self {
        Self { send, held: Spill::new(KEYS_BYTES, folder), serial: 0 }
    }

    /// Sends what was decided.
    pub(super) async fn flush(&mut self, decider: &mut Decider<'_>) -> Result<(), Error> {
        let after = Writes::after(&decider.writes);
        let mut writes = std::mem::replace(&mut decider.writes, after);
        let Some(send) = &self.send else { return Ok(()) };
        for claim in writes.take_claims() {
            // Where the person joins counts, whichever county's rows are decided last.
            let is_current = [u8::from(claim.holder.is_current)];
            self.serial += 1;
            let key = [&claim.identity[..], &is_current, &self.serial.to_be_bytes()].concat();
            let value = postcard::to_allocvec(&claim).map_err(std::io::Error::other)?;
            self.held.push(&key, &value)?;
        }
        let draft = writes.take_draft(decider.author.act);
        send.send(Message::Batch(Box::new(writes), draft)).await.map_err(|_| Error::Cancelled)
    }

    /// Sends the rest, and that it is all.
    pub(super) async fn end(mut self, decider: &mut Decider<'_>) -> Result<(), Error> {
        self.flush(decider).await?;
        let Some(send) = self.send else { return Ok(()) };
        let serials = std::mem::take(&mut decider.serials);
        let keys = self.held.sorted()?;
        send.send(Message::End { keys, serials }).await.map_err(|_| Error::Cancelled)
    }
}
