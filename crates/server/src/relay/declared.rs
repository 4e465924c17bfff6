//! A body that is as long as was said, or an error.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};

use accept::BodyError;
use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};

use super::Refusal;

/// Bytes on their way from the browser to the store.
#[derive(Debug)]
pub(super) struct Declared {
    body: Body,
    left: u64,
    fate: Fate,
}

/// What became of a body. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Fate(Arc<AtomicU8>);

const NOTHING_YET: u8 = 0;
const TOO_SLOW: u8 = 1;
const OTHER_LENGTH: u8 = 2;

impl Fate {
    /// Why the request failed, if it was the body's fault.
    pub(super) fn refusal(&self) -> Option<Refusal> {
        match self.0.load(Ordering::Relaxed) {
            TOO_SLOW => Some(Refusal::BodyTooSlow),
            OTHER_LENGTH => Some(Refusal::BodyIncomplete),
            _ => None,
        }
    }
}

/// The body cannot be sent on. The connection to the store ends, so that it takes nothing for a whole part.
#[derive(Debug)]
pub(super) struct NotAsDeclared;

impl fmt::Display for NotAsDeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body did not come as declared")
    }
}

impl std::error::Error for NotAsDeclared {}

impl Declared {
    pub(super) fn new(body: Body, length: u64) -> (Self, Fate) {
        let fate = Fate(Arc::new(AtomicU8::new(NOTHING_YET)));
        (Self { body, left: length, fate: fate.clone() }, fate)
    }

    fn fail(&self, fate: u8) -> Poll<Option<Result<Frame<Bytes>, NotAsDeclared>>> {
        self.fate.0.store(fate, Ordering::Relaxed);
        Poll::Ready(Some(Err(NotAsDeclared)))
    }
}

impl http_body::Body for Declared {
    type Data = Bytes;
    type Error = NotAsDeclared;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, NotAsDeclared>>> {
        let this = self.get_mut();
        loop {
            let frame = match std::task::ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                None if this.left == 0 => return Poll::Ready(None),
                None => return this.fail(OTHER_LENGTH),
                Some(Err(error)) => return this.fail(if is_slowness(&error) { TOO_SLOW } else { OTHER_LENGTH }),
                Some(Ok(frame)) => frame,
            };
            // Trailers are left behind.
            let Ok(data) = frame.into_data() else { continue };
            match this.left.checked_sub(data.len() as u64) {
                None => return this.fail(OTHER_LENGTH),
                Some(left) => this.left = left,
            }
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn is_slowness(error: &axum::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<BodyError>() {
            return matches!(error, BodyError::Stalled | BodyError::TooSlow);
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use http_body_util::BodyExt;

    use super::*;

    /// A body of these frames, which says nothing of its length.
    struct Pieces(std::slice::Iter<'static, &'static str>);

    impl http_body::Body for Pieces {
        type Data = Bytes;
        type Error = std::convert::Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
            Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(Bytes::from_static(piece.as_bytes())))))
        }
    }

    fn body(pieces: &'static [&'static str]) -> Body {
        Body::new(Pieces(pieces.iter()))
    }

    #[tokio::test]
    async fn a_body_is_as_long_as_declared_or_fails() {
        let (declared, fate) = Declared::new(body(&["abc", "", "de"]), 5);
        assert_eq!(http_body::Body::size_hint(&declared).exact(), Some(5));
        assert_eq!(declared.collect().await.unwrap().to_bytes(), "abcde");
        assert_eq!(fate.refusal(), None);
        for length in [4, 6] {
            let (declared, fate) = Declared::new(body(&["abc", "de"]), length);
            assert!(declared.collect().await.is_err(), "{length}");
            assert_eq!(fate.refusal(), Some(Refusal::BodyIncomplete));
        }
    }
}
