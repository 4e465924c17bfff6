//! `glacier-upload-server check`: looks at what the gateway needs from others, and says what to fix.
//!
//! It is given the same configuration as the server and changes nothing that lasts: in each bucket and in each vault
//! elsewhere it opens an upload and aborts it; into those of buckets it sends a byte or two.

use std::fmt::Write as _;

use glacier_core::date;
use glacier_core::sigv4::Timestamp;
use serde::Serialize;

use crate::aws_credentials::NoCredentials;

/// A clock that is wrong by more than this, in seconds, is worth a word.
const SKEW_S: u64 = 60;

/// A clock that is wrong by more than this makes signatures that are expired, or not yet good, when they are made: the
/// five minutes that they live, less what is slow on the way.
const MAX_SKEW_S: u64 = 240;

/// How something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// As it should be.
    Ok,
    /// Uploads work, but not as well as they could, or it could not be seen.
    Warning,
    /// Uploads do not work, or cost more than they must.
    Problem,
}

/// Something that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How it is.
    pub state: State,
    /// What: `credentials`, `photos: CORS`.
    pub subject: String,
    /// How it is, for people.
    pub words: String,
    /// What to do, where something is to be done. May hold lines to paste.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// Nothing is to be done.
    pub fn ok(subject: impl Into<String>, words: impl Into<String>) -> Self {
        Self { state: State::Ok, subject: subject.into(), words: words.into(), fix: None }
    }

    /// Something may be done.
    pub fn warning(subject: impl Into<String>, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Warning, subject: subject.into(), words: words.into(), fix: Some(fix.into()) }
    }

    /// Something must be done.
    pub fn problem(subject: impl Into<String>, words: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { state: State::Problem, subject: subject.into(), words: words.into(), fix: Some(fix.into()) }
    }
}

/// How far the clock, which says `now`, is from a store's whose answer had this `date`, if that is one.
pub fn clock(now: Timestamp, date: &str) -> Option<Finding> {
    let theirs = u64::try_from(date::unix_ms_of_header(date)?).ok()? / 1000;
    let skew = now.as_unix().abs_diff(theirs);
    let words = format!("this machine's clock is {skew} s from the store's");
    let fix = "Set the clock, and have it kept right (chrony, systemd-timesyncd).";
    Some(if skew <= SKEW_S {
        Finding::ok("clock", words)
    } else if skew <= MAX_SKEW_S {
        Finding::warning("clock", words, fix)
    } else {
        Finding::problem("clock", words, fix)
    })
}

/// There is nothing to sign with.
pub fn no_credentials(error: &NoCredentials) -> Finding {
    let fix = "Give the gateway credentials as for any tool of AWS: in the environment, by a profile, or by a role.";
    Finding::problem("credentials", error.to_string(), fix)
}

/// Whether nothing must be done.
pub fn is_fit(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.state != State::Problem)
}

/// The findings for people, a line each, and what to do beneath.
pub fn in_words(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let mark = match finding.state {
            State::Ok => "ok      ",
            State::Warning => "warning ",
            State::Problem => "PROBLEM ",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{mark} {}: {}", finding.subject, finding.words);
        for line in finding.fix.iter().flat_map(|fix| fix.lines()) {
            let _ = writeln!(text, "          {line}");
        }
    }
    let n_problems = findings.iter().filter(|finding| finding.state == State::Problem).count();
    let _ = match n_problems {
        0 => writeln!(text, "fit to serve"),
        1 => writeln!(text, "1 problem"),
        n => writeln!(text, "{n} problems"),
    };
    text
}

/// The findings for programs: `{"fit", "findings": [{"state", "subject", "words", "fix"?}]}`.
pub fn in_json(findings: &[Finding]) -> String {
    serde_json::json!({ "fit": is_fit(findings), "findings": findings }).to_string()
}

/// Origins whose pages will call: those allowed, and the gateway's own page by each of its names.
pub fn origins(allowed: &[String], public_hosts: &[String], listen: std::net::SocketAddr) -> Vec<String> {
    let mut origins = allowed.to_vec();
    origins.extend(public_hosts.iter().map(|host| format!("https://{}", host.to_ascii_lowercase())));
    if public_hosts.is_empty() && listen.port() != 0 {
        origins.push(format!("http://localhost:{}", listen.port()));
        origins.push(format!("http://{listen}"));
    }
    origins
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_stands_beneath_what_is_wrong() {
        let findings = [
            Finding::ok("credentials", "accepted"),
            Finding::warning("photos: tags", "none", "use metadata"),
            Finding::problem("photos: CORS", "not let in", "paste:\n[]"),
        ];
        assert_eq!(
            in_words(&findings),
            "ok       credentials: accepted\nwarning  photos: tags: none\n          use metadata\n\
             PROBLEM  photos: CORS: not let in\n          paste:\n          []\n1 problem\n"
        );
        assert!(!is_fit(&findings) && is_fit(&findings[..2]));
        let json: serde_json::Value = serde_json::from_str(&in_json(&findings)).unwrap_or_default();
        assert_eq!((&json["fit"], &json["findings"][2]["state"]), (&false.into(), &"problem".into()));
        assert!(json["findings"][0].get("fix").is_none());
    }

    #[test]
    fn a_clock_is_judged_by_how_long_signatures_live() {
        // Sun, 06 Nov 1994 08:49:37 GMT is 784111777: RFC 9110, 5.6.7.
        let state = |now| clock(Timestamp::from_unix(now), "Sun, 06 Nov 1994 08:49:37 GMT").map(|found| found.state);
        for (skew, expected) in [
            (0, State::Ok),
            (60, State::Ok),
            (61, State::Warning),
            (240, State::Warning),
            (241, State::Problem),
            (784_111_777, State::Problem),
        ] {
            assert_eq!(state(784_111_777 - skew), Some(expected), "{skew} s behind");
            assert_eq!(state(784_111_777 + skew), Some(expected), "{skew} s ahead");
        }
        assert_eq!(clock(Timestamp::from_unix(0), "yesterday"), None);
    }

    #[test]
    fn the_gateways_own_page_is_asked_for_by_the_names_it_has() {
        let listen = "127.0.0.1:8080".parse().unwrap_or_else(|_| unreachable!("an address"));
        let allowed = ["https://app.example".to_owned()];
        assert_eq!(
            origins(&allowed, &[], listen),
            ["https://app.example", "http://localhost:8080", "http://127.0.0.1:8080"]
        );
        assert_eq!(origins(&[], &["Upload.example:8443".to_owned()], listen), ["https://upload.example:8443"]);
    }
}
