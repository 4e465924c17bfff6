//! A bucket that forgets what it is sent, for the benchmark of uploads to buckets: reads bodies, answers with the checksums it
//! was told and computes none, so that what is measured is the client.
//!
//! Speaks what uploads need of S3: CreateMultipartUpload, UploadPart, ListParts, CompleteMultipartUpload,
//! AbortMultipartUpload, PutObject, HeadObject, tags, and CORS for every origin. Prints where it listens, and ends with its
//! standard input. `cargo bench -p glacier-upload-server --bench s3_sink`; with `DELAY_MS` of the environment it answers as
//! late as a store that is far away, and with `RATE_MIB` it takes so many MiB a second of each connection.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it cannot go on")]

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use glacier_core::s3::{CompositeChecksum, read_checksum_header};

const MAX_PARTS_IN_PAGE: usize = 1000;
const SHA256: &str = "x-amz-checksum-sha256";

fn main() {
    let number = |name: &str| std::env::var(name).map_or(0, |text| text.parse().unwrap());
    let distance = Distance { delay: Duration::from_millis(number("DELAY_MS")), rate: number("RATE_MIB") << 20 };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    println!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let bucket = Arc::new(Mutex::new(Bucket::default()));
        for stream in listener.incoming() {
            let (stream, bucket) = (stream.unwrap(), Arc::clone(&bucket));
            thread::spawn(move || serve(&stream, &bucket, distance));
        }
    });
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
}

/// How far away the store is made out to be.
#[derive(Clone, Copy)]
struct Distance {
    /// Before every answer.
    delay: Duration,
    /// Bytes a second of each connection; 0 for as many as come.
    rate: u64,
}

#[derive(Default)]
struct Bucket {
    uploads: HashMap<String, Upload>,
    objects: HashMap<String, Object>,
    n_uploads: u64,
}

#[derive(Default)]
struct Upload {
    path: String,
    parts: BTreeMap<u32, Part>,
}

struct Part {
    len: u64,
    sha256: Option<String>,
}

struct Object {
    len: u64,
    sha256: Option<String>,
}

/// A request without its body.
struct Head {
    method: String,
    path: String,
    query: HashMap<String, String>,
    /// By names in lower case.
    headers: HashMap<String, String>,
}

impl Head {
    fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let mut words = lines.first().map_or("", String::as_str).split(' ');
        let (method, target) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let pair = |text: &str, between: &str| match text.split_once(between) {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (text.to_owned(), String::new()),
        };
        Ok(Some(Self {
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.split('&').filter(|text| !text.is_empty()).map(|text| pair(text, "=")).collect(),
            headers: lines
                .iter()
                .skip(1)
                .map(|line| pair(line, ": "))
                .map(|(n, v)| (n.to_ascii_lowercase(), v))
                .collect(),
        }))
    }

    fn len(&self) -> io::Result<u64> {
        if self.headers.contains_key("transfer-encoding") {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.headers
            .get("content-length")
            .map_or(Ok(0), |len| len.parse().map_err(|_| io::ErrorKind::InvalidData.into()))
    }

    /// The checksums that were sent, as lines of an answer.
    fn checksums(&self) -> String {
        let sent = self.headers.iter().filter(|(name, _)| name.starts_with("x-amz-checksum-"));
        sent.fold(String::new(), |lines, (name, value)| lines + &format!("{name}: {value}\r\n"))
    }
}

struct Answer {
    status: u16,
    /// Lines, each with its end.
    headers: String,
    body: String,
    /// Of the body, unless that of HeadObject is left out.
    len: Option<u64>,
}

impl Answer {
    fn new(status: u16, headers: String, body: String) -> Self {
        Self { status, headers, body, len: None }
    }

    fn status(status: u16) -> Self {
        Self::new(status, String::new(), String::new())
    }
}

fn serve(stream: &TcpStream, bucket: &Mutex<Bucket>, distance: Distance) {
    // Browsers leave when they like.
    let _ = answer_all(stream, bucket, distance);
}

fn answer_all(mut stream: &TcpStream, bucket: &Mutex<Bucket>, distance: Distance) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(256 << 10, stream);
    while let Some(head) = Head::read(&mut reader)? {
        let len = head.len()?;
        let answer = if head.method == "PUT" {
            forget(&mut reader, len, distance.rate)?;
            put(&head, len, bucket)
        } else {
            let mut body = String::new();
            reader.by_ref().take(len).read_to_string(&mut body)?;
            without_body(&head, bucket)
        };
        let Answer { status, headers, body, len } = answer;
        let len = len.unwrap_or(body.len() as u64);
        let origin = if head.headers.contains_key("origin") {
            "access-control-allow-origin: *\r\naccess-control-expose-headers: *\r\n"
        } else {
            ""
        };
        thread::sleep(distance.delay);
        // Every client reads the number alone.
        let text = format!("HTTP/1.1 {status} _\r\n{origin}{headers}content-length: {len}\r\n\r\n{body}");
        stream.write_all(text.as_bytes())?;
    }
    Ok(())
}

/// Reads `len` bytes without looking at them, `rate` a second.
fn forget(reader: &mut impl BufRead, len: u64, rate: u64) -> io::Result<()> {
    let begun = Instant::now();
    let mut taken = 0;
    while taken < len {
        let n = reader.fill_buf()?.len().min(usize::try_from(len - taken).unwrap_or(usize::MAX));
        if n == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        reader.consume(n);
        taken += n as u64;
        if let Some(due) = (taken * 1000).checked_div(rate) {
            thread::sleep(Duration::from_millis(due).saturating_sub(begun.elapsed()));
        }
    }
    Ok(())
}

fn put(head: &Head, len: u64, bucket: &Mutex<Bucket>) -> Answer {
    if head.query.contains_key("tagging") {
        return Answer::status(200);
    }
    let sha256 = head.headers.get(SHA256).cloned();
    let mut bucket = bucket.lock().unwrap();
    let Some(id) = head.query.get("uploadId") else {
        bucket.objects.insert(head.path.clone(), Object { len, sha256 });
        return Answer::new(200, format!("etag: \"{len}\"\r\n{}", head.checksums()), String::new());
    };
    let number = head.query.get("partNumber").and_then(|number| number.parse().ok());
    match (bucket.uploads.get_mut(id), number) {
        (Some(upload), Some(number)) => {
            upload.parts.insert(number, Part { len, sha256 });
            Answer::new(200, format!("etag: \"{number}-{len}\"\r\n{}", head.checksums()), String::new())
        }
        _ => no_such_upload(),
    }
}

/// Whatever has no body, or one that is taken for granted.
fn without_body(head: &Head, bucket: &Mutex<Bucket>) -> Answer {
    let mut bucket = bucket.lock().unwrap();
    let upload_id = head.query.get("uploadId");
    match (head.method.as_str(), upload_id) {
        ("OPTIONS", _) => {
            let headers = head.headers.get("access-control-request-headers").map_or("*", String::as_str);
            let allowed = format!(
                "access-control-allow-methods: GET, PUT, POST, HEAD, DELETE\r\naccess-control-allow-headers: {headers}\r\n\
                 access-control-max-age: 3000\r\n"
            );
            Answer::new(200, allowed, String::new())
        }
        ("POST", None) if head.query.contains_key("uploads") => create(head, &mut bucket),
        ("GET", None) if head.query.contains_key("tagging") => xml("<Tagging><TagSet></TagSet></Tagging>".to_owned()),
        ("GET", Some(id)) => list(head, id, &bucket),
        ("POST", Some(id)) => complete(id, &mut bucket),
        ("DELETE", Some(id)) => bucket.uploads.remove(id).map_or_else(no_such_upload, |_| Answer::status(204)),
        ("HEAD", None) => head_object(head, &bucket),
        _ => Answer::status(501),
    }
}

fn create(head: &Head, bucket: &mut Bucket) -> Answer {
    bucket.n_uploads += 1;
    let id = format!("upload{}", bucket.n_uploads);
    bucket.uploads.insert(id.clone(), Upload { path: head.path.clone(), parts: BTreeMap::new() });
    let name = name_of(&head.path);
    let body =
        format!("<InitiateMultipartUploadResult>{name}<UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
    Answer { headers: format!("content-type: application/xml\r\n{}", head.checksums()), ..xml(body) }
}

fn list(head: &Head, id: &str, bucket: &Bucket) -> Answer {
    let Some(upload) = bucket.uploads.get(id) else { return no_such_upload() };
    let marker = head.query.get("part-number-marker").and_then(|marker| marker.parse::<u32>().ok()).unwrap_or(0);
    let mut body = "<ListPartsResult>".to_owned();
    let mut rest = upload.parts.range(marker + 1..);
    let mut last = marker;
    for (number, part) in rest.by_ref().take(MAX_PARTS_IN_PAGE) {
        let sum = part.sha256.as_ref().map_or(String::new(), |sum| format!("<ChecksumSHA256>{sum}</ChecksumSHA256>"));
        let len = part.len;
        let _ = write!(
            body,
            "<Part><PartNumber>{number}</PartNumber><ETag>&quot;{number}-{len}&quot;</ETag><Size>{len}</Size>{sum}</Part>"
        );
        last = *number;
    }
    let is_truncated = rest.next().is_some();
    let _ =
        write!(body, "<NextPartNumberMarker>{last}</NextPartNumberMarker><IsTruncated>{is_truncated}</IsTruncated>");
    xml(body + "</ListPartsResult>")
}

/// Makes the object of all parts there are.
fn complete(id: &str, bucket: &mut Bucket) -> Answer {
    let Some(Upload { path, parts }) = bucket.uploads.remove(id) else { return no_such_upload() };
    let hashes: Option<Vec<_>> =
        parts.values().map(|part| part.sha256.as_deref().and_then(read_checksum_header)).collect();
    let sha256 = hashes.and_then(CompositeChecksum::of_parts).map(|sum| sum.to_string());
    let len = parts.values().map(|part| part.len).sum();
    let name = name_of(&path);
    let body = format!(
        "<CompleteMultipartUploadResult><Location>{path}</Location>{name}<ETag>&quot;{len}&quot;</ETag>\
         </CompleteMultipartUploadResult>"
    );
    bucket.objects.insert(path, Object { len, sha256 });
    xml(body)
}

fn head_object(head: &Head, bucket: &Bucket) -> Answer {
    let Some(Object { len, sha256 }) = bucket.objects.get(&head.path) else { return Answer::status(404) };
    let sum = sha256.as_ref().map_or(String::new(), |sum| format!("{SHA256}: {sum}\r\n"));
    let headers = format!("etag: \"{len}\"\r\nlast-modified: Sat, 21 Nov 2026 08:20:12 GMT\r\n{sum}");
    Answer { len: Some(*len), ..Answer::new(200, headers, String::new()) }
}

/// Bucket and key, as documents have them.
fn name_of(path: &str) -> String {
    let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or((path, ""));
    format!("<Bucket>{bucket}</Bucket><Key>{key}</Key>")
}

fn xml(body: String) -> Answer {
    Answer::new(200, "content-type: application/xml\r\n".to_owned(), body)
}

fn no_such_upload() -> Answer {
    Answer { status: 404, ..xml("<Error><Code>NoSuchUpload</Code></Error>".to_owned()) }
}
