"""Whether a bucket lets a page in is found out before a byte is sent."""

import json
import uuid

import pytest
from conftest import RULES
from gateway import ORIGIN, PART, Gateway, refused, send, sha256

MIB = 1 << 20


@pytest.fixture
def bucket(store):
    """A bucket without rules."""
    name = f"b-{uuid.uuid4().hex[:12]}"
    store.make_bucket(name)
    return name


def pages(store, tmp_path, bucket):
    """A page of a gateway that remembers nothing, as often as wanted."""
    running = []

    def page(**more):
        gateway = Gateway(tmp_path / f"gateway{len(running)}", store, buckets=[bucket])
        running.append(gateway)
        return gateway.page(objects=[f"{bucket}/"], **more)

    return page, lambda: [gateway.stop() for gateway in running]


def intents(bucket, **more):
    place = {"bucket": bucket, "key": "a/b", "storageClass": "STANDARD"}
    hashes = {"payloadHash": sha256(b"x").hex(), "treeHash": sha256(b"x").hex()}
    return {
        "PutObject": {**place, "size": 1, **hashes, **more},
        "CreateMultipartUpload": {**place, "size": 1, "partSize": PART, **more},
        "GetObject": {"bucket": bucket, "key": "a/b"},
    }


def test_a_bucket_without_rules_is_said_to_be_one_with_the_rules_to_paste(store, tmp_path, bucket):
    page, stop = pages(store, tmp_path, bucket)
    first = page()
    for op, fields in intents(bucket).items():
        error = refused(lambda op=op, fields=fields: first.do(op, b"x", **fields))
        assert (error.status, error.code) == (409, "cors_not_allowed"), op
        rules = json.loads(error.json["corsRules"])
        assert rules[0]["AllowedOrigins"] == [ORIGIN]
    store.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    second = page()
    for op, fields in intents(bucket).items():
        second.do(op, b"x", **{**fields, **({"overwrite": True} if op != "GetObject" else {})})
    stop()


def test_the_rules_to_paste_allow_all_headers_that_are_sent(store, tmp_path, bucket):
    page, stop = pages(store, tmp_path, bucket)
    more = {"metadata": {"author": "Anna", "x.y": "1"}, "contentType": "video/mp4"}
    if store.name == "localstack":
        more["tags"] = {"a": "b"}
    fields = intents(bucket, **more)["PutObject"]
    error = refused(lambda: page().do("PutObject", b"x", **fields))
    store.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": json.loads(error.json["corsRules"])})
    signed = page().sign("PutObject", **fields)
    names = ",".join(sorted(signed["headers"]))
    preflight = {"origin": ORIGIN, "access-control-request-method": "PUT", "access-control-request-headers": names}
    status, headers, _ = send(signed["url"].split("?")[0], "OPTIONS", preflight)
    allowed = [name.strip().lower() for name in headers["access-control-allow-headers"].split(",")]
    # As a browser compares: a star inside a name is none.
    assert status == 200 and all(name in allowed for name in signed["headers"])
    stop()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"AllowedOrigins": ["https://other.example.com"]}, "do not let pages of this origin in"),
        ({"AllowedMethods": ["GET", "HEAD"]}, "not with this method"),
        ({"AllowedHeaders": ["content-type"]}, "do not allow the headers"),
    ],
)
def test_what_is_missing_is_named(store, tmp_path, bucket, change, words):
    page, stop = pages(store, tmp_path, bucket)
    rules = [{**RULES[0], **change}]
    store.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    first = page()
    for op in ("PutObject", "CreateMultipartUpload"):
        error = refused(lambda op=op: first.do(op, b"x", **intents(bucket)[op]))
        assert error.code == "cors_not_allowed" and words in error.json["message"], op
    stop()


def test_a_program_that_is_no_browser_needs_no_rules(store, tmp_path, bucket):
    page, stop = pages(store, tmp_path, bucket)
    program = page(origin=None)
    for op, fields in intents(bucket).items():
        program.do(op, b"x", **{**fields, **({"overwrite": True} if op != "GetObject" else {})})
    stop()


def test_the_page_of_the_gateway_may_send_to_its_buckets(store, gateway):
    _, headers, _ = send(gateway.url + "/", "GET")
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["connect-src"] == f"'self' {store.url}"
    preflight = {
        "origin": ORIGIN,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,x-amz-content-sha256,x-amz-date,x-amz-subject",
    }
    status, headers, _ = send(gateway.url + "/v1/s3", "OPTIONS", preflight)
    allowed = [name.strip() for name in headers["access-control-allow-headers"].split(",")]
    assert status == 204 and "x-amz-subject" in allowed and headers["access-control-allow-origin"] == ORIGIN
