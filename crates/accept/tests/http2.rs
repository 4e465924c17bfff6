//! TLS and HTTP/2 against a client that can be made to misbehave.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod authority;
mod bounds;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use accept::{Body, Limits, Listener, Tls, TlsError};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::uri::Scheme;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use authority::{Authority, client};
use bounds::{BOUND, PATIENCE};

/// A body in as many pieces of 1 KiB, or one of any length.
struct Pieces(usize, Bytes);

impl<T: Into<Bytes>> From<T> for Pieces {
    fn from(text: T) -> Self {
        Self(1, text.into())
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
        self.0 = left;
        Poll::Ready(Some(Ok(http_body::Frame::data(self.1.clone()))))
    }

    fn is_end_stream(&self) -> bool {
        self.0 == 0
    }
}

struct Server {
    address: SocketAddr,
    authority: Authority,
    tls: Tls,
    end: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

/// Answers with version, scheme, host, target and length of the body, or with what became of the body.
async fn describe(request: Request<Body>) -> Response<Pieces> {
    let scheme = request.extensions().get::<Scheme>().unwrap().clone();
    let host = request.headers().get("host").unwrap().to_str().unwrap().to_owned();
    let (version, path) = (request.version(), request.uri().to_string());
    match path.as_str() {
        "/unread" => return Response::builder().status(403).body("no".into()).unwrap(),
        "/large" => return Response::new(Pieces(32 << 10, vec![b'x'; 1 << 10].into())),
        "/slow" => tokio::time::sleep(BOUND * 5).await,
        "/never" => std::future::pending().await,
        _ => {}
    }
    match request.into_body().collect().await {
        Ok(body) => Response::new(format!("{version:?} {scheme}://{host}{path} {}", body.to_bytes().len()).into()),
        Err(error) => Response::builder().status(408).body(error.to_string().into()).unwrap(),
    }
}

/// A connection that was ended is not waited for: some tests are about what follows.
fn generous() -> Limits {
    Limits { linger: BOUND, ..bounds::generous() }
}

async fn start(limits: Limits) -> Server {
    let authority = Authority::new();
    let tls = Tls::from_pem(authority.certificate.as_bytes(), authority.key.as_bytes()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel();
    let served = tokio::spawn(accept::serve(Listener::with_tls(listener, tls.clone()), limits, describe, async {
        let _: Result<(), _> = ended.await;
    }));
    Server { address, authority, tls, end, served }
}

impl Server {
    async fn connect(&self, protocols: &[&str]) -> TlsStream<TcpStream> {
        let connector = TlsConnector::from(Arc::new(client(&self.authority.certificate, protocols)));
        let stream = TcpStream::connect(self.address).await.unwrap();
        connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
    }

    /// A connection of HTTP/2, and what becomes of it.
    async fn http2(&self) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
        let stream = self.connect(&["h2"]).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()));
        let (send, connection) = h2::client::handshake(stream).await.unwrap();
        (send.ready().await.unwrap(), tokio::spawn(connection))
    }
}

async fn patiently<T>(what: &str, wait: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}

fn begin(client: &mut SendRequest<Bytes>, method: &str, path: &str, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
    let request = Request::builder().method(method).uri(format!("https://localhost{path}")).body(()).unwrap();
    client.send_request(request, ends).unwrap()
}

async fn whole(answer: ResponseFuture) -> (StatusCode, String) {
    let answer = patiently("answer", answer).await.unwrap();
    let status = answer.status();
    let mut body = answer.into_body();
    let mut bytes = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.unwrap();
        body.flow_control().release_capacity(piece.len()).unwrap();
        bytes.extend_from_slice(&piece);
    }
    (status, String::from_utf8(bytes).unwrap())
}

async fn get(client: &mut SendRequest<Bytes>, path: &str) -> (StatusCode, String) {
    whole(begin(client, "GET", path, true).0).await
}

#[tokio::test]
async fn http2_is_spoken_where_the_handshake_agreed_on_it() {
    let server = start(generous()).await;
    let (mut client, _connection) = server.http2().await;
    assert_eq!(get(&mut client, "/a?b").await, (StatusCode::OK, "HTTP/2.0 https://localhost/a?b 0".into()));
    for protocols in [&[][..], &["http/1.1"]] {
        let mut stream = server.connect(protocols).await;
        stream.write_all(b"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.contains("HTTP/1.1 https://localhost/a 0"), "{answer}");
    }
}

#[tokio::test]
async fn a_preface_where_http11_was_agreed_on_is_refused() {
    let server = start(generous()).await;
    let mut stream = server.connect(&["http/1.1"]).await;
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = patiently("closing", stream.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP/1.1 2"), "{answer:?}");
}

#[tokio::test]
async fn more_parts_than_six_are_in_flight_and_all_arrive() {
    let server = start(generous()).await;
    let (mut client, _connection) = server.http2().await;
    let mut answers = Vec::new();
    for n in 0..48 {
        let (answer, mut body) = begin(&mut client, "PUT", &format!("/{n}"), false);
        let send = async move {
            let mut left = 200_000 + n;
            while left > 0 {
                body.reserve_capacity(left);
                let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
                body.send_data(Bytes::from(vec![b'x'; room]), room == left).unwrap();
                left -= room;
            }
        };
        answers.push((n, tokio::spawn(send), answer));
    }
    for (n, sent, answer) in answers {
        sent.await.unwrap();
        assert_eq!(whole(answer).await.1, format!("HTTP/2.0 https://localhost/{n} {}", 200_000 + n));
    }
}

/// Sends as much as there is room for, without end, and counts it.
async fn send_for_ever(mut body: SendStream<Bytes>, sent: Arc<AtomicUsize>) {
    loop {
        body.reserve_capacity(1 << 20);
        let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await.unwrap().unwrap();
        body.send_data(Bytes::from(vec![b'x'; room]), false).unwrap();
        sent.fetch_add(room, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_page_may_send_half_a_mebibyte_of_each_part_and_four_in_all_before_an_answer() {
    let server = start(generous()).await;
    let (mut client, _connection) = server.http2().await;
    // The server's windows are known once it has answered.
    assert_eq!(get(&mut client, "/a").await.0, StatusCode::OK);
    let (mut parts, mut answers) = (Vec::new(), Vec::new());
    let mut begin_one = |client: &mut SendRequest<Bytes>| {
        let (answer, body) = begin(client, "PUT", "/never", false);
        let sent = Arc::new(AtomicUsize::new(0));
        tokio::spawn(send_for_ever(body, Arc::clone(&sent)));
        parts.push(sent);
        answers.push(answer);
        parts.clone()
    };
    let lengths =
        |parts: &[Arc<AtomicUsize>]| -> Vec<usize> { parts.iter().map(|sent| sent.load(Ordering::Relaxed)).collect() };
    for (count, expected) in [(1, 512 << 10), (2, 1 << 20), (8, 4 << 20), (12, 4 << 20)] {
        let mut begun = Vec::new();
        while begun.len() < count {
            begun = begin_one(&mut client);
        }
        let all_sent = async {
            while lengths(&begun).iter().sum::<usize>() < expected {
                tokio::task::yield_now().await;
            }
        };
        patiently("room", all_sent).await;
        // Whatever room there is has been given by the time of a later answer.
        assert_eq!(get(&mut client, "/a").await.0, StatusCode::OK);
        assert_eq!(lengths(&begun).iter().sum::<usize>(), expected, "{count} parts: {:?}", lengths(&begun));
        assert!(lengths(&begun).iter().all(|sent| *sent <= 512 << 10), "{:?}", lengths(&begun));
    }
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_not_waited_for() {
    let server = start(Limits { first_byte: BOUND, ..generous() }).await;
    for begun in [&b""[..], b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(begun).await.unwrap();
        let mut answer = Vec::new();
        let _ = patiently("closing", stream.read_to_end(&mut answer)).await;
        assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    }
}

#[tokio::test]
async fn a_connection_without_a_request_is_closed_whatever_else_it_sends() {
    let server = start(Limits { head: BOUND, ..generous() }).await;
    let (_client, connection) = server.http2().await;
    assert!(patiently("closing", connection).await.unwrap().is_ok());
    let stream = server.connect(&["h2"]).await;
    let (_client, mut connection) = h2::client::handshake(stream).await.unwrap();
    let mut pings = connection.ping_pong().unwrap();
    let connection = tokio::spawn(connection);
    while pings.ping(h2::Ping::opaque()).await.is_ok() {}
    let _ = patiently("closing", connection).await;
}

#[tokio::test]
async fn an_idle_connection_is_told_to_leave() {
    let server = start(Limits { keep_alive: BOUND, ..generous() }).await;
    let (mut client, connection) = server.http2().await;
    // The answer takes longer than every bound on the peer.
    assert_eq!(get(&mut client, "/slow").await.0, StatusCode::OK);
    assert!(patiently("closing", connection).await.unwrap().is_ok());
}

#[tokio::test]
async fn a_body_that_stalls_ends_its_request_and_no_other() {
    let server = start(Limits { body_idle: BOUND, ..generous() }).await;
    let (mut client, _connection) = server.http2().await;
    let (stalled, mut body) = begin(&mut client, "PUT", "/", false);
    body.send_data(Bytes::from_static(b"abc"), false).unwrap();
    let (other, _) = begin(&mut client, "GET", "/slow", true);
    let (status, text) = whole(stalled).await;
    assert_eq!((status, text.as_str()), (StatusCode::REQUEST_TIMEOUT, "the request's body stopped arriving"));
    assert_eq!(whole(other).await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_body_that_trickles_ends_its_request() {
    let server = start(Limits { body_grace: BOUND, ..generous() }).await;
    let (mut client, _connection) = server.http2().await;
    let (answer, mut body) = begin(&mut client, "PUT", "/", false);
    let trickle = async {
        while body.send_data(Bytes::from_static(b"x"), false).is_ok() {
            tokio::time::sleep(BOUND / 8).await;
        }
        std::future::pending::<()>().await;
    };
    let text = tokio::select! { answer = whole(answer) => answer.1, () = trickle => String::new() };
    assert_eq!(text, "the request's body arrives too slowly");
}

#[tokio::test]
async fn an_answer_that_nobody_takes_ends_the_connection() {
    let server = start(Limits { write_stall: BOUND, ..generous() }).await;
    for window in [0, 1, 65_535] {
        let stream = server.connect(&["h2"]).await;
        let mut client = h2::client::Builder::new();
        let (client, connection) = client.initial_window_size(window).handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let mut client = client.ready().await.unwrap();
        let (answer, _) = begin(&mut client, "GET", "/large", true);
        // Reads the socket and gives no room: the window stays as it was.
        let _body = patiently("answer", answer).await.unwrap().into_body();
        assert!(patiently("closing", connection).await.unwrap().is_err(), "window {window}");
    }
}

#[tokio::test]
async fn an_answer_that_nobody_takes_does_not_cut_off_its_neighbours() {
    let server = start(Limits { write_stall: BOUND, ..generous() }).await;
    let stream = server.connect(&["h2"]).await;
    // As browsers do: the connection has room for more than one answer.
    let mut client = h2::client::Builder::new();
    let (client, connection) = client.initial_connection_window_size(8 << 20).handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let (large, _) = begin(&mut client, "GET", "/large", true);
    let _body = patiently("answer", large).await.unwrap().into_body();
    let (neighbour, mut sent) = begin(&mut client, "PUT", "/neighbour", false);
    // Until the server takes no more requests on this connection.
    while let Ok(()) = std::future::poll_fn(|cx| client.poll_ready(cx)).await {
        let request = Request::get("https://localhost/other").body(()).unwrap();
        let Ok((answer, _)) = client.send_request(request, true) else { break };
        let _ = answer.await;
    }
    sent.send_data(Bytes::from_static(b"abc"), true).unwrap();
    assert_eq!(whole(neighbour).await.1, "HTTP/2.0 https://localhost/neighbour 3");
    let _ = patiently("closing", connection).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_gives_up_what_it_asked_for_is_cut_off() {
    let server = start(Limits { resets: 20, ..generous() }).await;
    let (mut client, connection) = server.http2().await;
    let mut given_up = 0;
    loop {
        if std::future::poll_fn(|cx| client.poll_ready(cx)).await.is_err() {
            break;
        }
        let (answer, mut body) = begin(&mut client, "PUT", "/never", false);
        // So that the server has begun with it.
        tokio::task::yield_now().await;
        body.send_reset(Reason::CANCEL);
        drop(answer);
        given_up += 1;
        assert!(given_up < 100_000, "never cut off");
    }
    assert!(patiently("closing", connection).await.unwrap().is_err());
    // An honest page is paused: it gives up some and goes on.
    let (mut client, _connection) = server.http2().await;
    for _ in 0..20 {
        let (answer, mut body) = begin(&mut client, "PUT", "/never", false);
        body.send_reset(Reason::CANCEL);
        drop(answer);
        assert_eq!(get(&mut client, "/a").await.0, StatusCode::OK);
    }
}

#[tokio::test]
async fn heads_are_examined_as_in_http11() {
    let server = start(generous()).await;
    let (mut client, _connection) = server.http2().await;
    let many = |count: usize| {
        let request = Request::get("https://localhost/");
        (0..count).fold(request, |request, n| request.header(format!("x-{n}"), "y"))
    };
    let long = format!("https://localhost/{}", "x".repeat(9000));
    for (request, expected) in [
        (Request::put("https://localhost/").header("content-encoding", "gzip"), 415),
        (Request::get("https://localhost/").header("host", "evil"), 400),
        (Request::get("https://localhost/").header("host", "localhost").header("host", "localhost"), 400),
        (Request::get("https://user@localhost/"), 400),
        (Request::get("http://localhost/"), 400),
        (Request::builder().method("TRACE").uri("https://localhost/"), 405),
        (Request::builder().method("PROPFIND").uri("https://localhost/"), 405),
        (Request::get(long), 414),
        (many(65), 431),
        (Request::get("https://localhost/").header("host", "LOCALHOST"), 200),
        (many(60), 200),
    ] {
        let request = request.body(()).unwrap();
        let shown = format!("{request:?}");
        let answer = client.send_request(request, true).unwrap().0;
        let status = patiently(&shown, answer).await.map(|answer| answer.status().as_u16());
        assert_eq!(status.ok(), Some(expected), "{}", &shown[..shown.len().min(200)]);
    }
    assert_eq!(get(&mut client, "/a").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_refusal_reaches_a_client_in_the_middle_of_its_body() {
    let server = start(generous()).await;
    let (mut client, _connection) = server.http2().await;
    let (answer, mut body) = begin(&mut client, "PUT", "/unread", false);
    body.send_data(Bytes::from(vec![0; 60_000]), false).unwrap();
    assert_eq!(patiently("answer", answer).await.unwrap().status(), 403);
    assert_eq!(get(&mut client, "/a").await.0, StatusCode::OK);
}

#[tokio::test]
async fn requests_beyond_what_the_server_takes_are_told_to_come_again() {
    let server = start(Limits { requests: 1, ..generous() }).await;
    let (mut client, _connection) = server.http2().await;
    let (first, mut body) = begin(&mut client, "PUT", "/first", false);
    loop {
        let (second, _) = begin(&mut client, "GET", "/second", true);
        let second = patiently("answer", second).await.unwrap();
        if second.status() == 429 {
            assert_eq!(second.headers().get("retry-after").unwrap(), "1");
            break;
        }
    }
    body.send_data(Bytes::from_static(b"abc"), true).unwrap();
    assert_eq!(whole(first).await.1, "HTTP/2.0 https://localhost/first 3");
    assert_eq!(get(&mut client, "/third").await.0, StatusCode::OK);
}

#[tokio::test]
async fn shutdown_finishes_all_requests_in_flight() {
    let server = start(generous()).await;
    let (mut client, connection) = server.http2().await;
    let (mut idle, idle_connection) = server.http2().await;
    assert_eq!(get(&mut idle, "/a").await.0, StatusCode::OK);
    let (part, mut body) = begin(&mut client, "PUT", "/part", false);
    let (slow, _) = begin(&mut client, "GET", "/slow", true);
    assert_eq!(get(&mut client, "/a").await.0, StatusCode::OK);
    server.end.send(()).unwrap();
    assert!(patiently("idle connection", idle_connection).await.unwrap().is_ok());
    body.send_data(Bytes::from_static(b"abc"), true).unwrap();
    assert_eq!(whole(part).await.1, "HTTP/2.0 https://localhost/part 3");
    assert_eq!(whole(slow).await.0, StatusCode::OK);
    assert!(patiently("connection", connection).await.unwrap().is_ok());
    server.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_new_certificate_is_shown_from_the_next_handshake_on() {
    let server = start(generous()).await;
    let (mut old, _connection) = server.http2().await;
    let next = Authority::new();
    assert_eq!(server.tls.replace(next.certificate.as_bytes(), b"no key"), Err(TlsError::Key));
    assert_eq!(server.tls.replace(b"no certificate", next.key.as_bytes()), Err(TlsError::Certificate));
    assert_eq!(
        server.tls.replace(next.certificate.as_bytes(), server.authority.key.as_bytes()),
        Err(TlsError::Mismatch)
    );
    let (_still, _connection) = server.http2().await;
    server.tls.replace(next.certificate.as_bytes(), next.key.as_bytes()).unwrap();
    let connector = TlsConnector::from(Arc::new(client(&server.authority.certificate, &["h2"])));
    let stream = TcpStream::connect(server.address).await.unwrap();
    assert!(connector.connect("localhost".try_into().unwrap(), stream).await.is_err());
    let renewed = Server { authority: next, ..server };
    let (mut new, _connection) = renewed.http2().await;
    assert_eq!(get(&mut new, "/a").await.0, StatusCode::OK);
    assert_eq!(get(&mut old, "/a").await.0, StatusCode::OK);
}

#[tokio::test]
async fn only_tls_12_and_13_are_spoken() {
    let server = start(generous()).await;
    // A hello of TLS 1.1, as a program of 2006 sends it.
    let mut hello = vec![0x03, 0x02];
    hello.extend([7; 32]);
    hello.extend([0, 0, 4, 0xc0, 0x13, 0x00, 0x2f, 1, 0]);
    let handshake = [&[1, 0, 0, u8::try_from(hello.len()).unwrap()][..], &hello].concat();
    let record = [&[0x16, 3, 1, 0, u8::try_from(handshake.len()).unwrap()][..], &handshake].concat();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream.write_all(&record).await.unwrap();
    let mut answer = Vec::new();
    patiently("closing", stream.read_to_end(&mut answer)).await.unwrap();
    // A fatal alert: protocol_version or handshake_failure.
    assert!(matches!(answer.as_slice(), [0x15, 3, _, 0, 2, 2, 40 | 70]), "{answer:?}");
}
