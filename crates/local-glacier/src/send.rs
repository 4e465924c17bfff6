//! An output's way from the disk to the socket. One piece is read while the one before is being sent, and no more until
//! that is taken: a slow client slows the reading down, and no thread waits for it.

use std::error::Error;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::Frame;
use tokio::task::JoinHandle;

use crate::store::OutputReader;

/// Why the body of an answer ended early. The connection ends with it, so that a client does not take half for the
/// whole.
#[derive(Debug)]
#[non_exhaustive]
pub struct BodyError {
    reason: io::Error,
}

impl fmt::Display for BodyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("stored bytes could not be read")
    }
}

impl Error for BodyError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.reason)
    }
}

type Reading = JoinHandle<io::Result<(Bytes, OutputReader)>>;

/// The bytes of an output that are still to be sent.
#[derive(Debug)]
pub(crate) struct Outgoing {
    /// `None` after the end, or an error.
    reading: Option<Reading>,
    /// Bytes.
    remaining: u64,
}

impl Outgoing {
    /// Begins to read `len` bytes, at least 1.
    pub(crate) fn new(reader: OutputReader, len: u64) -> Self {
        Self { reading: Some(read_on(reader)), remaining: len }
    }

    pub(crate) fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(crate) fn is_end(&self) -> bool {
        self.reading.is_none()
    }

    pub(crate) fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(reading) = &mut self.reading else { return Poll::Ready(None) };
        let read = ready!(Pin::new(reading).poll(cx));
        self.reading = None;
        match read.unwrap_or_else(|error| Err(io::Error::other(error))) {
            Ok((bytes, reader)) => {
                self.remaining = self.remaining.saturating_sub(bytes.len() as u64);
                if self.remaining > 0 {
                    self.reading = Some(read_on(reader));
                }
                Poll::Ready(Some(Ok(Frame::data(bytes))))
            }
            Err(reason) => {
                tracing::error!(error = %reason, "the output of a job could not be read");
                Poll::Ready(Some(Err(BodyError { reason })))
            }
        }
    }
}

fn read_on(mut reader: OutputReader) -> Reading {
    tokio::task::spawn_blocking(move || {
        let bytes = reader.read()?;
        if bytes.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "fewer bytes are stored than the metadata says"));
        }
        Ok((bytes, reader))
    })
}
