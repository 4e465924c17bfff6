//! Peers that send slowly or nothing, and more of them than there is room for.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::case::{Case, MIB};
use crate::wire::{Request, exchange, until};

/// A connection of the attack and what it sends again and again.
struct Attacker {
    stream: TcpStream,
    drip: &'static [u8],
}

/// Begins so many of each: heads that never end, nothing at all, bodies of a byte at a time.
fn attack(case: &Case, loris: usize, silent: usize, bodies: usize) -> Vec<Attacker> {
    let upload = case.initiate("demo");
    case.settle();
    let part = case.part("demo", &upload, 0, &vec![7; MIB]).request().bytes(&case.host);
    let open = |begins: &[u8], drip: &'static [u8]| {
        case.count();
        let mut stream = TcpStream::connect(&case.host).unwrap();
        stream.write_all(begins).unwrap();
        stream.set_nonblocking(true).unwrap();
        Attacker { stream, drip }
    };
    let head = format!("GET /healthz HTTP/1.1\r\nHost: {}\r\n", case.host);
    let mut attackers = Vec::new();
    attackers.extend((0..loris).map(|_| open(head.as_bytes(), b"X: y\r\n")));
    attackers.extend((0..silent).map(|_| open(b"", b"")));
    attackers.extend((0..bodies).map(|_| open(&part[..part.len() - MIB], b"x")));
    attackers
}

/// Goes on with the attack until the server has closed every connection.
fn until_all_closed(mut attackers: Vec<Attacker>) {
    let begun = Instant::now();
    while !attackers.is_empty() {
        // Much longer than the deadlines, which `accept` measures on a clock of its own: this machine may be busy.
        assert!(begun.elapsed() < Duration::from_secs(120), "{} are still open", attackers.len());
        std::thread::sleep(Duration::from_millis(500));
        attackers.retain_mut(|attacker| {
            let mut bytes = [0; 4096];
            loop {
                match attacker.stream.read(&mut bytes) {
                    Ok(0) => return false,
                    Ok(_) => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => return false,
                }
            }
            attacker.stream.write(attacker.drip).is_ok_and(|n| n > 0 || attacker.drip.is_empty())
        });
    }
}

fn open_files(case: &Case) -> usize {
    std::fs::read_dir(format!("/proc/{}/fd", case.pid())).unwrap().count()
}

#[test]
fn a25_nobody_holds_a_connection_by_being_slow() {
    let case = Case::new("A25");
    let files = open_files(&case);
    let attackers = attack(&case, 200, 50, 50);
    // Others are served meanwhile.
    for _ in 0..20 {
        assert_eq!(case.send(&case.store("GET", "/-/vaults/films").request()).status, 200);
    }
    until_all_closed(attackers);
    // The last ones are given up by the server a moment after it has closed its side.
    until("files stay open or behind", || open_files(&case) <= files + 5 && case.is_as_before());
    // Who asks for much and reads nothing is given up, too: by the deadline of writing, in `accept`'s own tests.
    case.end();
}

#[test]
fn a63_more_connections_than_files_wait_and_do_no_harm() {
    let case = Case::with_open_files("A63", 256);
    // At once, and some of them in vain: the system's queue is finite as well.
    let address = case.host.parse().unwrap();
    let connect = || TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok();
    let connections: Vec<TcpStream> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..1000).map(|_| scope.spawn(connect)).collect();
        threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(connections.len() > 256);
    case.add(1000);
    let busy = || {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", case.pid())).unwrap();
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        // User and system time in hundredths of a second: fields 14 and 15, of which two stand before the bracket.
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    };
    let (before, begun) = (busy(), Instant::now());
    std::thread::sleep(Duration::from_secs(1));
    // Of that time, however long it was: a server that spins has all of a processor that it can get.
    let (busy_ms, all_ms) = (10 * u128::from(busy() - before), begun.elapsed().as_millis());
    assert!(busy_ms < all_ms / 2, "the server spins: {busy_ms} ms of {all_ms}");
    drop(connections);
    assert_eq!(exchange(&case.host, &Request::get("/healthz").bytes(&case.host))[0].status, 200);
    assert!(open_files(&case) < 256);
    case.end();
}
