//! Bodies of the gateway's own endpoints: JSON, uncompressed, up to a length.

use axum::extract::Request;
use bytes::Bytes;
use glacier_core::intent::RefusalCode;
use http::{HeaderMap, header};
use http_body::Body as _;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::error::Refused;

/// Reads a body that says it is `application/json`, of at most `max_len` bytes. A page of another site cannot send that
/// type without asking first (CORS), so it is also what keeps forged requests out.
///
/// # Errors
/// [`Refused`].
pub(crate) async fn read_json(request: Request, max_len: usize) -> Result<Bytes, Refused> {
    if !is_json(request.headers()) {
        return Err(Refused::new(
            RefusalCode::UnsupportedMediaType,
            "send the body uncompressed as \"content-type: application/json\"",
        ));
    }
    let too_large = Refused::new(RefusalCode::TooLarge, "the body is too large; send several batches");
    // Nobody need wait for what will not be taken.
    if request.body().size_hint().lower() > max_len as u64 {
        return Err(too_large);
    }
    match Limited::new(request.into_body(), max_len).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large),
        Err(_) => Err(Refused::new(RefusalCode::MalformedJson, "the body broke off; send the request again")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(only), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = only.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or("").trim();
    essence.eq_ignore_ascii_case("application/json") && !headers.contains_key(header::CONTENT_ENCODING)
}
