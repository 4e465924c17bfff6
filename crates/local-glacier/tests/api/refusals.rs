use crate::client::{MIB, Machine, Request, archive, complete, delete, get, part, pattern, post, put};

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
    check_value(&machine, archive(body()).with("x-amz-sha256-tree-hash", "000"), "Invalid x-amz-sha256-tree-hash: 000");
    let missing = "MissingParameterValueException";
    let text = "Required parameter missing: x-amz-sha256-tree-hash";
    check(&machine, archive(body()).without("x-amz-sha256-tree-hash"), 400, missing, text);
    let text = "Required parameter missing: x-amz-content-sha256";
    check(&machine, archive(body()).without("x-amz-content-sha256"), 400, missing, text);

    let other = archive(body()).with_body(vec![0; MIB - 1]);
    let text = format!(
        "The value passed in as x-amz-content-sha256 does not match the computed payload hash. Computed digest: \
         ca7ed0c4a8e67cbdc461c4cb0d286d2fabbd9f0c41a7f42b665f72ebaa8aec56 expected hash: {good}"
    );
    check(&machine, other, 403, "InvalidSignatureException", &text);
    let text = "The body is not as long as Content-Length says; send the request again";
    check_value(&machine, archive(body()).with_body(pattern(10)), text);
    check_value(&machine, archive(body()).with_body(pattern(MIB)), text);
    check_value(&machine, archive(Vec::new()), "Invalid Content-Length: 0");
    let huge = archive(body()).with("content-length", "4294967297");
    check_value(&machine, huge, "Invalid Content-Length: 4294967297");
}

#[test]
fn payloads_that_are_not_signed_byte_for_byte_are_refused_everywhere() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    for word in [
        "UNSIGNED-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        &"A".repeat(64),
        &"a".repeat(63),
        &"a".repeat(65),
    ] {
        for request in [archive(pattern(3)), part(&upload, 0, pattern(3)), put("/-/vaults/w"), delete(&upload)] {
            let text = format!(
                "Invalid x-amz-content-sha256: {word}. It is the SHA-256 of the body, 64 lower-case hexadecimal digits."
            );
            check_value(&machine, request.with_payload_hash(word), &text);
        }
    }
    let twice = archive(pattern(3)).with_another("x-amz-content-sha256", &"0".repeat(64));
    check_value(&machine, twice, "Given more than once: x-amz-content-sha256");
    let text = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
                Access Key and signing method. Consult the service documentation for details.";
    check(&machine, post(&upload).with_body(b"{}".to_vec()), 403, "InvalidSignatureException", text);
}

#[test]
fn ranges_that_lie_are_refused() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    let one_mib = || part(&upload, 0, pattern(MIB));
    let off_by_one = "Content-Range: bytes 0-1048576/* is incompatible with Content-Length: 1048576";
    check_value(&machine, one_mib().with("content-range", "bytes 0-1048576/*"), off_by_one);
    for bad in [
        "bytes 5-1/*",
        "bytes */*",
        "bytes=0-1048575/*",
        "items 0-1048575/*",
        "0-1048575",
        "bytes 0-1048575",
        "bytes 0-+1048575/*",
        "bytes 0-1e6/*",
        "bytes -1-1048574/*",
        "bytes 0-18446744073709551615/*",
        "bytes 0-99999999999999999999999999999/*",
    ] {
        check_value(&machine, one_mib().with("content-range", bad), &format!("Invalid Content-Range: {bad}"));
    }
    let twice = one_mib().with_another("content-range", "bytes 1048576-2097151/*");
    check_value(&machine, twice, "Given more than once: content-range");
    let missing = "Required parameter missing: Content-Range";
    check(&machine, one_mib().without("content-range"), 400, "MissingParameterValueException", missing);
    for (first_byte, len) in [(1, MIB), (MIB / 2, 5), (0, MIB + 1), (MIB, 2 * MIB)] {
        let text = format!(
            "Content-Range: bytes {first_byte}-{}/* is incompatible with the part size 1048576: a part begins at a \
             multiple of it and is not longer",
            first_byte + len - 1
        );
        check_value(&machine, part(&upload, first_byte, pattern(len)), &text);
    }
    let text = "This is part number 10001 for the current multipart upload. It exceeds the limit of 10000 parts.";
    check_value(&machine, part(&upload, 10_000 * MIB, pattern(1)), text);
    assert_eq!(machine.send(part(&upload, 9_999 * MIB, pattern(1))).status, 204);
    let total = one_mib().with("content-range", "bytes 0-1048575/110100813");
    assert_eq!(machine.send(total).status, 204, "a total is seen in the wild");
}

#[test]
fn part_sizes_are_the_thirteen_legal_ones() {
    let machine = Machine::with_vault();
    let initiate = |size: &str| post("/-/vaults/v/multipart-uploads").with("x-amz-part-size", size);
    for bad in
        ["0", "1", "1048575", "3145728", "8589934592", "18446744073709551616", "-1", "+1048576", "1e6", "0x100000", ""]
    {
        let text = format!(
            "Invalid part size: {bad}. Part size must not be null, must be a power of two and be between 1048576 and \
             4294967296 bytes."
        );
        check_value(&machine, initiate(bad), &text);
    }
    let text = "Required parameter missing: x-amz-part-size";
    let without = post("/-/vaults/v/multipart-uploads");
    check(&machine, without, 400, "MissingParameterValueException", text);
    for good in ["1048576", "4294967296"] {
        assert_eq!(machine.send(initiate(good)).status, 201);
    }
}

#[test]
fn completing_needs_the_right_size_and_tree_hash_and_can_be_repeated_with_them() {
    let machine = Machine::with_vault();
    let upload = machine.initiate(MIB);
    let whole = pattern(MIB + 1);
    check_value(&machine, complete(&upload, &whole), "The upload has a gap: no part begins at byte 0");
    machine.send(part(&upload, MIB, whole[MIB..].to_vec()));
    check_value(&machine, complete(&upload, &whole), "The upload has a gap: no part begins at byte 0");
    machine.send(part(&upload, 0, whole[..MIB].to_vec()));
    let wrong_size = complete(&upload, &whole).with("x-amz-archive-size", "1048576");
    check_value(&machine, wrong_size, "Invalid x-amz-archive-size: 1048576. The parts have 1048577 bytes together.");
    for bad in ["", "-1", "1e6", "18446744073709551616"] {
        let request = complete(&upload, &whole).with("x-amz-archive-size", bad);
        check_value(&machine, request, &format!("Invalid x-amz-archive-size: {bad}"));
    }
    let wrong = "a".repeat(64);
    let request = complete(&upload, &whole).with("x-amz-sha256-tree-hash", &wrong);
    check_value(&machine, request, &format!("Invalid x-amz-sha256-tree-hash: {wrong}"));
    for (name, text) in [
        ("x-amz-archive-size", "Required parameter missing: x-amz-archive-size"),
        ("x-amz-sha256-tree-hash", "Required parameter missing: x-amz-sha256-tree-hash"),
    ] {
        check(&machine, complete(&upload, &whole).without(name), 400, "MissingParameterValueException", text);
    }
    machine.send(complete(&upload, &whole)).archive_id();
}

#[test]
fn descriptions_are_printable_ascii_of_at_most_1024_characters() {
    let machine = Machine::with_vault();
    let rule =
        "Invalid x-amz-archive-description: a description is at most 1024 printable ASCII characters (space to '~')";
    for bad in ["Ísland", &"d".repeat(1025), "a\tb"] {
        check_value(&machine, archive(pattern(1)).with("x-amz-archive-description", bad), rule);
        let initiate = post("/-/vaults/v/multipart-uploads").with("x-amz-part-size", "1048576");
        check_value(&machine, initiate.with("x-amz-archive-description", bad), rule);
    }
    assert_eq!(machine.send(archive(pattern(1)).with("x-amz-archive-description", &"d".repeat(1024))).status, 201);
}

#[test]
fn unknown_vaults_and_uploads_are_not_found() {
    let machine = Machine::with_vault();
    let vault = "Vault not found for ARN: arn:aws:glacier:us-east-1:123456789012:vaults/none";
    for request in [
        get("/-/vaults/none"),
        get("/-/vaults/none/multipart-uploads"),
        post("/-/vaults/none/multipart-uploads").with("x-amz-part-size", "1048576"),
        delete("/-/vaults/none/archives/a"),
        part("/-/vaults/none/multipart-uploads/u", 0, pattern(1)),
        get("/-/vaults/none/multipart-uploads/u"),
    ] {
        check(&machine, request, 404, "ResourceNotFoundException", vault);
    }
    let upload = "The upload ID was not found: u";
    for request in [
        part("/-/vaults/v/multipart-uploads/u", 0, pattern(1)),
        get("/-/vaults/v/multipart-uploads/u"),
        delete("/-/vaults/v/multipart-uploads/u"),
        complete("/-/vaults/v/multipart-uploads/u", &pattern(1)),
    ] {
        check(&machine, request, 404, "ResourceNotFoundException", upload);
    }
    assert_eq!(machine.send(delete("/-/vaults/v/archives/unknown")).status, 204, "archives are deleted idempotently");
}

#[test]
fn signatures_that_do_not_cover_the_request_here_and_now_are_refused() {
    let machine = Machine::with_vault();
    let before = machine.state();
    let invalid = "InvalidSignatureException";
    for (answer, status, code, message) in [
        (
            machine.send(put("/-/vaults/w").skewed(-301)),
            403,
            invalid,
            "Signature expired: 20260101T115459Z is now earlier than 20260101T115500Z (20260101T120000Z - 5 min.)",
        ),
        (
            machine.send(put("/-/vaults/w").skewed(301)),
            403,
            invalid,
            "Signature not yet current: 20260101T120501Z is still later than 20260101T120500Z (20260101T120000Z + 5 min.)",
        ),
        (
            machine.send(put("/-/vaults/w").with_unsigned("x-amz-archive-description", "mine")),
            403,
            invalid,
            "'x-amz-archive-description' must be a signed header in the Authorization header",
        ),
        (
            machine.send_raw("PUT", "/-/vaults/w", &[], Vec::new()),
            400,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
        (
            machine.send(put("/210987654321/vaults/w")),
            403,
            "AccessDeniedException",
            "The account in the path is not the account of the credentials; use its 12 digits or '-'",
        ),
        (
            machine.send(put("/-/vaults/w").without("x-amz-glacier-version")),
            400,
            "MissingParameterValueException",
            "Required parameter missing: API version",
        ),
    ] {
        assert_eq!((answer.status, answer.refusal()), (status, (code.into(), message.into())));
        assert_eq!(answer.header("date"), "Thu, 01 Jan 2026 12:00:00 GMT", "a client can set its clock by it");
    }
    for skew in [-300, -240, 240, 300] {
        assert_eq!(machine.send(get("/-/vaults").skewed(skew)).status, 200);
    }
    assert_eq!(machine.state(), before);
}

#[test]
fn bodies_where_none_belongs_are_tolerated_if_small() {
    let machine = Machine::with_vault();
    let mut request =
        put("/-/vaults/v").with_payload_hash("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    request = request.with_body(b"{}".to_vec());
    assert_eq!(machine.send(request).status, 201);
    let huge = put("/-/vaults/w").with_payload_hash(&"0".repeat(64)).with_body(vec![b' '; 70_000]);
    check_value(&machine, huge, "The body of this operation is at most 65536 bytes");
}
