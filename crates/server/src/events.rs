//! `GET /v1/events?vault=NAME`: pages are told when jobs are done, as server-sent events.
//!
//! Events are hints. One may be missed (while the stream is opened again, say) and one may come twice, so that a page
//! asks for a job once after its stream has opened, and now and then besides.
//!
//! **Source of the format:** HTML standard, 9.2, "Server-sent events".

mod hub;
mod stream;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use glacier_core::Intent;
use glacier_core::glacier::{JobId, VaultName};
use glacier_core::intent::RefusalCode;
use http::{HeaderName, HeaderValue, header};
use local_glacier::JobCompletion;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

pub use hub::{Events, MAX_STREAMS, MAX_STREAMS_PER_SUBJECT};
pub use stream::HEARTBEAT;

use crate::app::Gateway;
use crate::error::{Refused, RequestId};
use crate::policy;
use crate::sign::{Subject, authenticate};
use crate::token::Claims;

/// Where pages listen.
pub const PATH: &str = "/v1/events";

/// Most vaults of one stream.
pub const MAX_VAULTS: usize = 100;

/// Opens a stream for as long as the token is good.
pub async fn handle(State(gateway): State<Gateway>, id: axum::Extension<RequestId>, request: Request) -> Response {
    let claims = match authenticate(request.headers(), request.extensions(), &gateway).await {
        Ok(claims) => claims,
        Err(refused) => return refused.into_response(&id),
    };
    let subject = Subject(claims.sub.clone());
    let mut response = match open(&gateway, claims, request.uri().query()) {
        Ok(response) => response,
        Err(refused) => refused.into_response(&id),
    };
    response.extensions_mut().insert(subject);
    response
}

fn open(gateway: &Gateway, claims: Claims, query: Option<&str>) -> Result<Response, Refused> {
    let vaults = vaults(query.unwrap_or(""))?;
    for vault in &vaults {
        // An event says what DescribeJob answers, so it is for those who may ask.
        let intent = Intent::DescribeJob { vault: vault.clone(), job_id: any_job()? };
        policy::check(&claims, &intent).map_err(|(code, message)| Refused::new(code, message))?;
    }
    let end = claims.exp.saturating_add(crate::token::LEEWAY_S);
    let seat = gateway.events.listen(claims.sub, vaults)?;
    let mut response = Response::new(Body::new(stream::Stream::new(seat, gateway.clock, end)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, private"));
    // A proxy that collects an answer before it passes it on would keep events for ever.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

/// The vaults of `vault=a&vault=b`. No character of a vault's name is ever written in another way.
fn vaults(query: &str) -> Result<Vec<VaultName>, Refused> {
    const EXPECTED: Refused =
        Refused::new(RefusalCode::InvalidRequest, "expected one or more names of vaults: ?vault=NAME&vault=NAME");
    let read = |pair: &str| {
        let name = pair.strip_prefix("vault=").ok_or(EXPECTED)?;
        VaultName::new(name).map_err(|_| EXPECTED)
    };
    let mut vaults: Vec<VaultName> = query.split('&').take(MAX_VAULTS + 1).map(read).collect::<Result<_, _>>()?;
    if vaults.len() > MAX_VAULTS {
        return Err(Refused::new(RefusalCode::InvalidRequest, "too many vaults; open several streams"));
    }
    vaults.sort();
    vaults.dedup();
    Ok(vaults)
}

fn any_job() -> Result<JobId, Refused> {
    JobId::new("any").map_err(|_| Refused::new(RefusalCode::Internal, "no intent could be made"))
}

/// Passes on what the embedded store tells of, until the store is gone.
pub async fn forward(mut completions: broadcast::Receiver<Arc<JobCompletion>>, events: Events) {
    loop {
        match completions.recv().await {
            Ok(completion) => {
                if let Ok(vault) = VaultName::new(&completion.vault) {
                    events.publish(&vault, &completion.description);
                }
            }
            Err(RecvError::Lagged(missed)) => {
                tracing::warn!(missed, "completed jobs were missed; all streams of events end, and pages ask again");
                events.end_all();
            }
            Err(RecvError::Closed) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_query_is_names_of_vaults_and_nothing_else() {
        let names = |query: &str| vaults(query).map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
        assert_eq!(names("vault=a").unwrap(), ["a"]);
        assert_eq!(names("vault=b&vault=a.b_c-D&vault=b").unwrap(), ["a.b_c-D", "b"]);
        let most = vec!["vault=a"; MAX_VAULTS].join("&");
        assert_eq!(names(&most).unwrap(), ["a"]);
        let too_many = format!("{most}&vault=a");
        for bad in ["", "vault", "vault=", "Vault=a", "vault=a&", "vault=a&x=1", "vault=%61", "vault=a/b", &too_many] {
            assert_eq!(vaults(bad).unwrap_err().code, RefusalCode::InvalidRequest, "{bad}");
        }
    }
}
