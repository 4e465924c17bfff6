//! AWS Signature Version 4: signing in the `Authorization` header and in the query for the gateway, verifying for the
//! store.
//!
//! One file for each step of the specification: [`canonical_request`], [`string_to_sign`], [`signature`], and
//! [`mod@presign`] and [`mod@verify`] for the other places where a signature stands and the other end. S3 differs from
//! all other services in [`PathForm`]. No clock: the time of signing, and `now`, are arguments.
//!
//! **Source:** AWS General Reference, "Create a signed AWS API request".

pub mod canonical_request;
mod credentials;
pub mod presign;
pub mod signature;
mod signature_error;
pub mod string_to_sign;
mod timestamp;
pub mod verify;

pub use canonical_request::{CanonicalRequest, PathForm};
pub use credentials::{Credentials, SecretKey};
pub use presign::{UNSIGNED_PAYLOAD, presign};
pub use signature::sign;
pub use signature_error::SignatureError;
pub use string_to_sign::Scope;
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use verify::{ReceivedRequest, signed_header_names, verify};

/// The only algorithm there is (of the asymmetric AWS4-ECDSA-P256-SHA256, Glacier knows nothing).
pub const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Glacier's name in a credential scope.
pub const GLACIER: &str = "glacier";

/// S3's name in a credential scope.
pub const S3: &str = "s3";
