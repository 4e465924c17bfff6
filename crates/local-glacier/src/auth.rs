//! Who may ask: Signature Version 4 on every request, before anything else is believed.

use glacier_core::PayloadHash;
use glacier_core::glacier::header;
use glacier_core::sigv4::{Credentials, GLACIER, ReceivedRequest, Scope, SignatureError, Timestamp, verify};

use crate::error::{self, Refusal};
use crate::head::Head;
use crate::route::Account;

/// Whose signatures count, and for what.
#[derive(Clone, Debug)]
pub(crate) struct Authority {
    credentials: Vec<Credentials>,
    scope: Scope,
    account_id: String,
}

impl Authority {
    pub(crate) fn new(credentials: Vec<Credentials>, region: String, account_id: String) -> Self {
        Self { credentials, scope: Scope { region, service: GLACIER }, account_id }
    }

    /// Checks the signature over `head` and a body with that payload hash.
    pub(crate) fn check_signature(
        &self,
        head: &Head<'_>,
        payload_hash: PayloadHash,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let payload_hash = payload_hash.to_string();
        let request = ReceivedRequest {
            method: head.method,
            path: head.path,
            query: head.query,
            headers: &head.headers,
            payload_hash: &payload_hash,
        };
        verify(&request, &self.credentials, &self.scope, now).map(drop).map_err(|error| error::signature(&error))
    }

    /// Checks that a path speaks of the account that the credentials belong to.
    pub(crate) fn check_account(&self, account: &Account) -> Result<(), Refusal> {
        match account {
            Account::Own => Ok(()),
            Account::Number(number) if *number == self.account_id => Ok(()),
            Account::Number(_) => Err(error::foreign_account()),
        }
    }

    /// Twelve digits.
    pub(crate) fn account_id(&self) -> &str {
        &self.account_id
    }

    pub(crate) fn vault_arn(&self, vault: &str) -> String {
        format!("arn:aws:glacier:{}:{}:vaults/{vault}", self.scope.region, self.account_id)
    }
}

/// Refuses a request that does not even try to sign, before its body is read.
pub(crate) fn expect_signed(head: &Head<'_>) -> Result<(), Refusal> {
    match head.headers.iter().any(|(name, _)| *name == "authorization") {
        true => Ok(()),
        false => Err(error::signature(&SignatureError::Missing)),
    }
}

/// The payload hash that was signed, if the client sent it. `UNSIGNED-PAYLOAD` and its kin are no hashes: whoever holds
/// a signature with one of those could send any bytes.
pub(crate) fn signed_payload_hash(head: &Head<'_>) -> Result<Option<PayloadHash>, Refusal> {
    let Some(text) = head.header(header::CONTENT_SHA256)? else { return Ok(None) };
    PayloadHash::from_hex(text).map(Some).map_err(|_| error::invalid_content_sha256(text))
}

/// Every request names the version of the API.
pub(crate) fn check_api_version(head: &Head<'_>) -> Result<(), Refusal> {
    match head.header(header::VERSION)? {
        None => Err(error::missing("API version")),
        Some(glacier_core::glacier::API_VERSION) => Ok(()),
        Some(other) => Err(error::wrong_api_version(other)),
    }
}
