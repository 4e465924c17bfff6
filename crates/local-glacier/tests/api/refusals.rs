use crate::client::{MIB, Machine, Request, archive, complete, part, pattern, put};

/// Sends a request that must be refused with this, and looks whether it changed anything.
pub(crate) fn check(machine: &Machine, request: Request, status: u16, code: &str, message: &str) {
    let before = machine.state();
    let has_body = request.has_body();
    let answer = machine.send(request);
    let (found_code, found_message) = answer.refusal();
    assert_eq!((answer.status, &*found_code), (status, code), "{found_message}");
    assert_eq!(found_message, message);
    assert_eq!(answer.json()["type"], "Client");
    assert_eq!(
        answer.headers.get("connection").is_some_and(|value| value == "close"),
        has_body,
        "a body may be unread"
    );
    assert_eq!(machine.state(), before, "a refusal changed something: {message}");
}

pub(crate) fn check_value(machine: &Machine, request: Request, message: &str) {
    check(machine, request, 400, "InvalidParameterValueException", message);
}

#[test]
fn archives_with_wrong_hashes_or_lengths_are_not_stored() {
    let machine = Machine::with_vault();
    let good = "8b55c6a2d3444092a316985030e00c1e6f8608eaf912c896dee7c374d440ed11"; // of 1 MiB - 1, from botocore
    let body = || pattern(MIB - 1);
    let zeros = "0".repeat(64);
    let mismatch = format!("Checksum mismatch: expected {zeros}, computed {good}");
    check_value(&machine, archive(body()).with("x-amz-sha256-tree-hash", &zeros), &mismatch);
    let short = "0".repeat(32);
    let mismatch = format!("Checksum mismatch: expected {short}, computed {good}");
    check_value(&machine, archive(body()).with("x-amz-sha256-tree-hash", &short), &mismatch);
    let other = archive(body()).with_body(vec![0; MIB - 1]);
    let text = format!(
        "The value passed in as x-amz-content-sha256 does not match the computed payload hash. Computed digest: \
         ca7ed0c4a8e67cbdc461c4cb0d286d2fabbd9f0c41a7f42b665f72ebaa8aec56 expected hash: {good}"
    );
    check(&machine, other, 403, "InvalidSignatureException", &text);
    let text = "The body is not as long as Content-Length says; send the request again";
    check_value(&machine, archive(body()).with_body(pattern(10)), text);
    check_value(&machine, archive(body()).with_body(pattern(MIB)), text);
}

#[test]
fn completing_waits_for_the_first_part() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    let whole = pattern(MIB + 1);
    check_value(&machine, complete(&upload, &whole), "The upload has a gap: no part begins at byte 0");
    machine.send(part(&upload, MIB, whole[MIB..].to_vec()));
    check_value(&machine, complete(&upload, &whole), "The upload has a gap: no part begins at byte 0");
    machine.send(part(&upload, 0, whole[..MIB].to_vec()));
    machine.send(complete(&upload, &whole)).archive_id();
}

#[test]
fn bodies_where_none_belongs_are_tolerated_if_small() {
    let machine = Machine::with_vault();
    let mut request =
        put("/-/vaults/v").with_payload_hash("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    request = request.with_body(b"{}".to_vec());
    assert_eq!(machine.send(request).status, 201);
}
