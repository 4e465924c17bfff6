//! A socket that does not wait for ever.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::alarm::Alarm;
use crate::head::{Head, HeadReader};
use crate::limits::Limits;

/// What the socket and the handler of one connection know of each other.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    heads: HeadReader,
    /// A request is with the handler or its answer is being written.
    in_flight: bool,
    any_byte: bool,
    /// To be woken at the end of the answer. Hyper may read while the answer still goes out, and not again after it,
    /// and then nobody would set the deadline for the next request.
    reader: Option<Waker>,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { heads: HeadReader::new(), in_flight: false, any_byte: false, reader: None })))
    }

    pub(crate) fn begin(&self) -> Option<Head> {
        let mut state = self.lock();
        state.in_flight = true;
        state.heads.take()
    }

    pub(crate) fn end(&self) {
        let reader = {
            let mut state = self.lock();
            state.in_flight = false;
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code that holds the lock can leave the state half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the connection is waiting for when it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wait {
    FirstByte,
    Head,
    NextRequest,
    /// For a body, which has deadlines of its own, or for the handler, which has none.
    Unbounded,
}

/// The stream of one connection, with a bound on every wait for the peer.
#[derive(Debug)]
pub(crate) struct Stream<S> {
    inner: S,
    limits: Limits,
    /// `None` where requests run side by side and the connection has the bounds on reading.
    progress: Option<Progress>,
    wait: Wait,
    read_alarm: Alarm,
    write_alarm: Alarm,
    linger_alarm: Alarm,
    finished_writing: bool,
    /// Bytes read since the task last let others run.
    read_in_a_row: usize,
}

impl<S> Stream<S> {
    pub(crate) fn new(inner: S, limits: Limits, progress: Option<Progress>) -> Self {
        Self {
            inner,
            limits,
            progress,
            wait: Wait::Unbounded,
            read_alarm: Alarm::default(),
            write_alarm: Alarm::default(),
            linger_alarm: Alarm::default(),
            finished_writing: false,
            read_in_a_row: 0,
        }
    }

    /// Called after a read had to wait.
    fn poll_read_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(progress) = &self.progress else { return Poll::Pending };
        let wait = {
            let mut state = progress.lock();
            if state.in_flight {
                state.reader = Some(cx.waker().clone());
            }
            match (state.in_flight, state.any_byte, state.heads.is_inside_head()) {
                (true, _, _) => Wait::Unbounded,
                (false, false, _) => Wait::FirstByte,
                (false, true, true) => Wait::Head,
                (false, true, false) => Wait::NextRequest,
            }
        };
        if wait != self.wait {
            self.wait = wait;
            self.read_alarm.lift();
        }
        match wait {
            Wait::FirstByte => self.read_alarm.set(self.limits.first_byte),
            Wait::Head => self.read_alarm.set(self.limits.head),
            Wait::NextRequest => self.read_alarm.set(self.limits.keep_alive),
            Wait::Unbounded => {}
        }
        ready!(self.read_alarm.poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn poll_write_deadline<T>(&mut self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.write_alarm.lift();
            return written;
        }
        self.write_alarm.set(self.limits.write_stall);
        ready!(self.write_alarm.poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        if this.read_in_a_row >= READ_IN_A_ROW {
            this.read_in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match Pin::new(&mut this.inner).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                let bytes = buffer.filled().get(before..).unwrap_or(&[]);
                this.read_in_a_row += bytes.len();
                let Some(progress) = &this.progress else { return Poll::Ready(Ok(())) };
                let mut state = progress.lock();
                state.any_byte |= !bytes.is_empty();
                let n_ended = state.heads.n_ended();
                state.heads.read(bytes);
                // More bytes of the same head do not give it more time; whatever else was waited for has come.
                if this.wait != Wait::Head || state.heads.n_ended() != n_ended {
                    this.wait = Wait::Unbounded;
                    this.read_alarm.lift();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.read_in_a_row = 0;
                this.poll_read_deadline(cx)
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.poll_write_deadline(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, pieces);
        this.poll_write_deadline(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        this.poll_write_deadline(flushed, cx)
    }

    /// Ends the answer, then reads and drops what still arrives for as long as [`Limits::linger`].
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.finished_writing {
            let finished = Pin::new(&mut this.inner).poll_shutdown(cx);
            ready!(this.poll_write_deadline(finished, cx))?;
            this.finished_writing = true;
            this.linger_alarm.set(this.limits.linger);
        }
        let mut dropped = [0; 8 << 10];
        // Some rounds at a time, because a fast sender would otherwise keep the task from all others.
        for _ in 0..64 {
            if this.linger_alarm.poll(cx).is_ready() {
                return Poll::Ready(Ok(()));
            }
            let mut buffer = ReadBuf::new(&mut dropped);
            match ready!(Pin::new(&mut this.inner).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => return Poll::Ready(Ok(())),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A peer that sends small frames without a pause would otherwise keep its task from looking at the clock: 64 KiB are
/// almost four thousand pings of HTTP/2.
const READ_IN_A_ROW: usize = 64 << 10;
