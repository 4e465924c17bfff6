//! Requests that are refused before the handler sees them.

use std::fmt;

use http::{HeaderMap, Method, Request, StatusCode, Uri, header};

use crate::head::Head;

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
    /// 415: a compressed body, which may be a thousand times its size.
    ContentCoding,
}

impl Fault {
    /// The status that goes with it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::ContentCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
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
        })
    }
}

impl std::error::Error for Fault {}

/// Refuses what could be read in two ways and rewrites the target to origin form. `head` is what was counted on the
/// wire, because hyper drops repeated and overruled headers before anybody can see them; it is absent if the count was
/// lost.
pub(crate) fn examine<B>(request: &mut Request<B>, head: Option<Head>) -> Result<(), Fault> {
    let head = head.filter(|head| !head.bare_line_feed).ok_or(Fault::AmbiguousHead)?;
    if head.content_lengths > 0 && head.transfer_encodings > 0 {
        return Err(Fault::LengthAndCoding);
    }
    if head.content_lengths > 1 {
        return Err(Fault::TwoLengths);
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
    *request.uri_mut() = Uri::from(target.cloned().ok_or(Fault::TargetInvalid)?);
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
