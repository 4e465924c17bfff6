//! A connection that whoever uses it can end at once.
//!
//! Hyper asks a request's body for more when there is room to send it, and learns only there that nobody wants the answer
//! any more. Where the other end takes nothing, there is never room.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// Ends a connection. Clones end the same one.
#[derive(Clone, Debug, Default)]
pub(super) struct Cut(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    is_cut: bool,
    writer: Option<Waker>,
}

impl Cut {
    /// Ends the connection, with what it has not sent yet.
    pub(super) fn cut(&self) {
        let writer = {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            state.is_cut = true;
            state.writer.take()
        };
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Whether it was cut; if not, `cx` is woken when it is.
    fn poll(&self, cx: &mut Context<'_>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.is_cut && !state.writer.as_ref().is_some_and(|writer| writer.will_wake(cx.waker())) {
            state.writer = Some(cx.waker().clone());
        }
        state.is_cut
    }
}

/// A connection with its [`Cut`], which is among the extras of what the client says of it.
pub(super) struct Severable {
    inner: MaybeHttpsStream<TokioIo<TcpStream>>,
    cut: Cut,
}

impl Severable {
    pub(super) fn new(inner: MaybeHttpsStream<TokioIo<TcpStream>>) -> Self {
        Self { inner, cut: Cut::default() }
    }

    fn tcp(&self) -> &TcpStream {
        match &self.inner {
            MaybeHttpsStream::Http(stream) => stream.inner(),
            MaybeHttpsStream::Https(stream) => stream.inner().get_ref().0.inner().inner(),
        }
    }

    /// Makes of a write that must wait an error once the connection was cut.
    fn unless_cut<T>(&self, written: Poll<io::Result<T>>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() || !self.cut.poll(cx) {
            return written;
        }
        // What waits to be sent is thrown away and the other end is told. Failing means that it is gone.
        let _ = self.tcp().set_zero_linger();
        Poll::Ready(Err(ErrorKind::ConnectionAborted.into()))
    }
}

impl Connection for Severable {
    fn connected(&self) -> Connected {
        self.inner.connected().extra(self.cut.clone())
    }
}

impl Read for Severable {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().inner).poll_read(cx, buffer)
    }
}

impl Write for Severable {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write(cx, bytes);
        this.unless_cut(written, cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.inner).poll_write_vectored(cx, pieces);
        this.unless_cut(written, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.inner).poll_flush(cx);
        this.unless_cut(flushed, cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let shut = Pin::new(&mut this.inner).poll_shutdown(cx);
        this.unless_cut(shut, cx)
    }
}
