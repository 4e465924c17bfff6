//! Signs, presigns and verifies what comes on standard input, a request in JSON on each line, and answers with a line for
//! each. `tests/oracle/test_signatures.py` asks it the same as botocore.
#![expect(clippy::unwrap_used, reason = "a program of the tests: whoever sends nonsense sees where")]

use std::io::{BufRead, Write};

use glacier_core::sigv4::{
    CanonicalRequest, Credentials, GLACIER, PathForm, ReceivedRequest, S3, Scope, SecretKey, Timestamp, presign, sign,
    verify,
};
use serde_json::{Value, json};

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("{name} of {value}"))
}

fn headers(value: &Value) -> Vec<(&str, &str)> {
    value.as_array().unwrap().iter().map(|header| (header[0].as_str().unwrap(), header[1].as_str().unwrap())).collect()
}

fn at(value: &Value, name: &str) -> Timestamp {
    Timestamp::parse(text(value, name)).unwrap()
}

fn answered(asked: &Value) -> Value {
    let credentials = Credentials {
        access_key_id: text(asked, "id").to_owned(),
        secret_access_key: SecretKey::new(text(asked, "secret").to_owned()),
        session_token: asked["token"].as_str().map(str::to_owned),
    };
    let (service, path_form) = match text(asked, "service") {
        "glacier" => (GLACIER, PathForm::Normalized),
        "s3" => (S3, PathForm::AsKey),
        other => panic!("{other}"),
    };
    let scope = Scope { region: text(asked, "region").to_owned(), service };
    let (in_header, in_query) = (headers(&asked["headers"]), headers(&asked["presignedHeaders"]));
    let request = CanonicalRequest {
        method: text(asked, "method"),
        path: text(asked, "path"),
        path_form,
        query: text(asked, "query"),
        headers: &in_header,
        payload_hash: text(asked, "payload"),
    };
    let to_presign = CanonicalRequest {
        query: text(asked, "presignedQuery"),
        headers: &in_query,
        payload_hash: text(asked, "presignedPayload"),
        ..request
    };
    let expires_s = u32::try_from(asked["expires"].as_u64().unwrap()).unwrap();
    let signed_at = at(asked, "at");
    let known = [credentials];
    let is_accepted = |received: &Value| {
        let headers = headers(&received["headers"]);
        let request = ReceivedRequest {
            method: text(received, "method"),
            path: text(received, "path"),
            query: text(received, "query"),
            headers: &headers,
            payload_hash: text(received, "payload"),
        };
        verify(&request, &known, &scope, at(received, "now")).is_ok()
    };
    let accepted: Vec<bool> = asked["received"].as_array().unwrap().iter().map(is_accepted).collect();
    json!({
        "canonical": request.text(),
        "authorization": sign(&request, &known[0], &scope, signed_at),
        "presigned": presign(&to_presign, &known[0], &scope, signed_at, expires_s),
        "accepted": accepted,
    })
}

fn main() {
    let mut answers = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let asked: Value = serde_json::from_str(&line.unwrap()).unwrap();
        writeln!(answers, "{}", answered(&asked)).unwrap();
    }
}
