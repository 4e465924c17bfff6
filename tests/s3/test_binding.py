"""What a signature is good for: one place, one length, those bytes, that subject, five minutes, and nothing else."""

import datetime
import json
import urllib.parse

import botocore.auth
import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from gateway import PART, Gateway, b64, composite, refused, send, sha256, split, tree_hash

MIB = 1 << 20


def is_stored(store, key):
    try:
        store.s3.head_object(Bucket="photos", Key=key)
        return True
    except store.s3.exceptions.ClientError:
        return False


def presign(request, credentials, region, at):
    """By botocore, at another time than now."""
    original = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda *_, **__: at.replace(tzinfo=None)
    try:
        S3SigV4QueryAuth(credentials, "s3", region, expires=300).add_auth(request)
    finally:
        botocore.auth.get_current_datetime = original


def put_intent(key, body):
    return {
        "bucket": "photos",
        "key": key,
        "size": len(body),
        "payloadHash": sha256(body).hex(),
        "treeHash": tree_hash(body),
        "storageClass": "STANDARD",
    }


def test_other_bytes_another_length_and_other_headers_are_refused_by_the_store(store, page, key):
    body = b"the bytes that were hashed"
    signed = page.sign("PutObject", **put_intent(key, body), metadata={"author": "Anna"})
    for spoilt in (b"THE" + body[3:], body + b"!", body[:-1], b""):
        assert page.use(signed, spoilt)[0] in (400, 403), spoilt
    headers = signed["headers"]
    assert set(headers) == {
        "if-none-match",
        "x-amz-checksum-sha256",
        "x-amz-meta-author",
        "x-amz-meta-sha256-tree-hash",
        "x-amz-storage-class",
    }
    for name in headers:
        without = {**signed, "headers": {key: value for key, value in headers.items() if key != name}}
        assert page.use(without, body)[0] in (400, 403), f"without {name}"
        other = {**signed, "headers": {**headers, name: headers[name][::-1] + "x"}}
        assert page.use(other, body)[0] in (400, 403), f"another {name}"
    for name, value in [("x-amz-acl", "public-read"), ("x-amz-meta-more", "1"), ("x-amz-website-redirect-location", "/")]:
        assert page.use({**signed, "headers": {**headers, name: value}}, body)[0] in (400, 403), f"more: {name}"
    assert not is_stored(store, key)
    assert page.use(signed, body)[0] == 200
    assert is_stored(store, key)


def test_a_part_is_good_for_its_number_its_upload_and_its_bytes(store, page, key):
    # Of a stream, whose parts may be short: a store that refuses does not read a long body to its end.
    upload, other = (page.create(name, b"", size=2 * PART) for name in (key, key + "2"))
    body = b"the bytes that were hashed"
    part = {"partNumber": 1, "payloadHash": sha256(body).hex(), "size": len(body)}
    signed, elsewhere = (page.sign("UploadPart", upload=handle, **part) for handle in (upload, other))
    url = urllib.parse.urlsplit(signed["url"])
    query = dict(urllib.parse.parse_qsl(url.query))
    swapped = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(elsewhere["url"]).query))["uploadId"]
    for change in [
        {"partNumber": "2"},
        {"uploadId": swapped},
        {"X-Amz-Expires": "604800"},
        {"X-Amz-Date": "20990101T000000Z"},
        {"X-Amz-SignedHeaders": "host"},
        {"tagging": ""},
    ]:
        changed = url._replace(query=urllib.parse.urlencode({**query, **change}, quote_via=urllib.parse.quote))
        status = page.use({**signed, "url": changed.geturl()}, body)[0]
        assert status in (400, 403, 404), change
    for path in (url.path + "2", url.path.replace("/photos/", "/films/")):
        assert page.use({**signed, "url": url._replace(path=path).geturl()}, body)[0] in (400, 403, 404), path
    for method in ("GET", "POST", "DELETE"):
        assert page.use({**signed, "method": method}, body)[0] in (400, 403, 405), method
    assert page.use(signed, b"A" + body[1:])[0] in (400, 403)
    for handle in (upload, other):
        assert page.do("ListParts", upload=handle)["parts"] == []
    assert page.use(signed, body)[0] == 200


def test_a_url_lives_five_minutes_and_the_store_knows(store, page, key):
    body = b"x"
    signed = page.sign("PutObject", **put_intent(key, body))
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(signed["url"]).query))
    made = datetime.datetime.strptime(query["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
    now = datetime.datetime.now(datetime.UTC)
    assert abs((now - made).total_seconds()) < 60
    assert query["X-Amz-Expires"] == "300" and signed["expiresInMs"] <= 300_000
    # The same, made by botocore six minutes ago.
    request = AWSRequest("PUT", signed["url"].split("?")[0], headers={**signed["headers"], "content-length": "1"})
    credentials = Credentials(store.access_key_id, store.secret_access_key)
    presign(request, credentials, store.region, now - datetime.timedelta(minutes=6))
    assert send(request.url, "PUT", signed["headers"], body)[0] in (400, 403)
    assert not is_stored(store, key)


def test_a_foreign_handle_a_broken_one_and_none_are_answered_alike(gateway, key):
    anna, bob = gateway.page(sub="anna"), gateway.page(sub="bob")
    body = b"x" * MIB
    handle = anna.create(key, body)
    gone = anna.create(key, body)
    anna.do("AbortMultipartUpload", upload=gone)
    hash = sha256(body).hex()
    form, sealed, tag = handle.split(".")
    fields = {
        "UploadPart": {"partNumber": 1, "payloadHash": hash},
        "ListParts": {},
        "CompleteMultipartUpload": {"size": 1, "checksum": composite([body]), "treeHash": hash},
        "AbortMultipartUpload": {},
    }
    for op, more in fields.items():
        answers = set()
        for upload in [handle, "u1", "u1..", "garbage", f"{form}.{sealed}.{tag[::-1]}", f"{form}.{sealed[:-4]}.{tag}"]:
            error = refused(lambda upload=upload, op=op, more=more: bob.sign(op, upload=upload, **more))
            answer = error.json
            assert answer.pop("requestId")
            answers.add((error.status, json.dumps(answer)))
        assert len(answers) == 1, op
        status, answer = answers.pop()
        assert (status, json.loads(answer)["code"]) == (404, "NoSuchUpload")
        # And as one that was anna's own, once, where the gateway asks the store.
        if op != "UploadPart":
            error = refused(lambda op=op, more=more: anna.do(op, upload=gone, **more))
            assert (error.status, error.code, error.json["message"]) == (404, "NoSuchUpload", json.loads(answer)["message"])
    assert anna.do("ListParts", upload=handle)["parts"] == []


def test_a_token_is_good_for_its_prefix_alone(gateway, key):
    page = gateway.page(objects=["photos/anna/", "films/"])
    page.put(f"anna/{key}", b"x")
    for denied in ["annabel/1", "anna", "x/anna/1", "/anna/1", "Anna/1", "anna%2F1", "..%2fanna/1"]:
        for call in [
            lambda denied=denied: page.put(denied, b"x"),
            lambda denied=denied: page.create(denied, b"x"),
            lambda denied=denied: page.do("GetObject", bucket="photos", key=denied),
            lambda denied=denied: page.do("HeadObject", bucket="photos", key=denied),
            lambda denied=denied: page.do("DeleteObject", bucket="photos", key=denied),
            lambda denied=denied: page.do("RestoreObject", bucket="photos", key=denied, days=1, tier="Bulk"),
            lambda denied=denied: page.do("ListMultipartUploads", bucket="photos", prefix=denied),
        ]:
            error = refused(call)
            assert (error.status, error.code) == (403, "operation_denied"), denied
    assert refused(lambda: page.do("ListMultipartUploads", bucket="photos")).code == "operation_denied"
    # The gateway was not told of that bucket, whatever the token says.
    assert refused(lambda: page.do("HeadObject", bucket="films", key="x")).code == "operation_denied"
    # A browser resolves these however they are escaped, and a proxy might.
    for key in ["anna/../bob/1", "anna/./1", "..", "anna/..", "anna/1\n", "anna/1\0", "", "k" * 1025]:
        error = refused(lambda key=key: page.put(key, b"x"))
        assert (error.status, error.code) == (422, "invalid_request"), repr(key)
    for bucket in ["", "Photos", "photos/", "../photos", "photos%2f", "127.0.0.1", "photos\n"]:
        error = refused(lambda bucket=bucket: page.do("HeadObject", bucket=bucket, key="anna/1"))
        assert (error.status, error.code) == (422, "invalid_request"), repr(bucket)


def test_a_handle_is_of_no_use_to_a_token_for_elsewhere(gateway, key):
    upload = gateway.page().create(key, b"x" * MIB)
    elsewhere = gateway.page(objects=["photos/other/"])
    error = refused(lambda: elsewhere.do("ListParts", upload=upload))
    assert (error.status, error.code) == (403, "operation_denied")


@pytest.mark.parametrize(
    ("ops", "allowed"),
    [
        (["upload"], {"PutObject", "CreateMultipartUpload", "UploadPart", "ListParts", "AbortMultipartUpload"}),
        (["read"], {"ListParts", "ListMultipartUploads", "HeadObject", "GetObject", "RestoreObject"}),
        (["delete"], {"DeleteObject", "AbortMultipartUpload"}),
        (["admin"], set()),
        (["ListParts", "s3:PutObject"], {"PutObject"}),
        ([], set()),
    ],
)
def test_a_token_allows_what_its_sets_say(garage, gateways, key, ops, allowed):
    gateway = gateways(garage)
    upload = gateway.page().create(key, b"x" * MIB)
    page, place = gateway.page(ops=ops), {"bucket": "photos", "key": key}
    intents = {
        "PutObject": put_intent(key, b"x"),
        "CreateMultipartUpload": {**place, "size": 1, "partSize": PART, "storageClass": "GLACIER"},
        "UploadPart": {"upload": upload, "partNumber": 1, "payloadHash": sha256(b"x").hex()},
        "ListParts": {"upload": upload},
        "AbortMultipartUpload": {"upload": upload},
        "ListMultipartUploads": {"bucket": "photos"},
        "HeadObject": place,
        "GetObject": place,
        "RestoreObject": {**place, "days": 1, "tier": "Bulk"},
        "DeleteObject": place,
    }
    for op, fields in intents.items():
        if op in allowed:
            page.sign(op, **fields)
        else:
            error = refused(lambda op=op, fields=fields: page.sign(op, **fields))
            assert (error.status, error.code) == (403, "operation_denied"), (ops, op)


def test_sizes_and_numbers_that_cannot_be_are_refused_before_a_byte(garage, gateways, key):
    gateway = gateways(garage)
    page, place = gateway.page(), {"bucket": "photos", "key": key, "storageClass": "GLACIER"}
    create = lambda **more: page.do("CreateMultipartUpload", **{**place, "partSize": PART, **more})  # noqa: E731
    for size, part_size, code in [
        (1, MIB, "invalid_request"),
        (1, 4 * MIB, "invalid_request"),
        (1, 5 * MIB, "invalid_request"),
        (1, 8 << 30, "invalid_request"),
        (10_000 * PART + 1, PART, "invalid_request"),
        (10_000 * (5 << 30) + 1, 4 << 30, "invalid_request"),
        # More than the token allows, which is as much as an object of S3 could ever be asked to hold.
        (2**46 + 1, 4 << 30, "limit_exceeded"),
        (-1, PART, "invalid_request"),
        (2**64, PART, "invalid_request"),
        (1.5, PART, "invalid_request"),
    ]:
        assert refused(lambda size=size, part_size=part_size: create(size=size, partSize=part_size)).code == code, size
    upload = create(size=10_000 * PART)["upload"]
    for number in [0, 10_001, 2**32, -1, 1.5, "1", None]:
        sign = lambda number=number: page.sign("UploadPart", upload=upload, partNumber=number, payloadHash="00" * 32)  # noqa: E731
        assert refused(sign).code == "invalid_request", number
    page.sign("UploadPart", upload=upload, partNumber=10_000, payloadHash="00" * 32)
    short = create(size=PART + 1)["upload"]
    for more in [{"partNumber": 3}, {"partNumber": 2, "size": 2}, {"partNumber": 1, "size": 0}]:
        sign = lambda more=more: page.sign("UploadPart", upload=short, payloadHash="00" * 32, **more)  # noqa: E731
        assert refused(sign).code == "invalid_request", more
    big = put_intent(key, b"")
    assert refused(lambda: page.sign("PutObject", **{**big, "size": (5 << 30) + 1})).code == "invalid_request"
    page.sign("PutObject", **{**big, "size": 5 << 30})
    small = gateway.page(maxArchiveBytes=5)
    assert refused(lambda: small.put(key, b"123456")).code == "limit_exceeded"
    small.put(key, b"12345")


def test_what_is_signed_for_the_gateway_is_good_for_that_body_and_subject(gateway, key):
    page = gateway.page()
    page.put(key, b"x")
    signed = page.sign("DeleteObject", bucket="photos", key=key)
    headers, body = signed["headers"], signed["body"].encode()
    url = gateway.url + signed["url"]
    assert signed["url"] == "/v1/s3"
    for change, expected in [
        ({"body": body.replace(b"photos", b"photoz")}, 403),
        ({"body": body + b" "}, 403),
        ({"body": b"{}"}, 403),
        ({"headers": {**headers, "x-amz-subject": "bob"}}, 403),
        ({"headers": {key: value for key, value in headers.items() if key != "x-amz-subject"}}, 403),
        ({"headers": {**headers, "x-amz-date": "20260101T000000Z"}}, 403),
        ({"headers": {**headers, "x-amz-more": "1"}}, 403),
        ({"headers": {**headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD"}}, 403),
        ({"headers": {**headers, "authorization": f"Bearer {page.token}"}}, 403),
        ({"headers": {"content-type": "application/json"}}, 403),
        ({"headers": {**headers, "content-type": "text/plain"}}, 415),
        ({"url": url + "?x=1"}, 403),
        ({"method": "PUT"}, 405),
        ({"method": "GET", "body": b""}, 405),
        ({"body": b" " * (64 << 10)}, 413),
    ]:
        request = {"url": url, "method": "POST", "headers": headers, "body": body, **change}
        status, _, answer = send(request["url"], request["method"], request["headers"], request["body"])
        assert status == expected, (change, status, answer)
    assert page.do("HeadObject", bucket="photos", key=key)["size"] == 1
    # A signature for the bucket is none for the gateway, and the other way round.
    presigned = page.sign("GetObject", bucket="photos", key=key)
    query = urllib.parse.urlsplit(presigned["url"]).query
    assert send(f"{url}?{query}", "POST", {"content-type": "application/json"}, body)[0] == 403
    assert page.use(signed)[0] == 204


def test_any_gateway_with_the_key_goes_on_with_any_upload(garage, gateways, tmp_path, key):
    first = gateways(garage)
    second, stranger = (
        Gateway(tmp_path / name, garage, token_key=token_key)
        for name, token_key in [("second", first.key), ("stranger", None)]
    )
    body = b"a" * PART + b"b"
    upload = first.page().create(key, body)
    second.page().send_part(upload, 1, body[:PART])
    first.page().send_part(upload, 2, body[PART:])
    signed = first.page().sign("ListParts", upload=upload)
    status, _, answer = send(second.url + signed["url"], "POST", signed["headers"], signed["body"].encode())
    # The host is signed, so that a request is good for one name of the gateway, and here each has its own.
    assert status == 403 and b"InvalidSignatureException" in answer
    assert refused(lambda: stranger.page().do("ListParts", upload=upload)).code == "NoSuchUpload"
    assert second.page().complete(upload, body)["checksum"] == composite(split(body))
    for gateway in (second, stranger):
        gateway.stop()


def test_the_session_token_travels_in_the_url(garage, tmp_path, key):
    # Garage knows no session tokens; what is looked at is the URL alone, which botocore must make alike.
    gateway = Gateway(tmp_path / "g", garage, session_token="FwoGZXIvYXdzE/+=")
    signed = gateway.page(origin=None).sign("GetObject", bucket="photos", key=key)
    url = urllib.parse.urlsplit(signed["url"])
    query = urllib.parse.parse_qs(url.query)
    assert query["X-Amz-Security-Token"] == ["FwoGZXIvYXdzE/+="]
    credentials = Credentials(garage.access_key_id, garage.secret_access_key, "FwoGZXIvYXdzE/+=")
    request = AWSRequest("GET", signed["url"].split("?")[0])
    at = datetime.datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ")
    presign(request, credentials, garage.region, at)
    expected = urllib.parse.parse_qs(urllib.parse.urlsplit(request.url).query)
    assert query == expected
    gateway.stop()


def test_a_program_that_is_no_browser_needs_no_leave(store, gateway, key):
    program = gateway.page(origin=None)
    headers, _ = program.put(key, b"abc")
    assert headers["x-amz-checksum-sha256"] == b64(sha256(b"abc"))
