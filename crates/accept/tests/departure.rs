//! Peers that leave, or close their half only, while nobody reads from them; in the clear and by TLS.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod authority;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use accept::{Body, Limits, Listener, Tls};
use authority::{Authority, client};
use bytes::Bytes;
use http::{Request, Response};
use http_body::Frame;
use http_body_util::BodyExt;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tokio_rustls::TlsConnector;

/// No test waits that long unless it fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longer than several looks at a socket that nobody reads from.
const LATE: Duration = Duration::from_millis(800);
const BROWSER: &str = "Sec-Fetch-Mode: cors\r\n";

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

struct Server {
    address: SocketAddr,
    authority: Option<Authority>,
    /// Told for each request that comes, and for each that is given up.
    news: mpsc::UnboundedReceiver<&'static str>,
    /// What `/late` waits for, once for each request.
    late: Arc<Notify>,
}

struct InFlight(mpsc::UnboundedSender<&'static str>);

impl Drop for InFlight {
    fn drop(&mut self) {
        let _ = self.0.send("over");
    }
}

/// An answer that begins and never ends, or one of one piece.
struct Answer(Option<Bytes>, Option<InFlight>);

impl http_body::Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(bytes) => Poll::Ready(Some(Ok(Frame::data(bytes)))),
            None if self.1.is_some() => Poll::Pending,
            None => Poll::Ready(None),
        }
    }
}

async fn handle(
    request: Request<Body>,
    news: mpsc::UnboundedSender<&'static str>,
    late: Arc<Notify>,
) -> Response<Answer> {
    news.send("begun").unwrap();
    let in_flight = InFlight(news);
    match request.uri().path() {
        "/unread" => std::future::pending().await,
        "/read" => {
            let _ = request.into_body().collect().await;
            std::future::pending().await
        }
        "/events" => Response::new(Answer(Some("begun".into()), Some(in_flight))),
        _ => {
            late.notified().await;
            let length = request.into_body().collect().await.unwrap().to_bytes().len();
            Response::new(Answer(Some(format!("[{length}]").into()), None))
        }
    }
}

async fn start(limits: Limits, has_tls: bool) -> Server {
    let authority = has_tls.then(Authority::new);
    let tcp = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = tcp.local_addr().unwrap();
    let listener = match &authority {
        Some(authority) => {
            Listener::with_tls(tcp, Tls::from_pem(authority.certificate.as_bytes(), authority.key.as_bytes()).unwrap())
        }
        None => Listener::from(tcp),
    };
    let (told, news) = mpsc::unbounded_channel();
    let late = Arc::new(Notify::new());
    let allowed = Arc::clone(&late);
    let service = move |request| handle(request, told.clone(), Arc::clone(&allowed));
    tokio::spawn(accept::serve(listener, limits, service, std::future::pending()));
    Server { address, authority, news, late }
}

impl Server {
    async fn connect(&self) -> Box<dyn Stream> {
        self.over(TcpStream::connect(self.address).await.unwrap()).await
    }

    async fn over(&self, tcp: TcpStream) -> Box<dyn Stream> {
        let Some(authority) = &self.authority else { return Box::new(tcp) };
        let connector = TlsConnector::from(Arc::new(client(&authority.certificate, &["http/1.1"])));
        Box::new(connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap())
    }

    /// Reads an answer of `/late`, which comes after an interim one, or after some time without any.
    async fn answer_of_late(&self, stream: &mut dyn Stream, is_interrupted: bool) -> String {
        let mut answer = Vec::new();
        if is_interrupted {
            while !answer.ends_with(b"\r\n\r\n") {
                let byte = tokio::time::timeout(PATIENCE, stream.read_u8()).await.expect("no interim answer");
                answer.push(byte.expect("closed instead of an interim answer"));
            }
        } else {
            tokio::time::sleep(LATE).await;
        }
        self.late.notify_one();
        // The server says good-bye in TLS or does not.
        let read = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("never closed");
        assert!(read.is_ok() || self.authority.is_some(), "{read:?}");
        String::from_utf8(answer).unwrap()
    }

    async fn hears(&mut self, news: &str) {
        let heard = tokio::time::timeout(PATIENCE, self.news.recv()).await;
        assert_eq!(heard.ok().flatten(), Some(news));
    }
}

/// Bounds that no test reaches: nothing but the departure can end a request.
fn generous() -> Limits {
    let hour = Duration::from_hours(1);
    Limits { body_idle: hour, body_grace: hour, write_stall: hour, keep_alive: hour, ..Limits::default() }
}

fn head(path: &str, headers: &str, length: usize) -> Vec<u8> {
    format!("PUT {path} HTTP/1.1\r\nHost: localhost\r\n{headers}Content-Length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn a_peer_that_resets_while_nobody_reads_ends_its_request() {
    for has_tls in [false, true] {
        let mut server = start(generous(), has_tls).await;
        let tcp = TcpStream::connect(server.address).await.unwrap();
        tcp.set_zero_linger().unwrap();
        let mut stream = server.over(tcp).await;
        stream.write_all(&head("/unread", "", 1 << 20)).await.unwrap();
        server.hears("begun").await;
        stream.write_all(&vec![0; 200 << 10]).await.unwrap();
        drop(stream);
        server.hears("over").await;
    }
}

#[tokio::test]
async fn a_peer_that_ends_inside_a_body_that_nobody_reads_ends_its_request() {
    for has_tls in [false, true] {
        let mut server = start(generous(), has_tls).await;
        let mut stream = server.connect().await;
        stream.write_all(&head("/unread", "", 1 << 20)).await.unwrap();
        stream.write_all(&vec![0; 24 << 10]).await.unwrap();
        server.hears("begun").await;
        drop(stream);
        server.hears("over").await;
    }
}

#[tokio::test]
async fn a_browser_that_leaves_bytes_behind_which_nobody_takes_ends_its_request() {
    for has_tls in [false, true] {
        let mut server = start(generous(), has_tls).await;
        let mut stream = server.connect().await;
        stream.write_all(&head("/unread", BROWSER, 1 << 30)).await.unwrap();
        server.hears("begun").await;
        let piece = vec![0; 64 << 10];
        // Until the sockets of both sides are full, and the end of the connection cannot be sent.
        while let Ok(written) = tokio::time::timeout(LATE / 4, stream.write_all(&piece)).await {
            written.unwrap();
        }
        drop(stream);
        server.hears("over").await;
    }
}

#[tokio::test]
async fn a_browser_that_leaves_after_its_request_ends_it() {
    for has_tls in [false, true] {
        let mut server = start(generous(), has_tls).await;
        let mut stream = server.connect().await;
        stream.write_all(&head("/read", BROWSER, 3)).await.unwrap();
        stream.write_all(b"abc").await.unwrap();
        server.hears("begun").await;
        drop(stream);
        server.hears("over").await;
    }
}

#[tokio::test]
async fn a_peer_that_leaves_a_stream_of_events_ends_it() {
    for has_tls in [false, true] {
        let mut server = start(Limits { linger: LATE / 4, ..generous() }, has_tls).await;
        let mut stream = server.connect().await;
        stream.write_all(&head("/events", "", 0)).await.unwrap();
        server.hears("begun").await;
        let mut first = [0; 15];
        stream.read_exact(&mut first).await.unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        drop(stream);
        server.hears("over").await;
    }
}

#[tokio::test]
async fn a_peer_that_closed_its_half_gets_its_answer() {
    for has_tls in [false, true] {
        let server = start(generous(), has_tls).await;
        // The last one does not fit into what is read before the handler asks for it.
        for length in [0, 300 << 10] {
            for headers in ["", BROWSER] {
                let mut stream = server.connect().await;
                stream.write_all(&head("/late", headers, length)).await.unwrap();
                stream.write_all(&vec![0; length]).await.unwrap();
                stream.shutdown().await.unwrap();
                let answer = server.answer_of_late(stream.as_mut(), headers == BROWSER).await;
                assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
                assert!(answer.contains(&format!("[{length}]")), "{answer}");
                assert_eq!(answer.starts_with("HTTP/1.1 102"), headers == BROWSER, "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn only_browsers_without_a_proxy_get_interim_answers() {
    let ask = async |limits: Limits, version: &str, headers: &str, is_interrupted: bool| {
        let server = start(limits, false).await;
        let mut stream = server.connect().await;
        let request = format!("GET /late {version}\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        stream.shutdown().await.unwrap();
        let answer = server.answer_of_late(stream.as_mut(), is_interrupted).await;
        assert_eq!(answer.contains(" 102 "), is_interrupted, "{version} {headers:?}: {answer}");
        assert!(answer.contains(" 200 OK"), "{answer}");
    };
    let (off, browser) = (Limits { interim_answers: false, ..generous() }, BROWSER.to_owned());
    ask(generous(), "HTTP/1.1", BROWSER, true).await;
    ask(generous(), "HTTP/1.1", "", false).await;
    ask(generous(), "HTTP/1.0", BROWSER, false).await;
    ask(generous(), "HTTP/1.1", &(browser.clone() + "Connection: close\r\n"), false).await;
    ask(generous(), "HTTP/1.1", &(browser + "Via: 1.1 proxy\r\n"), false).await;
    ask(off, "HTTP/1.1", BROWSER, false).await;
}

#[tokio::test]
async fn a_request_of_http2_ends_when_it_is_given_up_and_with_its_connection() {
    for gives_up in [true, false] {
        let mut server = start(generous(), true).await;
        let tcp = TcpStream::connect(server.address).await.unwrap();
        let certificate = &server.authority.as_ref().unwrap().certificate;
        let connector = TlsConnector::from(Arc::new(client(certificate, &["h2"])));
        let stream = connector.connect("localhost".try_into().unwrap(), tcp).await.unwrap();
        let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = Request::put("https://localhost/unread").body(()).unwrap();
        let (_answer, mut body) = send.send_request(request, false).unwrap();
        // More than the window takes, so that some of it never leaves.
        body.send_data(Bytes::from(vec![0; 8 << 20]), false).unwrap();
        server.hears("begun").await;
        match gives_up {
            true => body.send_reset(h2::Reason::CANCEL),
            false => connection.abort(),
        }
        server.hears("over").await;
    }
}
