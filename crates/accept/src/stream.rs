//! A socket that does not wait for ever.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::alarm::Alarm;
use crate::departure::{self, INTERIM, LOOK, Sign, Socket};
use crate::limits::Limits;
use crate::opening::is_no_head;
use crate::progress::Progress;

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
    /// What was read and not handed out yet: that of the first head, until it is whole.
    opening: BytesMut,
    /// `None` where requests run side by side and the connection has the bounds on reading.
    progress: Option<Progress>,
    wait: Wait,
    read_alarm: Alarm,
    write_alarm: Alarm,
    linger_alarm: Alarm,
    finished_writing: bool,
    /// Bytes read since the task last let others run.
    read_in_a_row: usize,
    /// Since it was last looked at, somebody read and has to wait.
    is_read: bool,
    /// The peer has closed its half after a whole request.
    half_closed: bool,
    look_alarm: Alarm,
    /// Runs while a peer that has closed its half is sent nothing.
    silence_alarm: Alarm,
    /// What is left to be written of an interim answer.
    interim: &'static [u8],
}

impl<S> Stream<S> {
    pub(crate) fn new(inner: S, limits: Limits, progress: Option<Progress>) -> Self {
        Self {
            inner,
            limits,
            opening: BytesMut::new(),
            progress,
            wait: Wait::Unbounded,
            read_alarm: Alarm::default(),
            write_alarm: Alarm::default(),
            linger_alarm: Alarm::default(),
            finished_writing: false,
            read_in_a_row: 0,
            is_read: false,
            half_closed: false,
            look_alarm: Alarm::default(),
            silence_alarm: Alarm::default(),
            interim: &[],
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
            let is_between_requests = state.heads.n_ended() > 0 && !state.heads.is_inside_head();
            match (state.in_flight, state.any_byte, is_between_requests) {
                (true, _, _) => Wait::Unbounded,
                (false, false, _) => Wait::FirstByte,
                (false, true, true) => Wait::NextRequest,
                (false, true, false) => Wait::Head,
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

impl<S: AsyncWrite + Unpin> Stream<S> {
    /// What comes next is of the answer.
    fn poll_begin_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(progress) = &self.progress {
            let mut state = progress.lock();
            (state.flushed, state.unanswered) = (false, false);
        }
        self.silence_alarm.lift();
        if self.interim.is_empty() {
            return Poll::Ready(Ok(()));
        }
        let written = self.poll_interim(cx);
        self.poll_write_deadline(written, cx)
    }

    fn poll_interim(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.interim.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, self.interim))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.interim = self.interim.get(written..).unwrap_or(&[]);
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Socket + AsyncRead + AsyncWrite + Unpin> Stream<S> {
    /// Ready once the peer has left while a request is in flight and nobody reads. To be called after each time that
    /// the connection was polled.
    pub(crate) fn poll_departure(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let is_read = std::mem::take(&mut self.is_read);
        // The connection waits, so others run.
        self.read_in_a_row = 0;
        let Some(progress) = self.progress.clone() else { return Poll::Pending };
        loop {
            let (in_flight, unread, unanswered, may_be_interrupted) = {
                let state = progress.lock();
                (state.in_flight, state.heads.left(), state.unanswered, state.may_be_interrupted)
            };
            if !in_flight || is_read {
                self.look_alarm.lift();
                self.silence_alarm.lift();
                return Poll::Pending;
            }
            self.look_alarm.set(LOOK);
            if self.half_closed && !unanswered {
                // A stream of events has no end, and a peer that left it is only found out by writing.
                self.silence_alarm.set(self.limits.linger);
                if self.silence_alarm.poll(cx).is_ready() {
                    return Poll::Ready(());
                }
            }
            ready!(self.look_alarm.poll(cx));
            self.look_alarm.lift();
            match departure::look(&self.inner, cx) {
                Sign::Gone => return Poll::Ready(()),
                Sign::Ended(queued) if unread > queued => return Poll::Ready(()),
                Sign::Ended(_) | Sign::None => {}
            }
            if unanswered && may_be_interrupted && self.interim.is_empty() {
                self.interim = INTERIM;
            }
            if let Poll::Ready(Err(_)) = self.poll_interim(cx) {
                return Poll::Ready(());
            }
            if let Poll::Ready(Err(_)) = Pin::new(&mut self.inner).poll_flush(cx) {
                return Poll::Ready(());
            }
        }
    }
}

impl<S: AsyncRead + Unpin> Stream<S> {
    /// Ready once there is something to do for who serves requests: the first head is whole, or is none, or too long,
    /// or will never end. Until then a connection holds what has come of its head and no more.
    pub(crate) fn poll_opening(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut piece = [0; OPENING_PIECE];
            let mut piece = ReadBuf::new(&mut piece);
            ready!(self.poll_read_socket(cx, &mut piece))?;
            let is_first = self.opening.is_empty();
            self.opening.extend_from_slice(piece.filled());
            let n_ended = self.progress.as_ref().map_or(0, |progress| progress.lock().heads.n_ended());
            let is_long = self.opening.len() >= self.limits.head_bytes;
            if piece.filled().is_empty() || n_ended > 0 || is_long || is_first && is_no_head(&self.opening) {
                return Poll::Ready(Ok(()));
            }
        }
    }

    /// Whether not a byte has come.
    pub(crate) fn is_silent(&self) -> bool {
        self.opening.is_empty()
    }

    fn poll_read_socket(&mut self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if self.read_in_a_row >= READ_IN_A_ROW {
            self.read_in_a_row = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match Pin::new(&mut self.inner).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                let bytes = buffer.filled().get(before..).unwrap_or(&[]);
                self.read_in_a_row += bytes.len();
                let Some(progress) = &self.progress else { return Poll::Ready(Ok(())) };
                let mut state = progress.lock();
                if bytes.is_empty() && buffer.remaining() > 0 && state.in_flight && state.heads.is_between() {
                    // It may still wait for the answer, which hyper would not write.
                    self.half_closed = true;
                    state.reader = Some(cx.waker().clone());
                    return Poll::Pending;
                }
                self.look_alarm.lift();
                state.any_byte |= !bytes.is_empty();
                let n_ended = state.heads.n_ended();
                state.heads.read(bytes);
                // Nothing but a whole head ends the wait for it: more bytes of the same one do not give it more time,
                // and neither do empty lines before it.
                if state.heads.n_ended() != n_ended {
                    self.wait = Wait::Unbounded;
                    self.read_alarm.lift();
                }
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                self.read_in_a_row = 0;
                self.is_read = true;
                self.poll_read_deadline(cx)
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Stream<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.opening.is_empty() {
            return this.poll_read_socket(cx, buffer);
        }
        let piece = this.opening.split_to(this.opening.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if this.opening.is_empty() {
            this.opening = BytesMut::new(); // and not a view of what was handed out, which would keep it
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_begin_write(cx))?;
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.poll_write_deadline(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_begin_write(cx))?;
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, pieces);
        this.poll_write_deadline(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        if let (Poll::Ready(Ok(())), Some(progress)) = (&flushed, &this.progress) {
            progress.lock().flushed = true;
        }
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

/// A stream that the connection and who watches it have in common. Both are of one task, so the lock is never waited for.
#[derive(Debug)]
pub(crate) struct Shared<S>(Arc<Mutex<Stream<S>>>);

impl<S> Shared<S> {
    pub(crate) fn new(stream: Stream<S>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    /// The same stream.
    pub(crate) fn share(&self) -> Self {
        Self(Arc::clone(&self.0))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Stream<S>> {
        // A panic inside of a socket ends its connection.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Shared<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Shared<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut *self.lock()).poll_write_vectored(cx, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.lock().is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut *self.lock()).poll_shutdown(cx)
    }
}

/// A peer that sends small frames without a pause would otherwise keep its task from looking at the clock: 64 KiB are
/// almost four thousand pings of HTTP/2.
const READ_IN_A_ROW: usize = 64 << 10;

/// Read at once of a head that is not whole. Those of browsers have one to two thousand bytes.
const OPENING_PIECE: usize = 2 << 10;
