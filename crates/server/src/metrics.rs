//! What the gateway counts, for Prometheus. Served on a listener of its own, never on the public one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use glacier_core::intent::RefusalCode;
use http::{HeaderValue, StatusCode, header};
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// **Source:** OpenMetrics 1.0, "Protocol Negotiation".
const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is counted. Clones share it. No label is anything that others choose: there are as many series as there are
/// routes, codes and operations.
#[derive(Clone)]
pub struct Metrics(Arc<Counted>);

struct Counted {
    registry: Registry,
    requests: Family<Answer, Counter>,
    in_flight: Family<Route, Gauge>,
    durations: Family<Route, Histogram, fn() -> Histogram>,
    received: Family<Route, Counter>,
    sent: Family<Route, Counter>,
    signed: Family<Operation, Counter>,
    refused: Family<Code, Counter>,
    panics: Counter,
}

/// A label with a value of a fixed list.
macro_rules! labels {
    ($(#[$doc:meta])* $name:ident($label:literal)) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        struct $name(&'static str);

        impl EncodeLabelSet for $name {
            fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
                [($label, self.0)].encode(encoder)
            }
        }
    };
}

labels!(
    /// As the log has it.
    Route("route")
);
labels!(
    /// By AWS's names.
    Operation("op")
);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Code(String);

impl EncodeLabelSet for Code {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        [("code", self.0.as_str())].encode(encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answer {
    route: &'static str,
    status: u16,
}

impl EncodeLabelSet for Answer {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), fmt::Error> {
        [("route", self.route), ("status", &self.status.to_string())].encode(encoder)
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Metrics")
    }
}

/// Counts a request as in flight for as long as it is there.
#[derive(Debug)]
pub struct InFlight(Metrics, &'static str);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.0.in_flight.get_or_create(&Route(self.1)).dec();
    }
}

/// From a millisecond to about two minutes.
fn durations() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 18))
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("glacier_upload");
        let requests = Family::default();
        let in_flight = Family::default();
        let durations: Family<Route, Histogram, fn() -> Histogram> = Family::new_with_constructor(durations);
        let (received, sent) = (Family::default(), Family::default());
        let (signed, refused) = (Family::default(), Family::default());
        let panics = Counter::default();
        registry.register("requests", "Requests answered", requests.clone());
        registry.register("requests_in_flight", "Requests whose answer is not sent yet", in_flight.clone());
        let help = "From the request's head to the answer's";
        registry.register("request_duration_seconds", help, durations.clone());
        registry.register("received_bytes", "Bytes of requests' bodies", received.clone());
        registry.register("sent_bytes", "Bytes of answers' bodies", sent.clone());
        registry.register("signed_intents", "Intents signed", signed.clone());
        registry.register("refusals", "Requests refused by the gateway itself", refused.clone());
        registry.register("panics", "Errors in the program that ended a request", panics.clone());
        Self(Arc::new(Counted { registry, requests, in_flight, durations, received, sent, signed, refused, panics }))
    }

    /// Counts a request as in flight.
    pub fn begin(&self, route: &'static str) -> InFlight {
        self.0.in_flight.get_or_create(&Route(route)).inc();
        InFlight(self.clone(), route)
    }

    /// Counts an answer.
    pub fn answered(&self, route: &'static str, status: StatusCode, took: Duration) {
        self.0.requests.get_or_create(&Answer { route, status: status.as_u16() }).inc();
        self.0.durations.get_or_create(&Route(route)).observe(took.as_secs_f64());
    }

    /// Counts a refusal.
    pub fn refused(&self, code: RefusalCode) {
        self.0.refused.get_or_create(&Code(code_name(code))).inc();
    }

    /// Counts an intent that was signed.
    pub fn signed(&self, op: &'static str) {
        self.0.signed.get_or_create(&Operation(op)).inc();
    }

    /// Bytes of requests' bodies.
    pub fn received(&self, route: &'static str) -> Counter {
        self.0.received.get_or_create_owned(&Route(route))
    }

    /// Bytes of answers' bodies.
    pub fn sent(&self, route: &'static str) -> Counter {
        self.0.sent.get_or_create_owned(&Route(route))
    }

    /// Counts panics of the whole program from now on, and logs where they were. What they say is left out: it may be
    /// something of a request.
    pub fn watch_panics(&self) {
        let panics = self.0.panics.clone();
        std::panic::set_hook(Box::new(move |info| {
            panics.inc();
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            tracing::error!(place, "panicked");
        }));
    }

    /// All of it as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a text does not fail.
        let _ = encode(&mut text, &self.0.registry);
        text
    }

    /// `GET /metrics`, for a listener of its own.
    pub fn router(&self) -> Router {
        let metrics = self.clone();
        let answer = async move || {
            let mut response = Response::new(Body::from(metrics.text()));
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
            response
        };
        Router::new().route("/metrics", get(answer))
    }
}

/// The code as it stands in an answer.
pub fn code_name(code: RefusalCode) -> String {
    serde_json::to_value(code).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}
