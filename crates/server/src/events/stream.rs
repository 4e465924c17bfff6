//! The body of a stream: events as they come, something now and then to show that it is alive, and an end.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use glacier_core::sigv4::Timestamp;
use http_body::Frame;
use tokio::time::{Instant, Sleep, sleep};

use super::hub::Seat;

/// Longest silence. Proxies close what is silent for a minute or so; to a page it shows that the stream is alive; and
/// a peer that has gone without a word is found by writing to it.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Longest that timers are trusted with: more than any token lives.
const LONGEST: Duration = Duration::from_hours(24);

/// Comments, which readers of events pass over. The first is sent at once, so that whoever waits for the first bytes of
/// an answer, as some proxies do, has them.
const GREETING: Bytes = Bytes::from_static(b": jobs that are done follow\n\n");
const BEAT: Bytes = Bytes::from_static(b":\n\n");

#[derive(Debug)]
pub(super) struct Stream {
    seat: Seat,
    greeting: Option<Bytes>,
    heartbeat: Pin<Box<Sleep>>,
    end: Pin<Box<Sleep>>,
    clock: fn() -> Timestamp,
    /// When the token's time is over by that clock, in seconds since 1970.
    end_s: u64,
}

impl Stream {
    pub(super) fn new(seat: Seat, clock: fn() -> Timestamp, end_s: u64) -> Self {
        let left = Duration::from_secs(end_s.saturating_sub(clock().as_unix())).min(LONGEST);
        let (heartbeat, end) = (Box::pin(sleep(HEARTBEAT)), Box::pin(sleep(left)));
        Self { seat, greeting: Some(GREETING), heartbeat, end, clock, end_s }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if let Some(greeting) = self.greeting.take() {
            return Poll::Ready(Some(greeting));
        }
        // First, because events may never leave a pause.
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(None);
        }
        if let Poll::Ready(event) = self.seat.receiver.poll_recv(cx) {
            self.rest();
            return Poll::Ready(event);
        }
        std::task::ready!(self.heartbeat.as_mut().poll(cx));
        // Timers stand still where the machine sleeps; the clock does not.
        if (self.clock)().as_unix() >= self.end_s {
            return Poll::Ready(None);
        }
        self.rest();
        Poll::Ready(Some(BEAT))
    }

    fn rest(&mut self) {
        self.heartbeat.as_mut().reset(Instant::now() + HEARTBEAT);
    }
}

impl http_body::Body for Stream {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().poll_next(cx).map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::sync::atomic::{AtomicU64, Ordering};

    use glacier_core::glacier::VaultName;
    use http_body_util::BodyExt;

    use super::*;
    use crate::events::Events;

    async fn next(stream: &mut Stream) -> Option<String> {
        let frame = stream.frame().await?.unwrap();
        Some(String::from_utf8(frame.into_data().unwrap().to_vec()).unwrap())
    }

    fn stream(clock: fn() -> Timestamp, end_s: u64) -> (Events, Stream) {
        let events = Events::default();
        let seat = events.listen("user-7".into(), vec![VaultName::new("v").unwrap()]).unwrap();
        (events, Stream::new(seat, clock, end_s))
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_broken_every_15_s_until_the_token_ends() {
        let (events, mut stream) = stream(|| Timestamp::from_unix(1000), 1060);
        let begun = Instant::now();
        assert!(next(&mut stream).await.unwrap().starts_with(':'));
        assert_eq!(begun.elapsed(), Duration::ZERO);
        assert_eq!(next(&mut stream).await.unwrap(), ":\n\n");
        assert_eq!(begun.elapsed().as_secs(), 15);
        tokio::time::advance(Duration::from_secs(10)).await;
        events.publish(&VaultName::new("v").unwrap(), "{}");
        assert_eq!(next(&mut stream).await.unwrap(), "event: job\ndata: {}\n\n");
        assert_eq!(begun.elapsed().as_secs(), 25);
        for seconds in [40, 55] {
            assert_eq!(next(&mut stream).await.unwrap(), ":\n\n");
            assert_eq!(begun.elapsed().as_secs(), seconds);
        }
        assert_eq!(next(&mut stream).await, None);
        assert_eq!(begun.elapsed().as_secs(), 60);
    }

    #[tokio::test(start_paused = true)]
    async fn a_machine_that_slept_over_the_tokens_end_ends_the_stream() {
        static NOW: AtomicU64 = AtomicU64::new(1000);
        let (_events, mut stream) = stream(|| Timestamp::from_unix(NOW.load(Ordering::Relaxed)), 2000);
        next(&mut stream).await.unwrap();
        assert_eq!(next(&mut stream).await.unwrap(), ":\n\n");
        NOW.store(2000, Ordering::Relaxed);
        assert_eq!(next(&mut stream).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_told_before_the_end_is_still_sent() {
        let (events, mut stream) = stream(|| Timestamp::from_unix(1000), 2000);
        events.publish(&VaultName::new("v").unwrap(), "{}");
        events.close();
        let mut texts = Vec::new();
        while let Some(text) = next(&mut stream).await {
            texts.push(text);
        }
        assert_eq!(texts.len(), 2);
    }
}
