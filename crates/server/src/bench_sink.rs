//! `PUT /bench/sink`: reads a body to its end and forgets it. Exists only with the feature `bench-sink`, as the bare
//! `fetch` that the upload benchmark compares with.

use axum::extract::Request;
use http::StatusCode;
use http_body_util::BodyExt;

/// 204 once all has arrived.
pub(crate) async fn handle(request: Request) -> StatusCode {
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        if frame.is_err() {
            return StatusCode::BAD_REQUEST;
        }
    }
    StatusCode::NO_CONTENT
}
