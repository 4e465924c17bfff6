//! S3's refusals of requests that a page sent itself: the one XML that reaches a page.

use crate::json::Json;

/// Most bytes of a refusal that are looked at.
const MAX_LEN: usize = 8 << 10;

/// The code, the message and the request ID of S3's `<Error>` document, under the names that all other refusals have
/// them by; `None` where the text is none, or has no code. No XML parser: three elements of text without attributes or
/// children are looked for, and each is believed only if it is there once and in its form.
///
/// **Source:** S3 API reference, "REST error responses".
pub fn read(text: &str) -> Option<Json> {
    let text = text.get(..MAX_LEN).unwrap_or(text);
    if text.len() > MAX_LEN || !text.trim_end().ends_with("</Error>") || !text.contains("<Error>") {
        return None;
    }
    let is_code = |code: &&str| code.len() <= 128 && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let code = element(text, "<Code>", "</Code>").filter(|code| !code.is_empty()).filter(is_code)?;
    let mut members = vec![("code".to_owned(), Json::Text(code.to_owned()))];
    let message = element(text, "<Message>", "</Message>").map(unescaped);
    members.extend(message.map(|message| ("message".to_owned(), Json::Text(message))));
    let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_graphic());
    let request_id = element(text, "<RequestId>", "</RequestId>").filter(is_id);
    members.extend(request_id.map(|id| ("requestId".to_owned(), Json::Text(id.to_owned()))));
    Some(Json::Object(members))
}

/// The text between the two, which are there once.
fn element<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    let (content, after) = rest.split_once(end)?;
    (!content.contains('<') && !after.contains(start)).then_some(content)
}

/// **Source:** XML 1.0, 4.6.
fn unescaped(text: &str) -> String {
    // The ampersand last, so that what it escapes is not read twice.
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<String> {
        read(text).map(|json| json.text("code").unwrap().to_owned())
    }

    #[test]
    fn refusals_of_s3_garage_and_localstack_are_read() {
        let s3 = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Request has \
                  expired</Message><X-Amz-Expires>300</X-Amz-Expires><Expires>2026-03-20T17:08:43Z</Expires>\
                  <ServerTime>2026-03-20T17:10:00Z</ServerTime><RequestId>4442587FB7D0A2F9</RequestId><HostId>a/b+c=\
                  </HostId></Error>";
        let text = |key| read(s3).unwrap().text(key).map(str::to_owned);
        assert_eq!(text("code").as_deref(), Some("AccessDenied"));
        assert_eq!(text("message").as_deref(), Some("Request has expired"));
        assert_eq!(text("requestId").as_deref(), Some("4442587FB7D0A2F9"));
        let garage = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>NoSuchUpload</Code><Message>Upload not \
                      found</Message><Resource>/b/k</Resource><Region>garage</Region></Error>";
        assert_eq!(code(garage).as_deref(), Some("NoSuchUpload"));
        let localstack = "<?xml version='1.0' encoding='utf-8'?>\n<Error><Code>PreconditionFailed</Code><Message>At \
                          least one of the pre-conditions you specified did not hold</Message><RequestId>a-b</RequestId>\
                          <Condition>If-None-Match</Condition></Error>\n";
        assert_eq!(code(localstack).as_deref(), Some("PreconditionFailed"));
    }

    #[test]
    fn what_is_no_refusal_says_nothing() {
        for bad in [
            "",
            "<html><Code>AccessDenied</Code></html>",
            "<Error></Error>",
            "<Error><Code></Code></Error>",
            "<Error><Code>Access Denied</Code></Error>",
            "<Error><Code><b>AccessDenied</b></Code></Error>",
            "<Error><Code>AccessDenied</Code><Code>SlowDown</Code></Error>",
            "<Error><Code>AccessDenied",
            "<Error><Code>AccessDenied</Code>",
            &format!("<Error><Code>AccessDenied</Code>{}</Error>", " ".repeat(MAX_LEN)),
            &format!("<Error><Code>{}</Code></Error>", "A".repeat(129)),
            &"é".repeat(MAX_LEN),
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn messages_are_what_they_were_before_they_were_escaped() {
        let json = read("<Error><Code>A</Code><Message>&lt;b&gt; &amp;lt; &quot;x&quot;</Message></Error>").unwrap();
        assert_eq!(json.text("message"), Some("<b> &lt; \"x\""));
    }
}
