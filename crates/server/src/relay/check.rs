//! What `check` looks at in a Glacier elsewhere and its vaults.

use std::time::Duration;

use bytes::Bytes;
use glacier_core::Intent;
use glacier_core::PartSize;
use glacier_core::glacier::{UploadId, VaultName, header as glacier_header};
use glacier_core::sigv4::{Credentials, Timestamp};
use http::{Request, Response, StatusCode, header};
use serde::Deserialize;

use super::Relay;
use crate::check::{self, Finding};
use crate::sign::{self, Page};
use crate::upstream::{Chained, UpstreamError};

/// For everything of one call.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest answer that is read. A vault's description has some hundred bytes.
const MAX_LEN: usize = 64 << 10;

/// What Glacier says of a vault.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Described {
    vault_name: String,
}

/// What Glacier says went wrong.
#[derive(Default, Deserialize)]
struct Said {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Answers to the questions about one vault.
struct Vault<'a> {
    relay: &'a Relay,
    account: &'a str,
    name: &'a VaultName,
    credentials: &'a Credentials,
    clock: fn() -> Timestamp,
}

impl Relay {
    /// Looks at credentials, clock and each of `vaults`, which are in `account`. In each it opens an upload and aborts it.
    pub async fn check(&self, account: &str, vaults: &[VaultName], clock: fn() -> Timestamp) -> Vec<Finding> {
        let credentials = match self.aws.get().await {
            Ok(credentials) => credentials,
            Err(error) => return vec![check::no_credentials(&error)],
        };
        if vaults.is_empty() {
            let fix = "Name with vault those that tokens are made for, and run check again.";
            return vec![Finding::warning("glacier", "no vault is named, so that none was looked at", fix)];
        }
        let mut findings = Vec::new();
        let mut is_clock_seen = false;
        for name in vaults {
            let vault = Vault { relay: self, account, name, credentials: &credentials, clock };
            let described = match vault.ask(&Intent::DescribeVault { vault: name.clone() }).await {
                Ok(answer) => answer,
                Err(error) => {
                    let words = format!("{} could not be reached: {}", self.origin, Chained(&error));
                    let fix = "Look at glacier, region, the network and, for a private authority, ca-file.";
                    findings.push(Finding::problem("glacier", words, fix));
                    break;
                }
            };
            if !is_clock_seen {
                let date = described.headers().get(header::DATE).and_then(|date| date.to_str().ok());
                findings.extend(date.and_then(|date| check::clock(clock(), date)));
                is_clock_seen = true;
            }
            if said(&described).code == "NoLongerSupportedException" {
                findings.push(closed(&credentials));
                break;
            }
            findings.extend(vault.findings(&described).await);
        }
        findings
    }
}

impl Vault<'_> {
    async fn findings(&self, described: &Response<Bytes>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if described.status() == StatusCode::OK {
            let is_it = |vault: Described| vault.vault_name == self.name.as_str();
            if !serde_json::from_slice(described.body()).is_ok_and(is_it) {
                let fix = "Look whether glacier is the address of a store that speaks Glacier's API.";
                return vec![Finding::problem(self.name.to_string(), "the store's answer makes no sense", fix)];
            }
            let words = "the vault is there and the credentials are good for it";
            findings.push(Finding::ok(self.name.to_string(), words));
        } else if said(described).code == "AccessDeniedException" {
            // Not needed for uploads.
            let fix = "Allow glacier:DescribeVault, if pages are to show what is in the vault.";
            findings.push(Finding::warning(self.name.to_string(), "the gateway may not look at the vault", fix));
        } else {
            return vec![self.refused(self.name.to_string(), described)];
        }
        findings.push(self.uploads().await);
        findings
    }

    /// Whether an upload can be opened and aborted.
    async fn uploads(&self) -> Finding {
        let subject = format!("{}: uploads", self.name);
        let not_done = |error: UpstreamError| {
            let fix = "Run check again; if it happens again, look at the network.";
            Finding::problem(subject.clone(), format!("the store did not answer: {}", Chained(&error)), fix)
        };
        let open = Intent::InitiateMultipartUpload {
            vault: self.name.clone(),
            part_size: PartSize::MIN,
            size: PartSize::MIN.bytes(),
            description: None,
        };
        let opened = match self.ask(&open).await {
            Ok(answer) => answer,
            Err(error) => return not_done(error),
        };
        let upload_id = opened.headers().get(glacier_header::MULTIPART_UPLOAD_ID);
        let upload_id = upload_id.and_then(|id| id.to_str().ok()).and_then(|id| UploadId::new(id).ok());
        let Some(upload_id) = upload_id.filter(|_| opened.status() == StatusCode::CREATED) else {
            return self.refused(subject, &opened);
        };
        match self.ask(&Intent::AbortMultipartUpload { vault: self.name.clone(), upload_id }).await {
            Ok(answer) if answer.status() == StatusCode::NO_CONTENT => {
                Finding::ok(subject, "one could be opened and aborted")
            }
            Ok(answer) => self.refused(subject, &answer),
            Err(error) => not_done(error),
        }
    }

    fn refused(&self, subject: String, answer: &Response<Bytes>) -> Finding {
        let Said { code, message } = said(answer);
        let fix = match code.as_str() {
            "ResourceNotFoundException" => "Make the vault, or correct vault, region and account-id.",
            "UnrecognizedClientException" | "ExpiredTokenException" | "MissingAuthenticationTokenException" => {
                "Give the gateway other credentials."
            }
            "InvalidSignatureException" => "Look at the secret access key, at region and at this machine's clock.",
            "AccessDeniedException" => {
                "Allow the gateway's user or role what docs/relay.md names, and look whether account-id is theirs."
            }
            _ => "Run check again; if it happens again, look at glacier, region and account-id.",
        };
        let code = if code.is_empty() { answer.status().as_u16().to_string() } else { code };
        let words = format!("the store refuses {}: {code} {message}", self.credentials.access_key_id);
        Finding::problem(subject, words.trim_end(), fix)
    }

    /// Asks what `intent` says, signed for the store.
    async fn ask(&self, intent: &Intent) -> Result<Response<Bytes>, UpstreamError> {
        let Relay { origin, client, scope, .. } = self.relay;
        let (host, now) = (origin.authority(), (self.clock)());
        let signed = sign::sign(intent, "", self.account, Page { host, subject: None }, self.credentials, scope, now);
        let signed = signed.ok_or(UpstreamError::Unsendable)?;
        let mut request = Request::builder().method(signed.method.as_str()).uri(signed.url);
        for (name, value) in signed.headers {
            request = request.header(name, value);
        }
        let body = signed.body.unwrap_or_default().into();
        let request = request.body(body).map_err(|_| UpstreamError::Unsendable)?;
        client.fetch(origin, request, MAX_LEN, PATIENCE).await
    }
}

fn said(answer: &Response<Bytes>) -> Said {
    serde_json::from_slice(answer.body()).unwrap_or_default()
}

/// **Source:** the notice on the pages of Amazon's developer guide, and the service's model of 15 December 2025.
fn closed(credentials: &Credentials) -> Finding {
    let words = format!(
        "Amazon lets the account of {} use no vaults (NoLongerSupportedException): since 15 December 2025 they are open \
         only to accounts that had some before",
        credentials.access_key_id
    );
    let fix = "Store into a bucket, in the class GLACIER or DEEP_ARCHIVE (bucket in place of glacier: docs/s3.md), or keep \
               vaults on this machine (without glacier). If the account has vaults, give the gateway its credentials.";
    Finding::problem("glacier", words, fix)
}
