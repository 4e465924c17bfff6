//! The output of jobs: where its bytes are, what their tree hash is, and the reading of them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;
use glacier_core::glacier::VaultName;
use glacier_core::tree_hash::combine;
use glacier_core::{ByteRange, MIB, TreeHash};
use rusqlite::{Connection, OptionalExtension};

use super::job::{Inventory, Job, JobState, Retrieval, Task};
use super::jobs::find_job;
use super::{JobId, Store, StoreError};

/// Most bytes read at once.
const PIECE_LEN: u64 = 256 << 10;

/// A job that succeeded, and how many bytes there are to get.
#[derive(Debug)]
pub(crate) struct Output {
    pub(crate) job: Job,
    /// At least 1.
    pub(crate) len: u64,
}

impl Store {
    /// The output of a job, unless there is none yet, or none any more.
    pub(crate) fn job_output(&self, vault: &VaultName, id: &JobId) -> Result<Output, StoreError> {
        let now = self.now_ms();
        let job = self.read(|connection| find_job(connection, vault, id, now))?;
        let len = match &job.task {
            Task::Retrieval(retrieval) => Some(retrieval.range.len()),
            Task::Inventory(inventory) => inventory.size,
        };
        let len = len.filter(|_| job.state == JobState::Succeeded).ok_or(StoreError::JobNotReady)?;
        Ok(Output { job, len })
    }

    /// A reader of that range of an archive, which is all inside it.
    pub(crate) fn read_retrieval(&self, retrieval: &Retrieval, range: ByteRange) -> Result<OutputReader, StoreError> {
        let content = retrieval.content.ok_or(StoreError::JobNotReady)?;
        self.read(|connection| {
            let mut pieces = VecDeque::new();
            for segment in segments(connection, content, range)? {
                let start = range.start().max(segment.range.start());
                let end = range.end().min(segment.range.end());
                pieces.push_back(Piece {
                    path: self.inner.folder.path_of(&segment.file),
                    first_byte: start - segment.range.start(),
                    len: end - start,
                });
            }
            // Forgotten since the job was looked up.
            let found: u64 = pieces.iter().map(|piece: &Piece| piece.len).sum();
            if found == range.len() { Ok(OutputReader { pieces, open: None }) } else { Err(StoreError::JobNotFound) }
        })
    }

    /// A reader of that range of an inventory, which is all inside it.
    pub(crate) fn read_inventory(&self, inventory: &Inventory, range: ByteRange) -> Result<OutputReader, StoreError> {
        let file = inventory.file.as_ref().ok_or(StoreError::JobNotReady)?;
        let piece = Piece { path: self.inner.folder.path_of(file), first_byte: range.start(), len: range.len() };
        Ok(OutputReader { pieces: VecDeque::from([piece]), open: None })
    }

    /// The tree hash of a tree-hash-aligned range of a retrieved archive, from the hashes that were kept when the bytes
    /// arrived.
    pub(crate) fn tree_hash(&self, retrieval: &Retrieval, range: ByteRange) -> Result<TreeHash, StoreError> {
        let content = retrieval.content.ok_or(StoreError::JobNotReady)?;
        self.read(|connection| tree_hash_of(connection, content, range))
    }
}

struct Segment {
    range: ByteRange,
    file: String,
    tree_hash: TreeHash,
}

/// The segments that hold bytes of `range`, in order.
fn segments(connection: &Connection, content: i64, range: ByteRange) -> Result<Vec<Segment>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT first_byte, len, file, tree_hash FROM segments WHERE content = ?1 AND first_byte < ?3 AND first_byte >= (
            SELECT max(first_byte) FROM segments WHERE content = ?1 AND first_byte <= ?2) ORDER BY first_byte",
    )?;
    let rows = statement.query_map((content, range.start(), range.end()), |row| {
        let (first_byte, len): (u64, u64) = (row.get(0)?, row.get(1)?);
        let range = ByteRange::new(first_byte, first_byte.saturating_add(len));
        let range = range.ok_or(rusqlite::Error::IntegralValueOutOfRange(1, 0))?; // the schema has no empty segment
        Ok(Segment { range, file: row.get(2)?, tree_hash: TreeHash::from_bytes(row.get(3)?) })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The tree hash of a tree-hash-aligned range.
///
/// All segments but the last are of the same power of two MiB, so a node of the archive's tree is either inside one of
/// them or made of several whole ones.
pub(super) fn tree_hash_of(connection: &Connection, content: i64, range: ByteRange) -> Result<TreeHash, StoreError> {
    let segments = segments(connection, content, range)?;
    match segments.as_slice() {
        [one] if one.range != range => {
            let first_leaf = (range.start() - one.range.start()) / MIB;
            let leaves = range.len().div_ceil(MIB);
            let mut statement = connection
                .prepare_cached("SELECT substr(leaves, ?3, ?4) FROM segments WHERE content = ?1 AND first_byte = ?2")?;
            // `substr` counts bytes of a blob from 1.
            let parameters = (content, one.range.start(), first_leaf * 32 + 1, leaves * 32);
            let bytes: Vec<u8> = statement.query_one(parameters, |row| row.get(0)).optional()?.unwrap_or_default();
            let (leaves, _) = bytes.as_chunks::<32>();
            let nodes: Vec<TreeHash> = leaves.iter().map(|leaf| TreeHash::from_bytes(*leaf)).collect();
            Ok(combine(&nodes))
        }
        whole => Ok(combine(&whole.iter().map(|segment| segment.tree_hash).collect::<Vec<_>>())),
    }
}

#[derive(Debug)]
struct Piece {
    path: PathBuf,
    first_byte: u64,
    /// Bytes still to read.
    len: u64,
}

/// Reads an output piece by piece. Blocks. Fails where the job is forgotten before the end, which is a day after its
/// completion.
#[derive(Debug)]
pub(crate) struct OutputReader {
    pieces: VecDeque<Piece>,
    open: Option<File>,
}

impl OutputReader {
    /// The next bytes; none at the end.
    pub(crate) fn read(&mut self) -> io::Result<Bytes> {
        let Some(piece) = self.pieces.front_mut() else { return Ok(Bytes::new()) };
        let mut file = match self.open.take() {
            Some(file) => file,
            None => {
                let mut file = File::open(&piece.path)?;
                file.seek(SeekFrom::Start(piece.first_byte))?;
                file
            }
        };
        let len = piece.len.min(PIECE_LEN);
        let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or_default());
        let read = (&mut file).take(len).read_to_end(&mut bytes)? as u64;
        if read != len {
            return Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "a stored file is shorter than the metadata says",
            ));
        }
        piece.len -= read;
        if piece.len == 0 {
            self.pieces.pop_front();
        } else {
            self.open = Some(file);
        }
        Ok(bytes.into())
    }
}
