//! The store's answer on its way back.

use axum::body::Body;
use axum::response::Response;
use glacier_core::glacier::header as glacier_header;
use http::{HeaderName, HeaderValue, header};

use super::Refusal;
use crate::upstream::Answer;

/// Headers that are passed back. Whatever else the store or something on the way to it says, as cookies or who may read
/// the answer, it does not say in our name.
const PASSED_BACK: [HeaderName; 15] = [
    header::ACCEPT_RANGES,
    header::CONTENT_LENGTH,
    header::CONTENT_RANGE,
    header::CONTENT_TYPE,
    // By which the date in the next one is understood.
    header::DATE,
    header::RETRY_AFTER,
    HeaderName::from_static(glacier_header::ARCHIVE_DESCRIPTION),
    HeaderName::from_static(glacier_header::ARCHIVE_ID),
    HeaderName::from_static(glacier_header::CAPACITY_ID),
    HeaderName::from_static(glacier_header::JOB_ID),
    HeaderName::from_static(glacier_header::LOCK_ID),
    HeaderName::from_static(glacier_header::MULTIPART_UPLOAD_ID),
    HeaderName::from_static(glacier_header::REQUEST_ID),
    HeaderName::from_static(glacier_header::TREE_HASH),
    HeaderName::from_static("x-amzn-errortype"),
];

/// The answer as the browser gets it.
///
/// # Errors
/// [`Refusal::Redirected`]; and [`Refusal::Unreachable`] for an answer that is not HTTP's end of a request.
pub(super) fn back(answer: Response<Answer>) -> Result<Response, Refusal> {
    let (head, body) = answer.into_parts();
    if head.status.is_redirection() {
        tracing::warn!(status = head.status.as_u16(), "the store answered with a redirect, which is not followed");
        return Err(Refusal::Redirected);
    }
    let mut response = Response::new(Body::new(body));
    *response.status_mut() = head.status;
    for name in &PASSED_BACK {
        for value in head.headers.get_all(name) {
            response.headers_mut().append(name, value.clone());
        }
    }
    // Answers are about what one user may see.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store, private"));
    Ok(response)
}
