//! A body's way from the socket to the disk: the runtime reads, a blocking thread hashes and writes what has come, and a
//! short queue slows the client down to the disk's speed. No more of a body is in memory than that queue, and a client
//! that sends nothing has no thread: there are some hundreds of them, and everybody else needs one to be answered.

use std::error::Error;

use bytes::Bytes;
use glacier_core::PayloadHash;
use http_body_util::BodyExt;
use http_body_util::combinators::UnsyncBoxBody;
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, spawn_blocking};

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
    let mut file = Filling::open(store.clone(), announced.len);
    let last = match read(body, &mut file, announced.len).await {
        Ok(last) => last,
        Err(error) => {
            file.remove().await;
            return Err(error);
        }
    };
    let store = store.clone();
    // In a task of its own, so that it outlives a client that has left.
    let finishing = tokio::spawn(async move {
        let mut incoming = file.finish().await?;
        let writing = spawn_blocking(move || {
            write(&mut incoming, &last)?;
            incoming.check(announced.len, announced.payload_hash, &announced.tree_hash)?;
            put(&store, incoming)
        });
        writing.await.unwrap_or(Err(StoreError::Failed(Failure::ThreadGone)))
    });
    Ok(finishing.await.unwrap_or(Err(StoreError::Failed(Failure::ThreadGone)))?)
}

/// Reads to the end. What is returned has not been written yet.
async fn read(mut body: RequestBody, file: &mut Filling, len: u64) -> Result<Vec<Bytes>, ReceiveError> {
    let mut pieces = Vec::new();
    let mut received = 0;
    loop {
        tokio::select! {
            rested = file.rest(), if file.is_busy() => {
                rested?;
                file.write(&mut pieces);
            }
            frame = body.frame(), if pieces.len() < QUEUE_LEN || !file.is_busy() => {
                let Some(frame) = frame else { break };
                let Ok(piece) = frame.map_err(|error| reason(error.as_ref()))?.into_data() else { continue };
                if piece.is_empty() {
                    continue; // HTTP/2 has frames like that, as many as somebody likes
                }
                received += piece.len() as u64;
                if received > len {
                    return Err(ReceiveError::Broken);
                }
                pieces.push(piece);
                if received < len && !file.is_busy() {
                    file.write(&mut pieces);
                }
            }
        }
    }
    if received == len { Ok(pieces) } else { Err(ReceiveError::Broken) }
}

fn write(incoming: &mut Incoming, pieces: &[Bytes]) -> Result<(), StoreError> {
    pieces.iter().try_for_each(|piece| incoming.write(piece)).map_err(StoreError::from)
}

/// A file that a thread has for as long as there is something to be written. Whatever becomes of it, the runtime never
/// waits for the disk.
#[derive(Debug)]
struct Filling {
    /// A thread has it.
    writing: Option<JoinHandle<Result<Incoming, StoreError>>>,
    /// Nobody does.
    at_rest: Option<Incoming>,
}

impl Filling {
    fn open(store: Store, len: u64) -> Self {
        let opening = spawn_blocking(move || store.incoming_of(len).map_err(StoreError::from));
        Self { writing: Some(opening), at_rest: None }
    }

    fn is_busy(&self) -> bool {
        self.writing.is_some()
    }

    /// Begins to write all those pieces, unless there are none or others are being written.
    fn write(&mut self, pieces: &mut Vec<Bytes>) {
        if pieces.is_empty() {
            return;
        }
        let Some(mut incoming) = self.at_rest.take() else { return };
        let pieces = std::mem::take(pieces);
        self.writing = Some(spawn_blocking(move || {
            write(&mut incoming, &pieces)?;
            Ok(incoming)
        }));
    }

    /// Waits until nothing is being written. May be given up, and called again.
    async fn rest(&mut self) -> Result<(), StoreError> {
        if let Some(writing) = &mut self.writing {
            let written = writing.await;
            self.writing = None;
            self.at_rest = Some(written.unwrap_or(Err(StoreError::Failed(Failure::ThreadGone)))?);
        }
        Ok(())
    }

    async fn finish(mut self) -> Result<Incoming, StoreError> {
        self.rest().await?;
        self.at_rest.take().ok_or(StoreError::Failed(Failure::ThreadGone))
    }

    /// Removes the file, so that nothing is left of a refused request when its answer is read.
    async fn remove(self) {
        if let Ok(incoming) = self.finish().await {
            // Fails only where the program ends, and then the next start removes the file.
            let _: Result<(), _> = spawn_blocking(move || drop(incoming)).await;
        }
    }
}

impl Drop for Filling {
    /// For a client that has left. What a thread has, it removes itself.
    fn drop(&mut self) {
        if let Some(incoming) = self.at_rest.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn_blocking(move || drop(incoming));
        }
    }
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

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;

    use glacier_core::{PartDigest, PartHasher};
    use http_body::Frame;

    use super::*;
    use crate::clock::Clock;
    use crate::pace::Pace;
    use crate::store::StoreConfig;

    /// No test waits that long unless it fails.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// Comes in these pieces, and then ends, or never does.
    struct Pieces {
        left: VecDeque<Bytes>,
        ends: bool,
    }

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            match self.left.pop_front() {
                Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
                None if self.ends => Poll::Ready(None),
                None => Poll::Pending,
            }
        }
    }

    fn body<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, ends: bool) -> RequestBody {
        let left = pieces.into_iter().map(Bytes::copy_from_slice).collect();
        RequestBody::new(Pieces { left, ends }.map_err(|never| match never {}))
    }

    fn announced(bytes: &[u8]) -> Announced {
        let mut hasher = PartHasher::new();
        hasher.update(bytes);
        let PartDigest { payload_hash, tree_hash } = hasher.finish();
        Announced { len: bytes.len() as u64, payload_hash, tree_hash: tree_hash.to_string() }
    }

    fn open(folder: &tempfile::TempDir) -> Store {
        let data = folder.path().to_owned();
        Store::open(StoreConfig { data, clock: Clock::system(), pace: Pace::default() }).unwrap()
    }

    /// Runs with one thread for all that waits for the disk.
    fn run<F: Future>(test: F) -> F::Output {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().max_blocking_threads(1).build().unwrap();
        runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await.unwrap() })
    }

    async fn received(store: &Store, body: RequestBody, announced: Announced) -> Result<u64, ReceiveError> {
        receive(store, body, announced, |_, incoming| Ok(incoming.len())).await
    }

    #[test]
    fn bodies_that_do_not_come_hold_no_thread() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        run(async {
            let mut waiting = Vec::new();
            for begins in [&b""[..], b"a", b"ab"] {
                let (store, announced) = (store.clone(), announced(b"abc"));
                waiting.push(tokio::spawn(async move { received(&store, body([begins], false), announced).await }));
            }
            // So that they come first.
            tokio::task::yield_now().await;
            assert_eq!(received(&store, body([&b"abc"[..]], true), announced(b"abc")).await.unwrap(), 3);
            assert!(waiting.iter().all(|task| !task.is_finished()));
        });
    }

    #[test]
    fn a_body_is_stored_however_it_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        let bytes: Vec<u8> = (0..QUEUE_LEN * 5).flat_map(|n| [u8::try_from(n).unwrap(); 7]).collect();
        run(async {
            for len in [1, 6, 7, 8, QUEUE_LEN, bytes.len() - 1, bytes.len()] {
                let answer = received(&store, body(bytes.chunks(len), true), announced(&bytes)).await;
                assert_eq!(answer.unwrap(), bytes.len() as u64, "pieces of {len}");
            }
            let empty = [&b""[..]; QUEUE_LEN * 2];
            let padded = empty.into_iter().chain([&bytes[..]]).chain(empty);
            assert_eq!(received(&store, body(padded, true), announced(&bytes)).await.unwrap(), bytes.len() as u64);
        });
    }

    #[test]
    fn nothing_is_left_of_a_body_of_another_length() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder);
        run(async {
            for pieces in [&[&b"ab"[..]][..], &[b"ab", b"cd"], &[b"abcd"], &[]] {
                let answer = received(&store, body(pieces.iter().copied(), true), announced(b"abc")).await;
                assert!(matches!(answer, Err(ReceiveError::Broken)), "{pieces:?}: {answer:?}");
                assert_eq!(std::fs::read_dir(folder.path().join("incoming")).unwrap().count(), 0, "{pieces:?}");
            }
        });
    }
}
