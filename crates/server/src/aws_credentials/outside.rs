//! What the sources of credentials may do to the world: read files, call services, run the process of a profile.

use std::net::IpAddr;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response};
use reqsign_core::{CommandExecute, CommandOutput, Error, FileRead, HttpSend, Result};
use tokio::process::Command;

use crate::upstream::{Client, Origin};

/// For a service over the network.
const PATIENCE: Duration = Duration::from_secs(10);
/// For one on this machine's link, which is there at once or not at all.
const NEAR_PATIENCE: Duration = Duration::from_secs(2);
/// For the process of a profile.
const PROCESS_PATIENCE: Duration = Duration::from_secs(60);
/// Longest answer that is read.
const MAX_LEN: usize = 64 << 10;

#[derive(Debug)]
pub(super) struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        Ok(tokio::fs::read(path).await?)
    }
}

/// Calls services by the gateway's client.
#[derive(Debug)]
pub(super) struct Services {
    pub(super) client: Client,
    /// Where to find STS instead of at AWS.
    pub(super) sts: Option<Origin>,
}

impl HttpSend for Services {
    async fn http_send(&self, request: Request<Bytes>) -> Result<Response<Bytes>> {
        let (mut parts, body) = request.into_parts();
        let (Some(scheme), Some(authority)) = (parts.uri.scheme_str(), parts.uri.authority()) else {
            return Err(Error::request_invalid("the address of a service has no host"));
        };
        let origin = match &self.sts {
            Some(sts) if authority.host().starts_with("sts.") => sts.clone(),
            _ => Origin::in_the_clear(&format!("{scheme}://{authority}"), is_of_aws).map_err(|_| {
                Error::config_invalid(
                    "credentials come over https, or over http from this machine or an address of its container or instance",
                )
            })?,
        };
        let patience = if origin.is_secret() { PATIENCE } else { NEAR_PATIENCE };
        let path = parts.uri.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        parts.uri = path.into();
        let answer = self.client.fetch(&origin, Request::from_parts(parts, body), MAX_LEN, patience).await;
        answer.map_err(|error| Error::unexpected(format!("{}: {error}", origin.authority())))
    }
}

/// The addresses that AWS gives its containers and instances, where HTTP is in the clear.
fn is_of_aws(address: IpAddr) -> bool {
    const LINK: [&str; 5] = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"];
    LINK.iter().any(|known| known.parse() == Ok(address))
}

#[derive(Debug)]
pub(super) struct Processes;

impl CommandExecute for Processes {
    /// By the shell, as AWS's tools do, because a path may be quoted.
    async fn command_execute(&self, program: &str, arguments: &[&str]) -> Result<CommandOutput> {
        let mut line = program.to_owned();
        for argument in arguments {
            line.push(' ');
            line.push_str(argument);
        }
        let mut command = Command::new("/bin/sh");
        // What it has to say of a failure goes where the gateway's log goes, unread.
        command.arg("-c").arg(line).stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let output = tokio::time::timeout(PROCESS_PATIENCE, command.spawn()?.wait_with_output())
            .await
            .map_err(|_| Error::unexpected("the credential process did not end in time"))??;
        Ok(CommandOutput { status: output.status.code().unwrap_or(-1), stdout: output.stdout, stderr: Vec::new() })
    }
}
