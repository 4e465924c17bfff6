//! Parts through the relay and through nginx to the same sink: throughput in turns, and memory.
//!
//! Prints a table and, last, one line of JSON. Everything is on this machine and in the clear, so that nothing but the two
//! in the middle differs. `cargo bench -p glacier-upload-server --bench relay -- [memory]`; `PARTS`, `MIB` and `ROUNDS` of
//! the environment make it another measurement, and `BEFORE`, the path of another gateway's program, takes a third into
//! the turns: what a change has done is a few per cent, which two measurements one after the other do not show.
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it cannot go on")]

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use glacier_core::PayloadHash;
use glacier_core::sigv4::{self, CanonicalRequest, PathForm, Timestamp};
use glacier_upload_server::relay::own_signature;
use glacier_upload_server::token::TokenKey;

const GATEWAY: &str = env!("CARGO_BIN_EXE_glacier-upload-server");
const TOKEN_KEY: &str = "738f4edbe131b651ebdd959d9260b40bc84b8f7a7503265d87a6d1369e6b6adb";
const MIB: u64 = 1 << 20;
const UPLOAD_PATH: &str = "/v1/relay/123456789012/vaults/demo/multipart-uploads/upload";

fn main() {
    // Cargo says --bench.
    let wants_memory = std::env::args().skip(1).any(|argument| argument == "memory");
    let number = |name: &str, usual: u64| std::env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (parts, mib, rounds) = (number("PARTS", 16), number("MIB", 256), number("ROUNDS", 21));
    let folder = tempfile::tempdir().unwrap();
    let sink = sink();
    if wants_memory {
        memory(folder.path(), sink);
        return;
    }
    let relay = Relay::start(GATEWAY, folder.path(), sink);
    let nginx = Nginx::start(folder.path(), sink);
    let before = std::env::var("BEFORE").ok().map(|program| Relay::start(&program, folder.path(), sink));
    println!("{parts} parts of {mib} MiB at once, in turns: MiB/s, and MiB for each second of processor time");
    let mut rows = Vec::new();
    for round in 0..=rounds {
        let send = |to: &dyn Middle| to.measure(parts, mib * MIB);
        let mut turns: Vec<(&str, &dyn Middle)> = vec![("relay", &relay), ("nginx", &nginx)];
        turns.extend(before.as_ref().map(|before| ("before", before as &dyn Middle)));
        // What is warm or busy after one is so for another one in the next round.
        if round % 2 == 1 {
            turns.reverse();
        }
        let samples: BTreeMap<&str, Sample> = turns.into_iter().map(|(name, middle)| (name, send(middle))).collect();
        // The first fills pools and caches.
        if round > 0 {
            print!("round {round:2}:");
            for (name, sample) in &samples {
                print!(" {name} {:5.0} ({:5.0})  ", sample.rate, sample.efficiency);
            }
            println!("{:.2}", samples["relay"].rate / samples["nginx"].rate);
            rows.push(samples);
        }
    }
    let rates = |name| rows.iter().map(move |row: &BTreeMap<&str, Sample>| row[name].rate);
    let ratios = |to| Quartiles::of(rates("relay").zip(rates(to)).map(|(relay, other)| relay / other));
    let efficiencies = |to| Quartiles::of(rows.iter().map(move |row| row["relay"].efficiency / row[to].efficiency));
    let (relay_rss, nginx_rss) = (peak_mib(&relay.pids()), peak_mib(&nginx.pids()));
    let (ratio, efficiency) = (ratios("nginx"), efficiencies("nginx"));
    println!("median ratio to nginx {ratio}; by processor time {efficiency}");
    if before.is_some() {
        println!("median ratio to the one before {}; by processor time {}", ratios("before"), efficiencies("before"));
    }
    println!("peak of resident memory: relay {relay_rss:.1} MiB, nginx {nginx_rss:.1} MiB");
    println!(
        "{{\"bench\":\"relay\",\"relay_vs_nginx\":{:.3},\"by_processor_time\":{:.3},\"relay_mib_s\":{:.0},\
         \"relay_rss_mib\":{relay_rss:.1},\"nginx_rss_mib\":{nginx_rss:.1}}}",
        ratio.median,
        efficiency.median,
        Quartiles::of(rates("relay")).median
    );
}

/// What many and large parts at once take, each in a process of its own.
fn memory(folder: &Path, sink: SocketAddr) {
    println!("peak of resident memory while all parts are sent at once");
    let mut peaks = Vec::new();
    for (parts, mib) in [(64, 32), (64, 1024), (256, 64)] {
        let relay = Relay::start(GATEWAY, folder, sink);
        let sample = relay.measure(parts, mib * MIB);
        let peak = peak_mib(&relay.pids());
        println!("{parts:4} parts of {mib:4} MiB: {peak:5.1} MiB, at {:.0} MiB/s", sample.rate);
        peaks.push(peak);
    }
    println!(
        "{{\"bench\":\"relay-memory\",\"parts_64_of_32_mib\":{:.1},\"parts_64_of_1_gib\":{:.1},\"connections_256\":{:.1}}}",
        peaks[0], peaks[1], peaks[2]
    );
}

struct Sample {
    /// MiB a second.
    rate: f64,
    /// MiB for each second that the process in the middle ran.
    efficiency: f64,
}

/// What half of the values are below, and what three quarters and one quarter of them are above.
struct Quartiles {
    median: f64,
    low: f64,
    high: f64,
}

impl Quartiles {
    fn of(values: impl Iterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.collect();
        values.sort_by(f64::total_cmp);
        let at = |quarters: usize| values[(values.len() - 1) * quarters / 4];
        Self { median: at(2), low: at(1), high: at(3) }
    }
}

impl fmt::Display for Quartiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2} in the middle half of the rounds)", self.median, self.low, self.high)
    }
}

/// Takes every body and says so.
fn sink() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || {
                let _ = take_bodies(&stream);
            });
        }
    });
    address
}

fn take_bodies(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut nowhere = OpenOptions::new().write(true).open("/dev/null")?;
    let mut head = Vec::new();
    loop {
        head.clear();
        // Byte by byte, so that what is left is the body, which the kernel can move by itself.
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if (&*stream).read(&mut byte)? == 0 {
                return Ok(());
            }
            head.push(byte[0]);
        }
        let text = String::from_utf8_lossy(&head).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: u64 = length.and_then(|length| length.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        if io::copy(&mut stream.take(length), &mut nowhere)? != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        (&*stream).write_all(b"HTTP/1.1 204 No Content\r\nx-amzn-requestid: sink\r\n\r\n")?;
    }
}

/// Sends `parts` bodies of `length` bytes at once and gives the rate of all together.
fn send(to: SocketAddr, head: &str, parts: u64, length: u64) -> f64 {
    let file = source(length);
    let begun = Instant::now();
    thread::scope(|scope| {
        for _ in 0..parts {
            scope.spawn(|| {
                let stream = TcpStream::connect(to).unwrap();
                stream.set_nodelay(true).unwrap();
                (&stream).write_all(head.as_bytes()).unwrap();
                let mut file = File::open(file.path()).unwrap().take(length);
                let sent = io::copy(&mut file, &mut &stream).unwrap();
                assert_eq!(sent, length);
                let mut status = [0; 12];
                (&stream).read_exact(&mut status).unwrap();
                assert_eq!(&status, b"HTTP/1.1 204");
            });
        }
    });
    let seconds = begun.elapsed().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mib = (parts * length / MIB) as f64;
    mib / seconds
}

/// A sparse file: the sender must not be what is measured.
fn source(length: u64) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(length).unwrap();
    file
}

fn head(host: SocketAddr, headers: &[(&str, String)], length: u64) -> String {
    let mut head = format!("PUT {UPLOAD_PATH} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    head + &format!("content-length: {length}\r\n\r\n")
}

/// The headers of a part as `POST /v1/sign` answers them.
fn signed_headers(host: SocketAddr, length: u64) -> Vec<(&'static str, String)> {
    let (credentials, scope) = own_signature(&TokenKey::from_text(TOKEN_KEY).unwrap(), "us-east-1");
    let now = Timestamp::from_unix(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
    let hash = PayloadHash::of(b"").to_string();
    let mut headers = vec![
        ("content-range", format!("bytes 0-{}/*", length - 1)),
        ("x-amz-content-sha256", hash.clone()),
        ("x-amz-date", now.to_string()),
        ("x-amz-glacier-version", "2012-06-01".to_owned()),
        ("x-amz-sha256-tree-hash", hash.clone()),
    ];
    let host = host.to_string();
    let mut signed: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    signed.push(("host", &host));
    let canonical = CanonicalRequest {
        method: "PUT",
        path: UPLOAD_PATH,
        path_form: PathForm::Normalized,
        query: "",
        headers: &signed,
        payload_hash: &hash,
    };
    let authorization = sigv4::sign(&canonical, &credentials, &scope, now);
    headers.push(("authorization", authorization));
    headers
}

/// A process between the sender and the sink.
trait Middle {
    fn measure(&self, parts: u64, length: u64) -> Sample {
        let head = head(self.address(), &signed_headers(self.address(), length), length);
        sample(&self.pids(), parts * length, || send(self.address(), &head, parts, length))
    }

    fn address(&self) -> SocketAddr;

    /// It and its workers.
    fn pids(&self) -> Vec<u32>;
}

struct Relay {
    child: Child,
    address: SocketAddr,
}

impl Relay {
    fn start(program: &str, folder: &Path, sink: SocketAddr) -> Self {
        std::fs::write(folder.join("index.html"), "").unwrap();
        let mut child = Command::new(program)
            .args(["--listen", "127.0.0.1:0", "--vault", "demo", "--glacier"])
            .arg(format!("http://{sink}"))
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--page")
            .arg(folder)
            .env("GLACIER_UPLOAD_TOKEN_KEY", TOKEN_KEY)
            .env("AWS_ACCESS_KEY_ID", "AKIAOFTHEBENCHMARK00")
            .env("AWS_SECRET_ACCESS_KEY", "of the benchmark")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
        Self { child, address }
    }
}

impl Middle for Relay {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn pids(&self) -> Vec<u32> {
        vec![self.child.id()]
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Nginx {
    master: Child,
    address: SocketAddr,
}

impl Nginx {
    fn start(folder: &Path, sink: SocketAddr) -> Self {
        // Free until nginx takes it.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        // A buffer as large as those that the relay comes to read into: hyper's grow by 8, 16, 32 and 64 KiB, and then are
        // used whole. With the 64 KiB that it is told nginx would go to the system almost twice as often for each MiB.
        let config = format!(
            "daemon off; pid {0}/nginx.pid; error_log {0}/nginx.log; worker_processes auto;\n\
             events {{ worker_connections 2048; }}\n\
             http {{\n access_log off; client_max_body_size 0; client_body_buffer_size 120k; client_body_temp_path {0}/body; proxy_temp_path {0}/proxy;\n\
             fastcgi_temp_path {0}/f; uwsgi_temp_path {0}/u; scgi_temp_path {0}/s;\n\
             upstream store {{ server {sink}; keepalive 64; }}\n\
             server {{ listen {address};\n location / {{ proxy_pass http://store; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; proxy_request_buffering off; }} }}\n}}\n",
            folder.display()
        );
        let path = folder.join("nginx.conf");
        std::fs::write(&path, config).unwrap();
        let master = Command::new("/usr/sbin/nginx").arg("-c").arg(&path).spawn().unwrap();
        while TcpStream::connect(address).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
        Self { master, address }
    }
}

impl Middle for Nginx {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn pids(&self) -> Vec<u32> {
        let master = self.master.id();
        let children = std::fs::read_to_string(format!("/proc/{master}/task/{master}/children")).unwrap();
        let mut pids = vec![master];
        pids.extend(children.split_whitespace().map(|pid| pid.parse::<u32>().unwrap()));
        pids
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its workers end with it when it is asked, and not when it is killed.
        let _ = Command::new("kill").args(["-TERM", &self.master.id().to_string()]).status();
        let _ = self.master.wait();
    }
}

fn sample(pids: &[u32], bytes: u64, run: impl FnOnce() -> f64) -> Sample {
    let before = processor_seconds(pids);
    let rate = run();
    let seconds = processor_seconds(pids) - before;
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let mib = (bytes / MIB) as f64;
    Sample { rate, efficiency: mib / seconds }
}

/// User and system time of processes, which the kernel counts in hundredths of a second.
fn processor_seconds(pids: &[u32]) -> f64 {
    let ticks = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
        fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()
    };
    pids.iter().map(ticks).sum::<f64>() / 100.0
}

/// Most that processes had in memory at once, pages of shared libraries counted in each.
fn peak_mib(pids: &[u32]) -> f64 {
    let peak = |pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().strip_suffix(" kB").unwrap().parse::<f64>().unwrap() / 1024.0
    };
    pids.iter().map(peak).sum()
}
