//! The network. Small requests and downloads go by `fetch`; parts go by `XMLHttpRequest`, which alone tells in every browser how
//! many bytes of a body have left (`fetch` has no such event, and a streamed request body is silently replaced by the
//! text "[object ReadableStream]" in Firefox).

use glacier_core::glacier::Response;
use glacier_core::json::Json;
use glacier_core::{SignedRequest, s3};
use js_sys::{Array, Uint8Array};
use wasm_bindgen::prelude::{Closure, JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortController, Event, Headers, ProgressEvent, ReadableStreamDefaultReader, RequestCache, RequestCredentials,
    RequestInit, RequestRedirect, Url, XmlHttpRequest,
};

use crate::task;
use crate::{clock, file, json};

/// Most bytes of an answer that are read. The longest honest one, a page of ListParts, stays below 16 KiB.
const MAX_ANSWER_LEN: u64 = 1 << 20;

/// Why there is no answer.
pub(crate) enum NoAnswer {
    /// Stopped by [`Canceller`].
    Cancelled,
    /// Refused, reset, not resolved, or forbidden by CORS: browsers do not say which.
    Network,
}

/// Stops one request.
#[derive(Clone)]
pub(crate) struct Canceller(Option<AbortController>);

impl Canceller {
    pub(crate) fn new() -> Self {
        Self(AbortController::new().ok())
    }

    pub(crate) fn cancel(&self) {
        // Without a reason: one that is not an Error confuses some of the code that will see it.
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }

    fn no_answer(&self) -> NoAnswer {
        let is_cancelled = self.0.as_ref().is_some_and(|controller| controller.signal().aborted());
        if is_cancelled { NoAnswer::Cancelled } else { NoAnswer::Network }
    }
}

/// `url` against `base`; `None` where one of them is no URL.
pub(crate) fn resolve(url: &str, base: &str) -> Option<String> {
    Url::new_with_base(url, base).ok().map(|url| url.href())
}

/// The URL that relative ones on this page start from; in a worker, those of its script.
pub(crate) fn page_url() -> String {
    let document = json::get(&clock::scope(), "document");
    json::get(&document, "baseURI").as_string().unwrap_or_else(|| clock::scope().location().href())
}

/// Sends a request without a body, or with text.
pub(crate) async fn send(
    request: &SignedRequest,
    body: Option<&str>,
    canceller: &Canceller,
) -> Result<Response, NoAnswer> {
    let mut answer = open(request, body, canceller).await?;
    answer.head.body = answer.body.read_json().await?;
    Ok(answer.head)
}

/// An answer whose body has yet to be read.
pub(crate) struct Answer {
    /// Status and headers; no body.
    pub(crate) head: Response,
    pub(crate) body: Body,
}

/// What is left of a body. Dropping it lets that go.
pub(crate) struct Body {
    reader: Option<ReadableStreamDefaultReader>,
    canceller: Canceller,
}

/// Sends a request and waits for the head of the answer.
pub(crate) async fn open(
    request: &SignedRequest,
    body: Option<&str>,
    canceller: &Canceller,
) -> Result<Answer, NoAnswer> {
    let init = RequestInit::new();
    init.set_method(request.method.as_str());
    init.set_cache(RequestCache::NoStore);
    init.set_redirect(RequestRedirect::Error);
    init.set_credentials(RequestCredentials::SameOrigin);
    init.set_signal(canceller.0.as_ref().map(AbortController::signal).as_ref());
    let headers = Headers::new().map_err(|_| NoAnswer::Network)?;
    for (name, value) in &request.headers {
        headers.set(name, value).map_err(|_| NoAnswer::Network)?;
    }
    init.set_headers(&headers);
    if let Some(body) = body {
        init.set_body(&body.into());
    }
    let answered = clock::scope().fetch_with_str_and_init(&request.url, &init);
    let response = JsFuture::from(answered).await.map_err(|_| canceller.no_answer())?;
    let response: web_sys::Response = response.unchecked_into();
    let entries = Array::from(&response.headers());
    let headers = entries.iter().filter_map(|entry| {
        let entry: Array = entry.dyn_into().ok()?;
        Some((entry.get(0).as_string()?, entry.get(1).as_string()?))
    });
    Ok(Answer {
        head: Response { status: response.status(), headers: headers.collect(), body: None },
        body: Body {
            reader: response.body().map(|stream| stream.get_reader().unchecked_into()),
            canceller: canceller.clone(),
        },
    })
}

impl Body {
    /// The next bytes of the body, or `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Uint8Array>, NoAnswer> {
        let Some(reader) = &self.reader else { return Ok(None) };
        let chunk = JsFuture::from(reader.read()).await.map_err(|_| self.canceller.no_answer())?;
        if json::get(&chunk, "done").is_truthy() {
            self.reader = None;
            return Ok(None);
        }
        Ok(Some(json::get(&chunk, "value").unchecked_into()))
    }

    /// The whole as JSON; `None` where it is longer than any answer of ours, or neither JSON nor a refusal of S3.
    pub(crate) async fn read_json(&mut self) -> Result<Option<Json>, NoAnswer> {
        let mut bytes = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            let len = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            if len.saturating_add(u64::from(chunk.length())) > MAX_ANSWER_LEN {
                return Ok(None);
            }
            bytes.extend_from_slice(&chunk.to_vec());
        }
        Ok(String::from_utf8(bytes).ok().and_then(|text| read_text(&text)))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            // It rejects where the stream has failed already, which is known.
            task::spawn(async move {
                let _ = JsFuture::from(reader.cancel()).await;
            });
        }
    }
}

/// A part on its way. Dropping it stops it silently.
pub(crate) struct Sending {
    xhr: XmlHttpRequest,
    _on_progress: Closure<dyn FnMut(ProgressEvent)>,
    _on_end: Closure<dyn FnMut(Event)>,
    _on_answer_progress: Closure<dyn FnMut(ProgressEvent)>,
}

impl Sending {
    /// Begins to send `body` (a buffer or a slice of a file). `progress` hears how many bytes have been handed to the
    /// network, `end` hears once how it ended.
    pub(crate) fn begin(
        request: &SignedRequest,
        body: &JsValue,
        mut progress: impl FnMut(u64) + 'static,
        end: impl FnOnce(Result<Response, NoAnswer>) + 'static,
    ) -> Result<Self, JsValue> {
        let xhr = XmlHttpRequest::new()?;
        xhr.open(request.method.as_str(), &request.url)?;
        for (name, value) in &request.headers {
            xhr.set_request_header(name, value)?;
        }
        let on_progress =
            Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| progress(file::whole(event.loaded())));
        xhr.upload()?.set_onprogress(Some(on_progress.as_ref().unchecked_ref()));
        let answer_progress = xhr.clone();
        let on_answer_progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
            if file::whole(event.loaded()) > MAX_ANSWER_LEN {
                let _ = answer_progress.abort();
            }
        });
        xhr.set_onprogress(Some(on_answer_progress.as_ref().unchecked_ref()));
        let ended = xhr.clone();
        let mut end = Some(end);
        let on_end = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            if let Some(end) = end.take() {
                end(match event.type_().as_str() {
                    "load" => Ok(answer(&ended)),
                    "abort" => Err(NoAnswer::Cancelled),
                    _ => Err(NoAnswer::Network),
                });
            }
        });
        for event in ["load", "error", "abort", "timeout"] {
            xhr.add_event_listener_with_callback(event, on_end.as_ref().unchecked_ref())?;
        }
        // Headers that only the browser may set are in no signed request; a type is set so that none is guessed. Set twice
        // it would be both.
        if !request.headers.iter().any(|(name, _)| name == s3::header::CONTENT_TYPE) {
            xhr.set_request_header(s3::header::CONTENT_TYPE, "application/octet-stream")?;
        }
        xhr.send_with_opt_buffer_source_or_blob(body)?;
        Ok(Self { xhr, _on_progress: on_progress, _on_end: on_end, _on_answer_progress: on_answer_progress })
    }

    /// Stops it; `end` hears of it.
    pub(crate) fn cancel(&self) {
        let _ = self.xhr.abort();
    }
}

/// Sends either kind of body through the one method web-sys has for each.
trait SendBody {
    fn send_with_opt_buffer_source_or_blob(&self, body: &JsValue) -> Result<(), JsValue>;
}

impl SendBody for XmlHttpRequest {
    fn send_with_opt_buffer_source_or_blob(&self, body: &JsValue) -> Result<(), JsValue> {
        match body.dyn_ref() {
            Some(blob) => self.send_with_opt_blob(Some(blob)),
            None => self.send_with_opt_buffer_source(Some(body.unchecked_ref())),
        }
    }
}

fn answer(xhr: &XmlHttpRequest) -> Response {
    let headers = xhr.get_all_response_headers().unwrap_or_default();
    let headers = headers.lines().filter_map(|line| {
        let (name, value) = line.split_once(':')?;
        Some((name.trim().to_ascii_lowercase(), value.trim().to_owned()))
    });
    Response {
        status: xhr.status().unwrap_or_default(),
        headers: headers.collect(),
        body: xhr.response_text().ok().flatten().and_then(|text| read_text(&text)),
    }
}

/// JSON, or what S3 refuses with in XML.
fn read_text(text: &str) -> Option<Json> {
    json::parse(text).or_else(|| s3::error_body::read(text))
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.xhr.set_onprogress(None);
        if let Ok(upload) = self.xhr.upload() {
            upload.set_onprogress(None);
        }
        for event in ["load", "error", "abort", "timeout"] {
            let _ = self.xhr.remove_event_listener_with_callback(event, self._on_end.as_ref().unchecked_ref());
        }
        let _ = self.xhr.abort();
    }
}
