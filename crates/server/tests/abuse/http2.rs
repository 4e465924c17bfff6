//! HTTP/2: refused in the clear, and by TLS within bounds.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::tls::TlsClient;
use crate::wire::Request;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// Header lines that no table knows.
fn lines(headers: &[(&str, &str)]) -> Vec<u8> {
    let text = |text: &str| {
        // Lengths are integers with a prefix of seven bits.
        let mut bytes = match u8::try_from(text.len()).ok().filter(|length| *length < 127) {
            Some(length) => vec![length],
            None => {
                let (mut bytes, mut left) = (vec![127], text.len() - 127);
                while left >= 128 {
                    bytes.push(u8::try_from(left % 128).unwrap() | 128);
                    left /= 128;
                }
                bytes.push(u8::try_from(left).unwrap());
                bytes
            }
        };
        bytes.extend_from_slice(text.as_bytes());
        bytes
    };
    headers.iter().flat_map(|(name, value)| [vec![0], text(name), text(value)].concat()).collect()
}

fn head(method: &str, path: &str, host: &str, more: &[(&str, &str)]) -> Vec<u8> {
    let pseudo = [(":method", method), (":scheme", "https"), (":path", path), (":authority", host)];
    lines(&[&pseudo, more].concat())
}

/// Sends `piece(n)` for n = 0, 1, … until the server closes or says that it goes. Returns how many were sent, or the
/// largest number where it does neither.
fn until_refused(case: &Case, client: &TlsClient, most: usize, piece: &dyn Fn(u32) -> Vec<u8>) -> usize {
    case.count();
    let mut stream = client.connect(&case.host, &["h2"]);
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[])].concat()).unwrap();
    stream.sock.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
    let (mut read, begun) = (Vec::new(), Instant::now());
    let mut sent = 0;
    loop {
        if sent < most {
            let pieces: Vec<u8> = (0..50).flat_map(|n| piece(u32::try_from(sent + n).unwrap())).collect();
            sent += 50;
            if stream.write_all(&pieces).is_err() {
                return sent;
            }
        }
        let mut bytes = [0; 16 << 10];
        match stream.read(&mut bytes) {
            Ok(0) => return sent,
            Ok(n) => read.extend_from_slice(&bytes[..n]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return sent,
        }
        while let Some((kind, length)) = first_frame(&read) {
            if kind == GOAWAY {
                return sent;
            }
            read.drain(..length);
        }
        // Much longer than the deadlines, for a machine that is busy.
        if begun.elapsed() > Duration::from_secs(120) {
            return usize::MAX;
        }
    }
}

/// The frames of the n-th turn.
type Flood<'a> = Box<dyn Fn(u32) -> Vec<u8> + 'a>;

/// Kind and length, with its head, of the frame that the bytes begin with, if it is whole.
fn first_frame(bytes: &[u8]) -> Option<(u8, usize)> {
    let [a, b, c, kind, ..] = bytes else { return None };
    let length = 9 + (usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c));
    (bytes.len() >= length).then_some((*kind, length))
}

#[test]
fn a60_http2_is_bounded_by_tls_and_absent_without() {
    let case = Case::new("A60");
    let upgrade = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    for bytes in [PREFACE.to_vec(), [PREFACE, &frame(SETTINGS, 0, 0, &[])].concat(), PREFACE[..10].to_vec()] {
        case.count();
        assert!(crate::wire::exchange_and_end(&case.host, &bytes).iter().all(|answer| answer.status == 400));
    }
    // An upgrade is passed over: the answer is one of HTTP/1.1, and nothing that comes after it is taken for frames.
    let plain = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n{upgrade}\r\n", case.host);
    for after in
        [format!("GET /canary HTTP/1.1\r\nHost: {}\r\n\r\n", case.host), String::from_utf8(PREFACE.to_vec()).unwrap()]
    {
        case.count();
        let answers = crate::wire::exchange_and_end(&case.host, format!("{plain}{after}").as_bytes());
        assert!(answers.len() <= 2 && answers[0].status == 200, "{answers:?}");
        assert!(
            answers.iter().all(|answer| answer.head.starts_with("HTTP/1.1 ") && answer.header("upgrade").is_empty())
        );
    }
    case.is_unharmed();
    let payloads = case.sent();
    drop(case);

    let (case, client) = Case::with_tls("A60");
    let host = case.host.clone();
    let get = head("GET", "/healthz", &host, &[]);
    let odd = |n: u32| 2 * n + 1;
    let request = |n: u32| frame(HEADERS, END_STREAM | END_HEADERS, odd(n), &get);
    let begin = head("POST", "/v1/sign", &host, &[("content-type", "application/json")]);
    let long = "x".repeat(16_000);
    let many = |name: &str, count: usize| lines(&vec![(name, long.as_str()); count]);
    let floods: Vec<(&str, Flood<'_>)> = vec![
        ("rapid reset", Box::new(|n| [request(n), frame(RST_STREAM, 0, odd(n), &8_u32.to_be_bytes())].concat())),
        (
            "rapid reset of bodies",
            Box::new(|n| {
                [frame(HEADERS, END_HEADERS, odd(n), &begin), frame(RST_STREAM, 0, odd(n), &8_u32.to_be_bytes())]
                    .concat()
            }),
        ),
        (
            "made you reset",
            Box::new(|n| {
                [frame(HEADERS, END_HEADERS, odd(n), &begin), frame(WINDOW_UPDATE, 0, odd(n), &0_u32.to_be_bytes())]
                    .concat()
            }),
        ),
        (
            "continuation",
            Box::new(|n| {
                if n == 0 { frame(HEADERS, 0, 1, &get) } else { frame(CONTINUATION, 0, 1, &lines(&[("x-a", "b")])) }
            }),
        ),
        (
            "empty continuation",
            Box::new(|n| if n == 0 { frame(HEADERS, 0, 1, &get) } else { frame(CONTINUATION, 0, 1, &[]) }),
        ),
        (
            "empty data",
            Box::new(|n| if n == 0 { frame(HEADERS, END_HEADERS, 1, &begin) } else { frame(DATA, 0, 1, &[]) }),
        ),
        (
            "padded data",
            Box::new(|n| if n == 0 { frame(HEADERS, END_HEADERS, 1, &begin) } else { frame(DATA, 8, 1, &[200; 201]) }),
        ),
        ("idle stream's reset", Box::new(|n| frame(RST_STREAM, 0, odd(n), &8_u32.to_be_bytes()))),
        ("even stream", Box::new(|n| frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 2, &get))),
        ("stream 0", Box::new(|_| frame(HEADERS, END_STREAM | END_HEADERS, 0, &get))),
        ("data on stream 0", Box::new(|_| frame(DATA, 0, 0, b"x"))),
        ("data on no stream", Box::new(|n| frame(DATA, 0, odd(n), b"x"))),
        ("push", Box::new(|_| frame(PUSH_PROMISE, END_HEADERS, 1, &[0, 0, 0, 2]))),
        ("large frame", Box::new(|_| frame(DATA, 0, 1, &[0; 20_000]))),
        ("short ping", Box::new(|_| frame(PING, 0, 0, b"1234567"))),
        ("ping on a stream", Box::new(|_| frame(PING, 0, 1, b"12345678"))),
        ("short settings", Box::new(|_| frame(SETTINGS, 0, 0, b"12345"))),
        ("illegal window", Box::new(|_| frame(SETTINGS, 0, 0, &[0, 4, 0xff, 0xff, 0xff, 0xff]))),
        ("illegal frame size", Box::new(|_| frame(SETTINGS, 0, 0, &[0, 5, 0, 0, 0, 1]))),
        ("window overflow", Box::new(|_| frame(WINDOW_UPDATE, 0, 0, &0x7fff_ffff_u32.to_be_bytes()))),
        ("window of none", Box::new(|_| frame(WINDOW_UPDATE, 0, 0, &0_u32.to_be_bytes()))),
        ("short priority", Box::new(|_| frame(PRIORITY, 0, 1, b"1"))),
        (
            "no table entry",
            Box::new(|n| frame(HEADERS, END_STREAM | END_HEADERS, odd(n), &[0xff, 0xff, 0xff, 0xff, 0x0f])),
        ),
        (
            "no huffman code",
            Box::new(|n| frame(HEADERS, END_STREAM | END_HEADERS, odd(n), &[0, 0x84, 0xff, 0xff, 0xff, 0xff, 0])),
        ),
        (
            "table too large",
            Box::new(|n| frame(HEADERS, END_STREAM | END_HEADERS, odd(n), &[0x3f, 0xff, 0xff, 0xff, 0x7f])),
        ),
        ("head in one frame and no end", Box::new(|n| frame(HEADERS, 0, odd(n), &get))),
        ("other frame in a head", Box::new(|_| [frame(HEADERS, 0, 1, &get), frame(PING, 0, 0, b"12345678")].concat())),
        (
            "large head",
            Box::new(|n| if n == 0 { frame(HEADERS, 0, 1, &get) } else { frame(CONTINUATION, 0, 1, &many("x-a", 1)) }),
        ),
        ("preface again", Box::new(|_| PREFACE.to_vec())),
        ("text", Box::new(|_| b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec())),
        ("nothing more", Box::new(|_| Vec::new())),
        ("pings and no request", Box::new(|_| frame(PING, 0, 0, b"12345678"))),
        ("settings and no request", Box::new(|_| frame(SETTINGS, 0, 0, &[0, 3, 0, 0, 0, 100]))),
    ];
    for (name, piece) in &floods {
        let sent = until_refused(&case, &client, 50_000, piece);
        assert_ne!(sent, usize::MAX, "{name}: neither closed nor told to go");
    }
    // The head of a request is looked at as in HTTP/1.1, and the next connection is as good as the first.
    let mut stream = client.connect(&host, &["http/1.1"]);
    stream.write_all(&Request::get("/healthz").bytes(&host)).unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&answer));
    case.add(payloads);
    case.end();
}
