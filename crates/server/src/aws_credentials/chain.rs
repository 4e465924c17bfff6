//! The sources, in order.

use std::fmt;

use reqsign_aws_core::{
    AssumeRoleWithWebIdentityCredentialProvider, Credential, ECSCredentialProvider, EnvCredentialProvider,
    IMDSv2CredentialProvider,
};
use reqsign_core::{Context, Env, Error, ErrorKind, ProvideCredential};

use super::Tried;
use super::outside::{Files, Processes, Services};
use super::profile::{self, Profiles};
use crate::upstream::{Client, Origin};

/// Where AWS's tools look for credentials.
pub(super) struct Chain {
    context: Context,
    region: String,
    instance: IMDSv2CredentialProvider,
}

/// What a source gave.
pub(super) struct Found {
    pub(super) credential: Credential,
    pub(super) source: &'static str,
}

impl fmt::Debug for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Chain")
    }
}

impl Chain {
    pub(super) fn new(client: Client, region: &str, env: impl Env) -> Self {
        // As AWS's tools name it, for a stand-in of STS.
        let sts = env.var("AWS_ENDPOINT_URL_STS").and_then(|text| text.parse::<Origin>().ok());
        let context = Context::new()
            .with_file_read(Files)
            .with_http_send(Services { client, sts })
            .with_command_execute(Processes)
            .with_env(env);
        // Kept, because it has a session with the instance's metadata.
        Self { context, region: region.to_owned(), instance: IMDSv2CredentialProvider::new() }
    }

    /// The credentials of the first source that has some.
    ///
    /// # Errors
    /// What became of each source that was tried.
    pub(super) async fn find(&self) -> Result<Found, Vec<Tried>> {
        let mut tried = Vec::new();
        let context = &self.context;

        let environment = EnvCredentialProvider::new().provide_credential(context).await;
        let nothing = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not both set";
        if let Some(found) = judge("the environment", environment, nothing, &mut tried)? {
            return Ok(found);
        }

        let (profile, nothing) = match Profiles::read(context, &self.region).await {
            Ok(profiles) => (profiles.credential(profile::chosen(context).as_deref()).await, profiles.nothing()),
            Err(error) => (Err(error), String::new()),
        };
        if let Some(found) = judge("the profile", profile, &nothing, &mut tried)? {
            return Ok(found);
        }

        let identity = AssumeRoleWithWebIdentityCredentialProvider::new()
            .with_region(self.region.clone())
            .with_regional_sts_endpoint()
            .provide_credential(context)
            .await;
        let nothing = "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not both set";
        if let Some(found) = judge("web identity", identity, nothing, &mut tried)? {
            return Ok(found);
        }

        let container = ECSCredentialProvider::new().provide_credential(context).await;
        let nothing = "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor …_FULL_URI is set";
        if let Some(found) = judge("the container's role", container, nothing, &mut tried)? {
            return Ok(found);
        }

        let instance = self.instance.provide_credential(context).await;
        match judge("the instance's role", instance, "AWS_EC2_METADATA_DISABLED is set", &mut tried)? {
            Some(found) => Ok(found),
            None => Err(tried),
        }
    }
}

/// Sorts what a source answered: credentials, nothing, or the end of the search.
fn judge(
    source: &'static str,
    answer: reqsign_core::Result<Option<Credential>>,
    nothing: &str,
    tried: &mut Vec<Tried>,
) -> Result<Option<Found>, Vec<Tried>> {
    let why = match answer {
        Ok(Some(credential)) => return Ok(Some(Found { credential, source })),
        Ok(None) => {
            tried.push(Tried { source, why: nothing.to_owned() });
            return Ok(None);
        }
        Err(error) => in_words(&error),
    };
    tried.push(Tried { source, why });
    Err(std::mem::take(tried))
}

/// The message and those beneath it, none of which has more of a secret than its name.
fn in_words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(beneath) = source {
        // Parsers quote what they could not read.
        if beneath.is::<serde_json::Error>() {
            break;
        }
        let beneath_text = beneath.to_string();
        if !text.contains(&beneath_text) {
            text.push_str(": ");
            text.push_str(&beneath_text);
        }
        source = beneath.source();
    }
    if error.kind() == ErrorKind::PermissionDenied { format!("not allowed: {text}") } else { text }
}
