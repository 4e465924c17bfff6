//! Abuse: what an attacker sends, and that each gets one exact answer and changes nothing.
//!
//! `cases.txt` is the table of all 66 cases, with the test that shows each and how many payloads it sends. Every case here
//! has a server of its own, the program itself with logs at their most talkative. Whatever was sent, the store is
//! afterwards byte for byte what it was, the server lives, no answer had a status of 500 or more, and no key, token or
//! planted word stands in the log.
#![expect(clippy::expect_used, clippy::unwrap_used, reason = "tests")]

mod browsers;
mod case;
mod coverage;
mod framing;
mod full;
mod harvest;
mod http2;
mod intents;
mod jobs;
mod limits;
mod names;
mod parts;
mod proxied;
mod races;
mod signatures;
mod signer;
mod slow;
mod spoiled;
mod start;
mod tls;
mod tokens;
mod wire;
