//! A body's way from the socket to the disk: the runtime reads, a blocking thread hashes and writes, and a short queue
//! between them slows the client down to the disk's speed. No more of a body is in memory than that queue.

use std::error::Error;

use bytes::Bytes;
use glacier_core::PayloadHash;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::sync::mpsc;

use crate::store::{Failure, Incoming, Store, StoreError};

/// A request's body, whatever server it came through.
pub(crate) type RequestBody = UnsyncBoxBody<Bytes, Box<dyn Error + Send + Sync>>;

/// Pieces that wait between socket and disk. A server hands out pieces of some 10 to 400 KiB.
const QUEUE_LEN: usize = 16;

/// What the client said of the body it sends.
#[derive(Clone, Debug)]
pub(crate) struct Announced {
    /// Bytes.
    pub(crate) len: u64,
    pub(crate) payload_hash: PayloadHash,
    /// As sent: a claim may be well-formed and yet be no tree hash.
    pub(crate) tree_hash: String,
}

/// Why nothing was stored.
#[derive(Debug)]
pub(crate) enum ReceiveError {
    /// The peer was too slow for the server's patience.
    TooSlow,
    /// The body ended early.
    Broken,
    /// The bytes arrived and were refused, or could not be written.
    Store(StoreError),
}

impl From<StoreError> for ReceiveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Writes `body` to the disk, compares it with what was announced, and hands it to `put`. What `put` gives back is
/// durable. If the client goes away after its last byte, `put` still runs to its end.
pub(crate) async fn receive<T: Send + 'static>(
    store: &Store,
    body: RequestBody,
    announced: Announced,
    put: impl FnOnce(&Store, Incoming) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ReceiveError> {
    let (queue, pieces) = mpsc::channel(QUEUE_LEN);
    let len = announced.len;
    let store = store.clone();
    let writing = tokio::task::spawn_blocking(move || {
        let bytes = write(&store, pieces, &announced)?;
        put(&store, bytes)
    });
    // On an error the queue is dropped, the writer finds too few bytes, and its file goes.
    let read = read(body, queue, len).await;
    let written = writing.await.unwrap_or(Err(StoreError::Failed(Failure::ThreadGone)));
    read?;
    Ok(written?)
}

async fn read(mut body: RequestBody, queue: mpsc::Sender<Bytes>, len: u64) -> Result<(), ReceiveError> {
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|error| reason(error.as_ref()))?.into_data() else { continue };
        received += piece.len() as u64;
        if received > len {
            return Err(ReceiveError::Broken);
        }
        if queue.send(piece).await.is_err() {
            return Ok(()); // the writer has given up and says why
        }
    }
    if received == len { Ok(()) } else { Err(ReceiveError::Broken) }
}

fn write(store: &Store, mut pieces: mpsc::Receiver<Bytes>, announced: &Announced) -> Result<Incoming, StoreError> {
    let mut incoming = store.incoming_of(announced.len)?;
    while let Some(piece) = pieces.blocking_recv() {
        incoming.write(&piece)?;
    }
    incoming.check(announced.len, announced.payload_hash, &announced.tree_hash)?;
    Ok(incoming)
}

/// A whole body of at most `limit` bytes, or `None` where it is longer.
pub(crate) async fn read_small(mut body: RequestBody, limit: usize) -> Result<Option<Vec<u8>>, ReceiveError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(|error| reason(error.as_ref()))?.into_data() else { continue };
        if bytes.len() + piece.len() > limit {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes))
}

/// Why a body ended early.
fn reason(error: &(dyn Error + 'static)) -> ReceiveError {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if matches!(error.downcast_ref(), Some(accept::BodyError::Stalled | accept::BodyError::TooSlow)) {
            return ReceiveError::TooSlow;
        }
        cause = error.source();
    }
    ReceiveError::Broken
}
