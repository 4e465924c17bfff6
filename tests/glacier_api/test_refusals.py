"""What a store must refuse over a real socket, word for word, and that nothing of it is kept."""

import datetime
import hashlib
import json
import socket
import unittest.mock

import pytest
from store import ACCOUNT, Connection
from stored_archive import tree_hash

MIB = 1024 * 1024
ARCHIVES = "/-/vaults/photos/archives"
UPLOADS = "/-/vaults/photos/multipart-uploads"
ZEROS = "0" * 64
INVALID = "InvalidParameterValueException"


def hashes(body):
    return {"x-amz-sha256-tree-hash": tree_hash(body), "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}


def state(store, connection):
    """All that a client can see, and all files."""
    lists = [connection.send("GET", path)[2] for path in ["/-/vaults", "/-/vaults/photos", UPLOADS]]
    return store.files(), lists


@pytest.fixture
def refuse(store, connection, vault):
    """Checks a refusal, and that it changed nothing."""

    def check(answer, status, code, message):
        found_status, headers, body = answer()
        refusal = json.loads(body)
        assert (found_status, refusal) == (status, {"code": code, "message": message, "type": "Client"})
        assert headers["content-type"] == "application/json"
        assert headers["x-amzn-requestid"] and headers["date"]
        assert state(store, connection) == before

    before = None

    def begin(answer, status, code, message):
        nonlocal before
        before = state(store, connection)
        check(answer, status, code, message)

    return begin


@pytest.fixture
def upload(connection, vault):
    """The path of an upload with parts of 1 MiB."""
    status, headers, _ = connection.send("POST", UPLOADS, {"x-amz-part-size": str(MIB)})
    assert status == 201
    return headers["location"]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (ZEROS, f"Checksum mismatch: expected {ZEROS}, computed {tree_hash(b'x' * MIB)}"),
        (ZEROS[:32], f"Checksum mismatch: expected {ZEROS[:32]}, computed {tree_hash(b'x' * MIB)}"),
        ("000", "Invalid x-amz-sha256-tree-hash: 000"),
    ],
)
def test_wrong_tree_hashes(connection, refuse, upload, tree, message):
    body = b"x" * MIB
    headers = {**hashes(body), "x-amz-sha256-tree-hash": tree}
    refuse(lambda: connection.send("POST", ARCHIVES, headers, body), 400, INVALID, message)
    headers["content-range"] = f"bytes 0-{MIB - 1}/*"
    refuse(lambda: connection.send("PUT", upload, headers, body), 400, INVALID, message)


def test_other_bytes_than_were_signed(connection, refuse, upload):
    body, other = b"x" * MIB, b"y" * MIB
    message = (
        "The value passed in as x-amz-content-sha256 does not match the computed payload hash. Computed digest: "
        f"{hashlib.sha256(other).hexdigest()} expected hash: {hashlib.sha256(body).hexdigest()}"
    )
    for method, target, more in [("POST", ARCHIVES, {}), ("PUT", upload, {"content-range": f"bytes 0-{MIB - 1}/*"})]:
        signed = connection.sign(method, target, {**hashes(body), **more}, body)
        refuse(lambda: connection.send_raw(method, target, signed, other), 403, "InvalidSignatureException", message)


@pytest.mark.parametrize("word", ["UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "A" * 64, "0" * 63])
def test_payload_hashes_that_are_none(connection, refuse, word):
    headers = {**hashes(b"x"), "x-amz-content-sha256": word}
    message = f"Invalid x-amz-content-sha256: {word}. It is the SHA-256 of the body, 64 lower-case hexadecimal digits."
    refuse(lambda: connection.send("POST", ARCHIVES, headers, b"x"), 400, INVALID, message)


def test_empty_archive(connection, refuse):
    refuse(lambda: connection.send("POST", ARCHIVES, hashes(b"")), 400, INVALID, "Invalid Content-Length: 0")


@pytest.mark.parametrize("size", ["0", "1", "3145728", "8589934592", "18446744073709551616", "x"])
def test_bad_part_sizes(connection, refuse, size):
    message = (
        f"Invalid part size: {size}. Part size must not be null, must be a power of two and be between 1048576 and "
        "4294967296 bytes."
    )
    refuse(lambda: connection.send("POST", UPLOADS, {"x-amz-part-size": size}), 400, INVALID, message)


@pytest.mark.parametrize(
    ("content_range", "length", "message"),
    [
        ("bytes 0-1048576/*", MIB, "Content-Range: bytes 0-1048576/* is incompatible with Content-Length: 1048576"),
        ("bytes 5-1/*", 5, "Invalid Content-Range: bytes 5-1/*"),
        ("bytes */*", 5, "Invalid Content-Range: bytes */*"),
        (
            f"bytes {10_000 * MIB}-{10_000 * MIB}/*",
            1,
            "This is part number 10001 for the current multipart upload. It exceeds the limit of 10000 parts.",
        ),
        (
            "bytes 1-5/*",
            5,
            "Content-Range: bytes 1-5/* is incompatible with the part size 1048576: a part begins at a multiple of it "
            "and is not longer",
        ),
    ],
)
def test_ranges_that_lie(connection, refuse, upload, content_range, length, message):
    body = b"x" * length
    headers = {**hashes(body), "content-range": content_range}
    refuse(lambda: connection.send("PUT", upload, headers, body), 400, INVALID, message)


def test_completing_with_a_gap_or_a_wrong_claim(connection, refuse, upload):
    def put(first_byte, body):
        headers = {**hashes(body), "content-range": f"bytes {first_byte}-{first_byte + len(body) - 1}/*"}
        assert connection.send("PUT", upload, headers, body)[0] == 204

    def complete(size, tree):
        return connection.send("POST", upload, {"x-amz-archive-size": str(size), "x-amz-sha256-tree-hash": tree})

    whole = b"x" * (2 * MIB + 5)
    put(0, whole[:MIB])
    put(2 * MIB, whole[2 * MIB :])
    tree = tree_hash(whole)
    gap = f"The upload has a gap: no part begins at byte {MIB}"
    refuse(lambda: complete(len(whole), tree), 400, INVALID, gap)
    put(MIB, whole[MIB : 2 * MIB])
    size = "Invalid x-amz-archive-size: 5. The parts have 2097157 bytes together."
    refuse(lambda: complete(5, tree), 400, INVALID, size)
    refuse(lambda: complete(len(whole), ZEROS), 400, INVALID, f"Invalid x-amz-sha256-tree-hash: {ZEROS}")
    assert complete(len(whole), tree)[0] == 201


@pytest.mark.parametrize(("minutes", "sign", "words"), [(-6, "-", "now earlier"), (6, "+", "still later")])
def test_expired_and_not_yet_current_signatures(connection, refuse, minutes, sign, words):
    at = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    with unittest.mock.patch("botocore.auth.get_current_datetime", return_value=at.replace(tzinfo=None)):
        signed = connection.sign("POST", ARCHIVES, hashes(b"x"), b"x")
    status, headers, body = connection.send_raw("POST", ARCHIVES, signed, b"x")
    now = datetime.datetime.strptime(headers["date"], "%a, %d %b %Y %H:%M:%S GMT")
    limit = now + datetime.timedelta(minutes=5 if minutes > 0 else -5)
    form = "%Y%m%dT%H%M%SZ"
    state_of = "not yet current" if minutes > 0 else "expired"
    refusal = json.loads(body)
    assert (status, refusal["code"]) == (403, "InvalidSignatureException")
    # The answer's date and the check may fall on two sides of a second.
    messages = []
    for late in [0, 1]:
        then = datetime.timedelta(seconds=late)
        messages.append(
            f"Signature {state_of}: {at:{form}} is {words} than {limit - then:{form}} ({now - then:{form}} {sign} 5 min.)"
        )
    assert refusal["message"] in messages


def test_forged_signatures_and_strangers(store, connection, refuse):
    forged = (
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access "
        "Key and signing method. Consult the service documentation for details."
    )
    wrong_secret = Connection(store, secret="another secret of the tests")
    refuse(lambda: wrong_secret.send("PUT", "/-/vaults/mine"), 403, "InvalidSignatureException", forged)
    stranger = Connection(store, access_key_id="AKIDOFNOBODY")
    message = "The security token included in the request is invalid."
    refuse(lambda: stranger.send("PUT", "/-/vaults/mine"), 400, "UnrecognizedClientException", message)
    elsewhere = Connection(store, region="eu-west-1")
    message = "Credential should be scoped to a valid region: 'us-east-1'"
    refuse(lambda: elsewhere.send("PUT", "/-/vaults/mine"), 403, "InvalidSignatureException", message)
    signed = connection.sign("PUT", "/-/vaults/mine", {}, b"")
    refuse(lambda: connection.send_raw("PUT", "/-/vaults/theirs", signed), 403, "InvalidSignatureException", forged)
    message = "'x-amz-archive-description' must be a signed header in the Authorization header"
    signed = connection.sign("POST", ARCHIVES, hashes(b"x"), b"x") | {"x-amz-archive-description": "slipped in"}
    refuse(lambda: connection.send_raw("POST", ARCHIVES, signed, b"x"), 403, "InvalidSignatureException", message)
    unsigned = {"x-amz-glacier-version": "2012-06-01"}
    message = "Missing Authentication Token"
    code = "MissingAuthenticationTokenException"
    refuse(lambda: connection.send_raw("PUT", "/-/vaults/mine", unsigned), 400, code, message)


def test_foreign_account(connection, refuse):
    message = "The account in the path is not the account of the credentials; use its 12 digits or '-'"
    refuse(lambda: connection.send("PUT", "/210987654321/vaults/mine"), 403, "AccessDeniedException", message)
    assert connection.send("GET", f"/{ACCOUNT}/vaults/photos")[0] == 200


@pytest.mark.parametrize("path", ["/%2D/vaults/a", "/-/vault%73/a", "/-/vaults/a/../b", "/-/vaults//b", "/nowhere"])
def test_paths_of_no_operation(connection, refuse, path):
    signed = connection.sign("PUT", path, {}, b"")
    refuse(lambda: connection.send_raw("PUT", path, signed), 400, "BadRequest", "No operation has this method and path")


@pytest.mark.parametrize("name", ["a%2Fb", "%2e%2e", "a%20b", "%C3%89", "%76"])
def test_names_that_mean_something_else_when_decoded(connection, refuse, name):
    signed = connection.sign("PUT", f"/-/vaults/{name}", {}, b"")
    message = (
        "Invalid name: a vault name is 1 to 255 letters, digits, '_', '.' or '-' of ASCII, and neither '.' nor '..'"
    )
    refuse(lambda: connection.send_raw("PUT", f"/-/vaults/{name}", signed), 400, INVALID, message)


def test_a_refusal_comes_before_the_body_is_asked_for(store, connection, vault):
    """A client that waits for 100 Continue never has to send the body of a hopeless upload."""
    target = "/-/vaults/none/archives"
    headers = connection.sign("POST", target, {**hashes(b"x"), "expect": "100-continue"}, b"x")
    lines = [f"POST {target} HTTP/1.1", f"Host: {store.authority}", f"Content-Length: {1 << 32}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    host, port = store.authority.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = raw.recv(4096)
    assert answer.startswith(b"HTTP/1.1 404 "), answer


def test_a_body_that_breaks_off_leaves_nothing(store, connection, vault):
    body = b"x" * MIB
    headers = connection.sign("POST", ARCHIVES, hashes(body), body)
    lines = [f"POST {ARCHIVES} HTTP/1.1", f"Host: {store.authority}", f"Content-Length: {MIB}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    host, port = store.authority.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode() + body[: MIB // 2])
        raw.shutdown(socket.SHUT_WR)
        while raw.recv(4096):
            pass
    assert store.files() == []
    assert json.loads(connection.send("GET", "/-/vaults/photos")[2])["NumberOfArchives"] == 0
