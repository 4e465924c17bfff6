//! What the gateway says no with.

/// Why the gateway refused a request: `{"code", "message", "requestId", "intent"?, "corsRules"?}`. Of a batch nothing was signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "camelCase"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Refusal {
    /// What went wrong, for programs.
    pub code: RefusalCode,
    /// What went wrong and what to do, for people. Never repeats input.
    pub message: String,
    /// To find the refusal in the gateway's log.
    pub request_id: String,
    /// Which intent of the batch, counted from 0.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub intent: Option<usize>,
    /// With [`RefusalCode::CorsNotAllowed`]: the rules that the bucket needs, as the JSON text that S3's console takes.
    #[cfg_attr(feature = "serde", serde(skip_serializing_if = "Option::is_none"))]
    pub cors_rules: Option<String>,
}

/// The gateway's codes, each with its status. In JSON the names are in snake case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub enum RefusalCode {
    /// 501: the store keeps no SHA-256 of parts, so that nothing could be proved.
    ChecksumsNotKept,
    /// 409: the bucket's CORS rules do not let the page in.
    CorsNotAllowed,
    /// 500: our fault.
    Internal,
    /// 422: an intent or a field of it is not what the contract says.
    InvalidRequest,
    /// 411: a body whose length was not said.
    LengthRequired,
    /// 403: more bytes or parts than the token allows.
    LimitExceeded,
    /// 400: the body is not JSON.
    MalformedJson,
    /// 403: not a message of a topic that the gateway listens to, or not a fresh one.
    MessageRefused,
    /// 405: not a method of this path.
    MethodNotAllowed,
    /// 421: this server does not answer for that host.
    MisdirectedRequest,
    /// 501: this gateway was not set up for that kind of store.
    NotConfigured,
    /// 404: no such path.
    NotFound,
    /// 403: the token does not allow this operation, or not in this vault.
    OperationDenied,
    /// 502: the store behind the gateway could not be reached, or answered as a store does not; try again.
    StoreUnreachable,
    /// 413: a body over the limit, or over [`MAX_INTENTS`](super::MAX_INTENTS) intents.
    TooLarge,
    /// 401: the token's time is over; get another.
    TokenExpired,
    /// 401: not a token of this gateway.
    TokenInvalid,
    /// 401: no token.
    TokenMissing,
    /// 429: more requests than one may make; wait as `retry-after` says.
    TooManyRequests,
    /// 429: as many streams of events are open as the gateway allows, or as it allows this subject.
    TooManyStreams,
    /// 503: something elsewhere that is needed could not be reached; try again.
    Unavailable,
    /// 415: the body is not said to be `application/json`, or is compressed.
    UnsupportedMediaType,
}

impl RefusalCode {
    /// The HTTP status that goes with the code.
    pub const fn status(self) -> u16 {
        match self {
            Self::ChecksumsNotKept | Self::NotConfigured => 501,
            Self::CorsNotAllowed => 409,
            Self::Internal => 500,
            Self::InvalidRequest => 422,
            Self::LimitExceeded | Self::MessageRefused | Self::OperationDenied => 403,
            Self::MalformedJson => 400,
            Self::MethodNotAllowed => 405,
            Self::MisdirectedRequest => 421,
            Self::NotFound => 404,
            Self::LengthRequired => 411,
            Self::StoreUnreachable => 502,
            Self::TooLarge => 413,
            Self::TokenExpired | Self::TokenInvalid | Self::TokenMissing => 401,
            Self::TooManyRequests | Self::TooManyStreams => 429,
            Self::Unavailable => 503,
            Self::UnsupportedMediaType => 415,
        }
    }
}
