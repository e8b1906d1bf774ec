//! Sorting more than fits into memory.
//!
//! Items are kept in one arena; when it is full they are sorted and written to a run in a temporary
//! file, and reading merges the runs with what is left in memory. Input that comes sorted costs one
//! comparison an item.
//!
//! Runs hold ID numbers: their files have no name, so that nobody can open them, and they are gone with
//! the process however it ends.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
    fs::File,
    io::{self, BufReader, BufWriter, Read, Seek, Write},
    path::Path,
    sync::Arc,
};

/// A sorter of pairs of byte strings, by key. Keys must be unique.
pub(super) struct Spill {
    arena: Vec<u8>,
    items: Vec<Item>,
    runs: Vec<File>,
    arena_bytes_max: usize,
    folder: Arc<Path>,
}

#[derive(Clone, Copy)]
struct Item {
    start: usize,
    key: usize,
    end: usize,
}

/// The first pair of a source: key, source, value.
type Head = (Vec<u8>, usize, Vec<u8>);

/// The sorted items.
pub(super) struct Sorted {
    heap: BinaryHeap<Reverse<Head>>,
    sources: Vec<Source>,
}

/// Items that are in order already.
enum Source {
    Memory { arena: Vec<u8>, items: Vec<Item>, next: usize },
    Run(BufReader<File>),
}

impl Spill {
    /// A sorter that holds about so many bytes in memory, and the rest on the disk of a folder.
    pub(super) fn new(arena_bytes_max: usize, folder: &Arc<Path>) -> Self {
        let (arena, items, runs) = Default::default();
        Self { arena, items, runs, arena_bytes_max, folder: Arc::clone(folder) }
    }

    /// Adds a pair.
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) -> io::Result<()> {
        if self.arena.len() + key.len() + value.len() > self.arena_bytes_max {
            self.write_run()?;
        }
        let start = self.arena.len();
        self.arena.extend_from_slice(key);
        self.arena.extend_from_slice(value);
        self.items.push(Item { start, key: start + key.len(), end: self.arena.len() });
        Ok(())
    }

    /// Ends the input.
    pub(super) fn sorted(self) -> io::Result<Sorted> {
        Self::merged(vec![self])
    }

    /// Ends the input of several sorters; their items come out together.
    pub(super) fn merged(spills: Vec<Self>) -> io::Result<Sorted> {
        let mut sources = Vec::new();
        for mut spill in spills {
            spill.sort();
            let runs = spill.runs.into_iter();
            sources.extend(runs.map(|run| Source::Run(BufReader::with_capacity(1 << 16, run))));
            sources.push(Source::Memory { arena: spill.arena, items: spill.items, next: 0 });
        }
        let mut sorted = Sorted { heap: BinaryHeap::new(), sources };
        sorted.rewind()?;
        Ok(sorted)
    }

    fn sort(&mut self) {
        let arena = &self.arena;
        self.items.sort_by_key(|item| arena.get(item.start..item.key).unwrap_or_default());
    }

    fn write_run(&mut self) -> io::Result<()> {
        self.sort();
        let mut out = BufWriter::with_capacity(1 << 18, tempfile::tempfile_in(&self.folder)?);
        for item in &self.items {
            for bytes in [self.arena.get(item.start..item.key), self.arena.get(item.key..item.end)]
            {
                let bytes = bytes.unwrap_or_default();
                let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
                out.write_all(&length.to_le_bytes())?;
                out.write_all(bytes)?;
            }
        }
        self.runs.push(out.into_inner().map_err(io::IntoInnerError::into_error)?);
        self.arena.clear();
        self.items.clear();
        Ok(())
    }
}

impl Sorted {
    /// Starts again from the first pair.
    pub(super) fn rewind(&mut self) -> io::Result<()> {
        self.heap.clear();
        for i in 0..self.sources.len() {
            match self.sources.get_mut(i) {
                Some(Source::Memory { next, .. }) => *next = 0,
                Some(Source::Run(run)) => run.rewind()?,
                None => {}
            }
            self.heap.extend(read_from(&mut self.sources, i)?.map(Reverse));
        }
        Ok(())
    }

    /// The next pair in the order of the keys.
    pub(super) fn next(&mut self) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
        let Some(mut first) = self.heap.peek_mut() else { return Ok(None) };
        let Reverse((_, source, _)) = &*first;
        // What follows in a run is often the next of all: it takes the place of what goes, and stays there.
        let follows = read_from(&mut self.sources, *source)?;
        let Reverse((key, _, value)) = match follows {
            Some(head) => std::mem::replace(&mut *first, Reverse(head)),
            None => PeekMut::pop(first),
        };
        Ok(Some((key, value)))
    }
}

/// What comes next of a source.
fn read_from(sources: &mut [Source], source: usize) -> io::Result<Option<Head>> {
    let pair = match sources.get_mut(source) {
        Some(Source::Memory { arena, items, next }) => {
            let part = |from, to| arena.get(from..to).unwrap_or_default().to_vec();
            let item = items.get(*next);
            *next += 1;
            item.map(|i| (part(i.start, i.key), part(i.key, i.end)))
        }
        Some(Source::Run(run)) => match read_bytes(run)? {
            Some(key) => Some((key, read_bytes(run)?.ok_or(io::ErrorKind::UnexpectedEof)?)),
            None => None,
        },
        None => None,
    };
    Ok(pair.map(|(key, value)| (key, source, value)))
}

/// A length and so many bytes; none at the end of the file.
fn read_bytes(reader: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 4];
    match reader.read_exact(&mut length) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        Err(error) => return Err(error),
    }
    let length = usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes)?;
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;
    use proptest::prelude::*;

    fn drain(sorted: &mut Sorted) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut all = Vec::new();
        while let Some(pair) = sorted.next().unwrap() {
            all.push(pair);
        }
        all
    }

    #[test]
    fn runs_are_files_of_the_folder_without_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let mut spill = Spill::new(1, &folder.path().into());
        for key in 0..9 {
            spill.push(&[key], b"990102197001010112").unwrap();
        }
        assert!(spill.runs.len() > 1);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let disk = |file: io::Result<std::fs::Metadata>| MetadataExt::dev(&file.unwrap());
        for run in &spill.runs {
            assert_eq!(disk(run.metadata()), disk(folder.path().metadata()));
            assert_eq!(run.metadata().unwrap().nlink(), 0);
        }
        folder.close().unwrap();
        assert!(spill.push(b"more", b"").is_err(), "in this folder and no other");
    }

    proptest! {
        #[test]
        fn items_come_back_in_order_from_memory_and_from_runs(
            items in proptest::collection::btree_map(
                proptest::collection::vec(any::<u8>(), 0..6),
                proptest::collection::vec(any::<u8>(), 0..20), 0..200),
            arena in 1usize..400,
            seed in any::<u64>(),
        ) {
            let mut shuffled: Vec<_> = items.clone().into_iter().collect();
            shuffled.sort_by_key(|(key, _)| {
                key.iter().fold(seed, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x100_0000_01b3))
            });
            let folder = std::env::temp_dir().into();
            let mut spills = [Spill::new(arena, &folder), Spill::new(arena, &folder)];
            for (i, (key, value)) in shuffled.iter().enumerate() {
                spills[i % 2].push(key, value).unwrap();
            }
            let expected: Vec<_> = items.into_iter().collect();
            let mut sorted = Spill::merged(spills.into()).unwrap();
            prop_assert_eq!(&drain(&mut sorted), &expected);
            sorted.rewind().unwrap();
            prop_assert_eq!(drain(&mut sorted), expected);
        }
    }
}
