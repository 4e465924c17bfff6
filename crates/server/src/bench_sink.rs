//! What the upload benchmark compares with. Exists only with the feature `bench-sink`.
//!
//! `PUT /bench/sink` reads a body to its end and forgets it: the network alone. `PUT /bench/file` also writes it to a
//! file and flushes that to the disk before it answers: what any server must do that keeps what it is sent. Neither
//! hashes a byte.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::extract::Request;
use http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

/// Pieces between socket and disk, as many as the store lets wait.
const QUEUE_LEN: usize = 16;

/// 204 once all has arrived.
pub(crate) async fn sink(request: Request) -> StatusCode {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::NO_CONTENT
}

/// 204 once all is on the disk. The file is removed again.
pub(crate) async fn file(request: Request) -> StatusCode {
    let (queue, pieces) = mpsc::channel(QUEUE_LEN);
    let writing = tokio::task::spawn_blocking(move || write(pieces));
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return StatusCode::BAD_REQUEST };
        if let Ok(piece) = frame.into_data()
            && queue.send(piece).await.is_err()
        {
            break; // the writer has failed and says so
        }
    }
    drop(queue);
    match writing.await {
        Ok(Ok(())) => StatusCode::NO_CONTENT,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn write(mut pieces: mpsc::Receiver<Bytes>) -> std::io::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let (process, number) = (std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
    let path = std::env::temp_dir().join(format!("glacier-upload-bench-{process}-{number}"));
    let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
    let written = (|| {
        while let Some(piece) = pieces.blocking_recv() {
            file.write_all(&piece)?;
        }
        file.sync_all()
    })();
    fs::remove_file(&path)?;
    written
}
