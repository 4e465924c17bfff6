//! `glacier-upload-server check`: looks at what the gateway needs from others, and says what to fix.
//!
//! It is given the same configuration as the server and changes nothing that lasts: in each bucket it opens an upload,
//! sends a byte or two, and aborts it.

use std::fmt::Write as _;

use serde::Serialize;

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
