//! What the relay says no with: Glacier's own words where Glacier has some, since the relay stands in its place.

use axum::response::Response;
use glacier_core::intent::RefusalCode;
use glacier_core::sigv4::SignatureError;
use http::StatusCode;
use serde::Serialize;

use crate::error::{Refused, RequestId, json};

/// Why a request was not passed on, or an answer not back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 404: this gateway has no relay.
    NotHere,
    /// 400 or 403: not signed by a gateway with our token key, or too long ago.
    Signature(SignatureError),
    /// 400: a request that no gateway signs.
    Malformed,
    /// 403: another account's path.
    ForeignAccount,
    /// 411: a body whose length was not said.
    LengthRequired,
    /// 400: a part that is not as long as its range.
    RangeAndLength,
    /// 413: a body too long for what is not a part.
    TooLarge,
    /// 400: the body ended before its length.
    BodyIncomplete,
    /// 408: the body came too slowly.
    BodyTooSlow,
    /// 503: there are no AWS credentials.
    NoCredentials,
    /// 502: the store is not to be reached, or broke off.
    Unreachable,
    /// 502: the store took too long.
    TimedOut,
    /// 502: the store answered with a redirect, which is not followed.
    Redirected,
}

/// As Glacier writes errors.
#[derive(Serialize)]
struct GlacierError<'a> {
    code: &'a str,
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
}

impl Refusal {
    pub(crate) fn into_response(self, id: &RequestId) -> Response {
        let of_gateway = |code, message| Refused::new(code, message).into_response(id);
        match self {
            Self::NotHere => of_gateway(RefusalCode::NotFound, "this gateway does not pass requests on to Glacier"),
            Self::Signature(error) => {
                let (status, code) = match error {
                    SignatureError::Missing => (StatusCode::BAD_REQUEST, "MissingAuthenticationTokenException"),
                    SignatureError::UnknownKey => (StatusCode::BAD_REQUEST, "UnrecognizedClientException"),
                    _ => (StatusCode::FORBIDDEN, "InvalidSignatureException"),
                };
                glacier(status, code, &error.to_string())
            }
            Self::Malformed => invalid("The request is not one that a gateway signs"),
            Self::ForeignAccount => glacier(
                StatusCode::FORBIDDEN,
                "AccessDeniedException",
                "The account in the path is not that of this gateway",
            ),
            Self::LengthRequired => {
                of_gateway(RefusalCode::LengthRequired, "send the body with its length in content-length")
            }
            Self::RangeAndLength => invalid("Content-Range is incompatible with Content-Length"),
            Self::TooLarge => of_gateway(RefusalCode::TooLarge, "the body is too large for this operation"),
            Self::BodyIncomplete => invalid("The body is not as long as Content-Length says; send the request again"),
            Self::BodyTooSlow => glacier(
                StatusCode::REQUEST_TIMEOUT,
                "RequestTimeoutException",
                "The body arrived too slowly; send the request again",
            ),
            Self::NoCredentials => of_gateway(
                RefusalCode::Unavailable,
                "the gateway has no AWS credentials at the moment; its log says where it looked",
            ),
            Self::Unreachable => {
                of_gateway(RefusalCode::StoreUnreachable, "the store behind the gateway could not be reached")
            }
            Self::TimedOut => {
                of_gateway(RefusalCode::StoreUnreachable, "the store behind the gateway did not answer in time")
            }
            Self::Redirected => of_gateway(
                RefusalCode::StoreUnreachable,
                "the store behind the gateway answered with a redirect, which is not followed; check --glacier",
            ),
        }
    }
}

fn invalid(message: &str) -> Response {
    glacier(StatusCode::BAD_REQUEST, "InvalidParameterValueException", message)
}

fn glacier(status: StatusCode, code: &str, message: &str) -> Response {
    json(status, &GlacierError { code, message, kind: "Client" })
}
