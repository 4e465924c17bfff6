//! Requests that are refused before the handler sees them.

use std::fmt;

use http::uri::Scheme;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Uri, header};

use crate::head::Head;
use crate::limits::Limits;

/// The methods that reach the handler.
pub const METHODS: [Method; 6] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS];

/// Why a request was refused before the handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 400: its head could not be followed byte by byte, or has a line that ends in a bare line feed.
    AmbiguousHead,
    /// 400: more than one `Content-Length`, even of the same value.
    TwoLengths,
    /// 400: `Content-Length` and `Transfer-Encoding`: a proxy in front may have believed the other one.
    LengthAndCoding,
    /// 400: no `Host`, not even in HTTP/1.0.
    HostMissing,
    /// 400: more than one `Host`.
    TwoHosts,
    /// 400: a `Host` that is no host with an optional port.
    HostInvalid,
    /// 400: the target names another host than `Host` does, or is no path.
    TargetInvalid,
    /// 405: a method other than [`METHODS`].
    MethodNotAllowed,
    /// 414: longer than [`Limits::target`].
    TargetTooLong,
    /// 415: a compressed body, which may be a thousand times its size.
    ContentCoding,
    /// 431: more lines than [`Limits::headers`], in HTTP/2. In HTTP/1.1 the connection ends with that status before
    /// the head is complete.
    TooManyHeaders,
    /// 429: as many requests are in flight as [`Limits::requests`].
    Busy,
}

/// How a request came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Wire {
    /// With what was counted on the wire, because hyper drops repeated and overruled headers before anybody can see
    /// them; `None` if the count was lost.
    Http1(Option<Head>),
    /// In frames, which leave no doubt where a request ends.
    Http2,
}

impl Fault {
    /// The status that goes with it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AmbiguousHead => "the request's head can be read in more than one way",
            Self::TwoLengths => "the request has more than one Content-Length",
            Self::LengthAndCoding => "the request has both Content-Length and Transfer-Encoding",
            Self::HostMissing => "the request has no Host",
            Self::TwoHosts => "the request has more than one Host",
            Self::HostInvalid => "the request's Host is not a host with an optional port",
            Self::TargetInvalid => "the request's target is not a path of its Host",
            Self::MethodNotAllowed => "the method is not served here",
            Self::ContentCoding => "a request's body must not be compressed",
            Self::TargetTooLong => "the request's target is too long",
            Self::TooManyHeaders => "the request has too many headers",
            Self::Busy => "the server has as many requests as it can take; try again",
        })
    }
}

impl std::error::Error for Fault {}

/// Refuses what could be read in two ways, rewrites the target to origin form, and makes sure of one `Host`.
pub(crate) fn examine<B>(request: &mut Request<B>, wire: Wire, limits: &Limits) -> Result<(), Fault> {
    match wire {
        Wire::Http1(head) => examine_lengths(head)?,
        Wire::Http2 => take_authority(request, limits)?,
    }
    let host = host(request.headers())?;
    if let Some(authority) = request.uri().authority()
        && !authority.as_str().eq_ignore_ascii_case(&host)
    {
        return Err(Fault::TargetInvalid);
    }
    if !METHODS.contains(request.method()) {
        return Err(Fault::MethodNotAllowed);
    }
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(Fault::ContentCoding);
    }
    let target = request.uri().path_and_query().filter(|target| target.as_str().starts_with('/'));
    let target = target.cloned().ok_or(Fault::TargetInvalid)?;
    if target.as_str().len() > limits.target {
        return Err(Fault::TargetTooLong);
    }
    *request.uri_mut() = Uri::from(target);
    Ok(())
}

fn examine_lengths(head: Option<Head>) -> Result<(), Fault> {
    let head = head.filter(|head| !head.bare_line_feed).ok_or(Fault::AmbiguousHead)?;
    if head.content_lengths > 0 && head.transfer_encodings > 0 {
        return Err(Fault::LengthAndCoding);
    }
    if head.content_lengths > 1 {
        return Err(Fault::TwoLengths);
    }
    Ok(())
}

/// Makes of `:authority` the `Host` that it stands for, which signatures are over.
///
/// **Source:** RFC 9113 section 8.3.1.
fn take_authority<B>(request: &mut Request<B>, limits: &Limits) -> Result<(), Fault> {
    let headers = request.headers();
    if headers.len() > limits.headers {
        return Err(Fault::TooManyHeaders);
    }
    if headers.get_all(header::CONTENT_LENGTH).iter().nth(1).is_some() {
        return Err(Fault::TwoLengths);
    }
    if request.uri().scheme().is_some_and(|scheme| *scheme != Scheme::HTTPS) {
        return Err(Fault::TargetInvalid);
    }
    if let Some(authority) = request.uri().authority()
        && !headers.contains_key(header::HOST)
    {
        let host = HeaderValue::from_str(authority.as_str()).map_err(|_| Fault::HostInvalid)?;
        request.headers_mut().insert(header::HOST, host);
    }
    Ok(())
}

fn host(headers: &HeaderMap) -> Result<String, Fault> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next().ok_or(Fault::HostMissing)?;
    if hosts.next().is_some() {
        return Err(Fault::TwoHosts);
    }
    let text = host.to_str().map_err(|_| Fault::HostInvalid)?;
    let authority: http::uri::Authority = text.parse().map_err(|_| Fault::HostInvalid)?;
    // `localhost:` and `user@localhost` parse as well.
    let legal = !authority.host().is_empty() && !text.contains('@') && !text.ends_with(':');
    if legal { Ok(text.to_owned()) } else { Err(Fault::HostInvalid) }
}
