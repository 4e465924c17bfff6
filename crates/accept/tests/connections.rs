//! The accept loop against raw sockets. Bounds are short and injected; every wait of a test itself is for the peer.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod bounds;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use accept::{Body, Limits};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use bounds::{BOUND, PATIENCE, generous};

struct Server {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

/// Answers with the target and the body it read, or with what became of the body.
async fn echo(request: Request<Body>) -> Response<Full<Bytes>> {
    let path = request.uri().to_string();
    match path.as_str() {
        "/panic" => panic!("as asked"),
        "/unread" => return Response::builder().status(403).body("no".into()).unwrap(),
        "/large" => return Response::new(Bytes::from(vec![b'x'; 32 << 20]).into()),
        "/slow" => tokio::time::sleep(BOUND * 5).await,
        _ => {}
    }
    match request.into_body().collect().await {
        Ok(body) => {
            let body = String::from_utf8(body.to_bytes().into()).unwrap();
            Response::new(format!("[{path} {body}]").into())
        }
        Err(error) => Response::builder().status(408).body(error.to_string().into()).unwrap(),
    }
}

async fn start(limits: Limits) -> Server {
    start_on(TcpListener::bind("127.0.0.1:0").await.unwrap(), limits)
}

fn start_on(listener: TcpListener, limits: Limits) -> Server {
    let address = listener.local_addr().unwrap();
    let (end, ended) = oneshot::channel();
    let served = tokio::spawn(accept::serve(listener, limits, echo, async {
        let _: Result<(), _> = ended.await;
    }));
    Server { address, end, served }
}

impl Server {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends the bytes and returns all that comes until the server closes.
    async fn exchange(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        until_closed(&mut stream).await
    }
}

async fn until_closed(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    // A reset ends the reading as well.
    let _ = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("the server never closed");
    String::from_utf8_lossy(&text).into_owned()
}

async fn until_text(stream: &mut TcpStream, text: &str) -> String {
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains(text) {
        let mut buffer = [0; 4096];
        let n = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await.expect("no answer").unwrap();
        assert!(n > 0, "closed after {:?}", String::from_utf8_lossy(&read));
        read.extend_from_slice(&buffer[..n]);
    }
    String::from_utf8(read).unwrap()
}

fn status(answer: &str) -> &str {
    answer.get(9..12).unwrap_or("none")
}

#[tokio::test]
async fn a_connection_that_sends_nothing_is_closed() {
    let server = start(Limits { first_byte: BOUND, ..generous() }).await;
    assert_eq!(server.exchange(b"").await, "");
}

/// What is answered to somebody who sends `begins` and then `drip` again and again, each sooner than a deadline that is
/// only about idleness would end.
async fn trickle(server: &Server, begins: &[u8], drip: &[u8]) -> String {
    let mut stream = server.connect().await;
    stream.write_all(begins).await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let trickle = async {
        while write.write_all(drip).await.is_ok() {
            tokio::time::sleep(BOUND / 8).await;
        }
        // What was answered may still have to be read.
        std::future::pending::<()>().await;
    };
    let read_to_end = tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer));
    tokio::select! {
        () = trickle => {}
        read = read_to_end => { let _ = read.expect("never closed"); }
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_off() {
    let server = start(Limits { head: BOUND, ..generous() }).await;
    let line = b"GET / HTTP/1.1\r\nHost: a\r\n";
    let lengths = [line, b"Content-Length: nine\r\n".as_slice(), b"Content-Length: 9\r\n"].concat();
    let long = [line, b"X: ".as_slice(), &[b'x'; 20 << 10]].concat();
    for (begins, drip) in [
        (line.as_slice(), "X: y\r\n"),
        (b"G", "E"),
        // Empty lines before a request are passed over and are no request.
        (b"\r\n", "\r\n"),
        (b"", "\r\n"),
        // Of no use, and not known to be before the end of the head.
        (&lengths, "X: y\r\n"),
        (&long, "x"),
    ] {
        assert_eq!(trickle(&server, begins, drip.as_bytes()).await, "", "{:?}", String::from_utf8_lossy(begins));
    }
}

#[tokio::test]
async fn the_next_head_has_no_more_time_than_the_first() {
    let request = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n";
    let server = start(Limits { head: BOUND, ..generous() }).await;
    let begun = [request, b"GET / HTTP/1.1\r\n".as_slice()].concat();
    let answer = trickle(&server, &begun, b"X: y\r\n").await;
    assert!(answer.ends_with("[/a ]"), "{answer}");
    let server = start(Limits { keep_alive: BOUND, ..generous() }).await;
    let answer = trickle(&server, request, b"\r\n").await;
    assert!(answer.ends_with("[/a ]"), "{answer}");
}

#[tokio::test]
async fn what_is_no_head_is_answered_before_its_end() {
    let server = start(generous()).await;
    // As a browser does that speaks TLS to a port in the clear.
    for hello in ["\u{16}\u{3}\u{1}", "GET / HTTP/1.1\r\nHost: a\r\nX\0"] {
        let mut stream = server.connect().await;
        stream.write_all(hello.as_bytes()).await.unwrap();
        assert_eq!(status(&until_closed(&mut stream).await), "400", "{hello:?}");
    }
}

#[tokio::test]
async fn a_head_is_read_whole_however_it_is_cut() {
    let server = start(generous()).await;
    let head = format!("PUT /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: {}\r\n\r\n", "x".repeat(20 << 10));
    let requests = format!("\r\n{head}seven{}", head.replace("/b", "/c"));
    for step in [1000, 2047, 2048, 4096, head.len() - 1, head.len() + 2, requests.len()] {
        let mut stream = server.connect().await;
        stream.set_nodelay(true).unwrap();
        for piece in requests.as_bytes().chunks(step) {
            stream.write_all(piece).await.unwrap();
            tokio::task::yield_now().await;
        }
        until_text(&mut stream, "[/b seven]").await;
        stream.write_all(b"eight").await.unwrap();
        until_text(&mut stream, "[/c eight]").await;
    }
}

#[tokio::test]
async fn at_shutdown_who_has_sent_nothing_is_left_and_a_head_that_has_begun_is_answered() {
    let server = start(generous()).await;
    let mut begun = server.connect().await;
    begun.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n").await.unwrap();
    let mut silent = server.connect().await;
    // Connections are taken in the order in which they came.
    assert!(server.exchange(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.ends_with("[/ ]"));
    server.end.send(()).unwrap();
    assert_eq!(until_closed(&mut silent).await, "");
    begun.write_all(b"\r\n").await.unwrap();
    assert!(until_closed(&mut begun).await.ends_with("[/a ]"));
    server.served.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_idle_connection_is_closed_but_a_waiting_one_is_not() {
    // The handler of /slow takes longer than every bound on the peer.
    let limits = Limits { first_byte: BOUND, head: BOUND, keep_alive: BOUND, body_idle: BOUND, ..generous() };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    // Its request is there before anybody listens for it, so that no bound but the one after the answer can run out.
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    stream.write_all(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let _server = start_on(listener, limits);
    let answer = until_closed(&mut stream).await;
    assert!(answer.ends_with("[/slow ]"), "{answer}");
}

#[tokio::test]
async fn keep_alive_starts_anew_with_every_request() {
    let keep_alive = BOUND * 3;
    let server = start(Limits { keep_alive, ..generous() }).await;
    // Who was held up himself has shown nothing, and tries again.
    while !asks_again_and_again_in_time(&server, keep_alive).await {}
}

/// Asks four times on one connection, which takes longer than `keep_alive` altogether. Says whether each request was
/// sent in time.
async fn asks_again_and_again_in_time(server: &Server, keep_alive: Duration) -> bool {
    let mut stream = server.connect().await;
    let mut answered = None;
    for _ in 0..4 {
        let sent = stream.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await;
        // Since a moment before the server began to wait.
        if answered.is_some_and(|answered: Instant| answered.elapsed() >= keep_alive) {
            return false;
        }
        sent.unwrap();
        answered = Some(Instant::now());
        until_text(&mut stream, "[/a ]").await;
        tokio::time::sleep(BOUND).await;
    }
    assert_eq!(until_closed(&mut stream).await, "");
    true
}

#[tokio::test]
async fn a_body_that_stops_is_an_error_to_the_handler() {
    let server = start(Limits { body_idle: BOUND, ..generous() }).await;
    let answer = server.exchange(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc").await;
    assert_eq!(status(&answer), "408");
    assert!(answer.contains("stopped arriving"), "{answer}");
}

#[tokio::test]
async fn a_body_that_trickles_is_an_error_to_the_handler() {
    let server = start(Limits { body_grace: BOUND, ..generous() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000\r\n\r\n").await.unwrap();
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    tokio::select! {
        () = async { while write.write_all(b"x").await.is_ok() { tokio::time::sleep(BOUND / 8).await; } } => {}
        read = tokio::time::timeout(PATIENCE, read.read_to_end(&mut answer)) => { let _ = read.expect("never closed"); }
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.contains("too slowly"), "{answer}");
}

#[tokio::test]
async fn a_body_faster_than_the_least_rate_may_take_longer_than_the_grace() {
    let server = start(Limits { body_grace: BOUND, body_min_rate: 1, ..generous() }).await;
    let mut stream = server.connect().await;
    // With the head, so that there is no waiting for it; each pays for ten seconds.
    stream.write_all(b"PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n0123456789").await.unwrap();
    for _ in 0..5 {
        tokio::time::sleep(BOUND / 2).await;
        stream.write_all(b"0123456789").await.unwrap();
    }
    until_text(&mut stream, "[/a 0123456789").await;
}

#[tokio::test]
async fn a_peer_that_does_not_read_is_cut_off() {
    let server = start(Limits { write_stall: BOUND, shutdown: PATIENCE, ..generous() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).await.unwrap();
    // Shutdown waits for the answer, which nobody reads: only the deadline can end it.
    server.end.send(()).unwrap();
    tokio::time::timeout(PATIENCE, server.served).await.expect("still writing").unwrap().unwrap();
}

#[tokio::test]
async fn requests_that_can_be_read_in_two_ways_are_refused() {
    let server = start(Limits { keep_alive: BOUND, ..generous() }).await;
    for (request, expected) in [
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\nabc", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "400"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff0\r\n", "408"),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", "400"),
        ("GET / HTTP/1.1\nHost: a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.0\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: \r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: localhost@evil\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "400"),
        ("GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("GET http://a/b HTTP/1.1\r\nHost: A\r\n\r\n", "200"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
        ("TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "405"),
        ("PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n", "405"),
        ("PUT / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", "415"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "none"),
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "200"),
    ] {
        let answer = server.exchange(request.as_bytes()).await;
        assert_eq!(status(&answer), expected, "{request:?} got {answer:?}");
        assert!(answer.matches("HTTP/1.").count() <= 1, "{request:?} got {answer:?}");
    }
}

#[tokio::test]
async fn a_head_beyond_the_limits_is_refused() {
    let server = start(generous()).await;
    let many = "X: y\r\n".repeat(65);
    assert_eq!(status(&server.exchange(format!("GET / HTTP/1.1\r\nHost: a\r\n{many}\r\n").as_bytes()).await), "431");
    let long = "x".repeat(100 << 10);
    let mut stream = server.connect().await;
    stream.write_all(format!("GET / HTTP/1.1\r\nHost: a\r\nX: {long}\r\n\r\n").as_bytes()).await.unwrap();
    let answer = until_text(&mut stream, "\r\n\r\n").await;
    assert_eq!(status(&answer), "431");
}

#[tokio::test]
async fn pipelined_requests_get_one_answer_each_in_order() {
    let server = start(Limits { keep_alive: BOUND, ..generous() }).await;
    let answer = server
        .exchange(
            b"PUT /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc\
              PUT /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndef\r\n0\r\n\r\n\
              GET /3 HTTP/1.1\r\nHost: a\r\n\r\n\
              PUT /4 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\
              GET /5 HTTP/1.1\r\nHost: a\r\n\r\n",
        )
        .await;
    let bodies: Vec<&str> = answer.split('[').skip(1).filter_map(|rest| rest.split(']').next()).collect();
    assert_eq!(bodies, ["/1 abc", "/2 def", "/3 "], "{answer}");
    // The fourth is refused and ends the connection, so that the fifth is not answered.
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 4, "{answer}");
    assert!(answer.contains("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn a_refusal_reaches_a_client_in_the_middle_of_its_body() {
    let server = start(generous()).await;
    let mut stream = server.connect().await;
    stream.write_all(b"PUT /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n").await.unwrap();
    // Far more than both sockets' buffers hold: without lingering this fails with a reset.
    stream.write_all(&vec![0; 8 << 20]).await.unwrap();
    assert_eq!(status(&until_closed(&mut stream).await), "403");
}

#[tokio::test]
async fn a_panic_is_answered_with_500_and_the_server_goes_on() {
    let server = start(Limits { keep_alive: BOUND, ..generous() }).await;
    let answer = server.exchange(b"GET /panic HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(status(&answer), "500");
    assert!(answer.ends_with("[/2 ]"), "{answer}");
}

#[tokio::test]
async fn shutdown_finishes_the_request_in_flight_and_accepts_no_more() {
    let server = start(generous()).await;
    let mut busy = server.connect().await;
    busy.write_all(b"PUT /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
        .await
        .unwrap();
    // The handler asks for the body, so the request is in flight.
    until_text(&mut busy, "100 Continue").await;
    let mut idle = server.connect().await;
    idle.write_all(b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    until_text(&mut idle, "[/a ]").await;
    server.end.send(()).unwrap();
    assert_eq!(until_closed(&mut idle).await, "");
    busy.write_all(b"abc").await.unwrap();
    assert!(until_closed(&mut busy).await.ends_with("[/slow abc]"));
    server.served.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.address).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_ever() {
    let server = start(Limits { shutdown: BOUND, ..generous() }).await;
    let mut stream = server.connect().await;
    stream.write_all(b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n").await.unwrap();
    until_text(&mut stream, "100 Continue").await;
    server.end.send(()).unwrap();
    let error = server.served.await.unwrap().unwrap_err();
    assert_eq!(error.to_string(), "1 connections were cut off at shutdown");
}

#[tokio::test]
async fn connections_beyond_the_cap_wait_until_one_ends() {
    let server = start(Limits { connections: 1, ..generous() }).await;
    let mut first = server.connect().await;
    first.write_all(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    until_text(&mut first, "[/1 ]").await;
    let mut second = server.connect().await;
    second.write_all(b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut byte = [0; 1];
    assert!(tokio::time::timeout(BOUND, second.read(&mut byte)).await.is_err(), "answered beyond the cap");
    drop(first);
    until_text(&mut second, "[/2 ]").await;
}

#[tokio::test]
async fn a_body_that_fails_while_it_is_sent_ends_its_connection_only() {
    let broken = |_request: Request<Body>| async {
        let body = Full::new(Bytes::from_static(b"a"));
        Response::new(body.map_frame(|_| -> http_body::Frame<Bytes> { panic!("as asked") }))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(accept::serve(listener, generous(), broken, std::future::pending()));
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        until_closed(&mut stream).await;
    }
}
