//! The signing end: the gateway's `POST /sign`, or the page's own function.

use glacier_core::glacier::{Method, Response, VaultName};
use glacier_core::json::Json;
use glacier_core::upload::SignFailure;
use glacier_core::{Intent, SignedRequest, intent};
use js_sys::{Function, Object, Promise};
use wasm_bindgen::prelude::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::fetch::{self, Canceller, NoAnswer};
use crate::json;

/// Who signs.
pub(crate) enum Gateway {
    /// `POST {url}` with the headers the page gives afresh each time.
    Endpoint { url: String, get_headers: Option<Function> },
    /// `sign(intents) => Promise<SignedRequest[]>`. Relative URLs start from the page's.
    Function { sign: Function, base: String },
}

/// Why nothing was signed.
pub(crate) enum NotSigned {
    /// The gateway answered something else.
    Refused(Response),
    /// No answer; the value is what the page's function threw.
    Failed(SignFailure, JsValue),
    /// Stopped by the canceller.
    Cancelled,
}

impl Gateway {
    /// Whether there is a gateway to ask for more than signatures.
    pub(crate) const fn has_endpoint(&self) -> bool {
        matches!(self, Self::Endpoint { .. })
    }

    /// Where it is.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Endpoint { url, .. } => Some(url),
            Self::Function { .. } => None,
        }
    }

    /// The request that opens the stream of events of these vaults.
    pub(crate) async fn events_request(&self, vaults: &[VaultName]) -> Result<SignedRequest, NotSigned> {
        let Self::Endpoint { url, get_headers } = self else { return Err(NotSigned::Cancelled) };
        // Names of vaults need no escaping.
        let query: Vec<String> = vaults.iter().map(|vault| ["vault=", vault.as_str()].concat()).collect();
        let failed = || NotSigned::Failed(SignFailure::Network, JsValue::UNDEFINED);
        let url = fetch::resolve(&["events?", &query.join("&")].concat(), url).ok_or_else(failed)?;
        request(Method::Get, &url, get_headers.as_ref()).await
    }

    /// Has the intents signed, in order, all or none. The URLs returned are absolute.
    pub(crate) async fn sign(
        &self,
        intents: &[Intent],
        canceller: &Canceller,
    ) -> Result<Vec<SignedRequest>, NotSigned> {
        let (requests, base) = match self {
            Self::Endpoint { url, get_headers } => {
                let request = request(Method::Post, url, get_headers.as_ref()).await?;
                let body = json::stringify(&intent::sign_body(intents));
                let answer = fetch::send(&request, Some(&body), canceller).await.map_err(|why| match why {
                    NoAnswer::Cancelled => NotSigned::Cancelled,
                    NoAnswer::Network => NotSigned::Failed(SignFailure::Network, JsValue::UNDEFINED),
                })?;
                (intent::read_signed(&answer, intents.len()).ok_or(NotSigned::Refused(answer))?, url)
            }
            Self::Function { sign, base } => {
                let list = Json::List(intents.iter().map(Intent::to_json).collect());
                let signed = settle(sign.call1(&JsValue::UNDEFINED, &json::to_js(&list)))
                    .await
                    .map_err(|thrown| NotSigned::Failed(SignFailure::Callback, thrown))?;
                let requests = intent::read_requests(&json::from_js(&signed), intents.len())
                    .ok_or_else(|| NotSigned::Failed(SignFailure::Callback, JsValue::UNDEFINED))?;
                (requests, base)
            }
        };
        requests
            .into_iter()
            .map(|request| Some(SignedRequest { url: fetch::resolve(&request.url, base)?, ..request }))
            .collect::<Option<_>>()
            .ok_or(NotSigned::Failed(SignFailure::Callback, JsValue::UNDEFINED))
    }
}

/// A request to the gateway, with the headers that the page gives afresh.
async fn request(method: Method, url: &str, get_headers: Option<&Function>) -> Result<SignedRequest, NotSigned> {
    let mut headers = Vec::new();
    if method == Method::Post {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    if let Some(get_headers) = get_headers {
        let failed = |thrown| NotSigned::Failed(SignFailure::Headers, thrown);
        let given = settle(get_headers.call0(&JsValue::UNDEFINED)).await.map_err(failed)?;
        let Some(given) = given.dyn_ref::<Object>() else {
            return Err(failed(JsValue::UNDEFINED));
        };
        let Json::Object(members) = json::from_js(given) else {
            return Err(failed(JsValue::UNDEFINED));
        };
        headers.extend(members.into_iter().filter_map(|(name, value)| match value {
            Json::Text(value) => Some((name, value)),
            _ => None,
        }));
    }
    Ok(SignedRequest { method, url: url.to_owned(), headers, body: None, expires_in_ms: 0 })
}

/// The value of what a function returned, waiting for it if it is a promise.
async fn settle(returned: Result<JsValue, JsValue>) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::resolve(&returned?)).await
}
