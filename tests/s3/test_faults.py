"""Lost and lying answers, two uploads to one key, and a node of the cluster that dies."""

import concurrent.futures
import json
import re
import threading

import botocore.exceptions
import pytest
from conftest import client
from gateway import PART, Gateway, b64, composite, refused, send, sha256, split, tree_hash
from proxy import Proxy

MIB = 1 << 20


def read(store, key):
    return store.s3.get_object(Bucket="photos", Key=key)["Body"].read()


@pytest.fixture
def proxied(store, tmp_path):
    """A store behind a proxy that a test can spoil, and a gateway that knows no other way to it."""
    proxy = Proxy(store)
    proxy.gateway = Gateway(tmp_path / "gateway", proxy)
    yield proxy
    proxy.spoil = lambda method, target, answer: answer
    proxy.gateway.stop()
    proxy.stop()


def is_complete(method, target):
    return method == "POST" and "uploadId=" in target


def open_upload(page, key, body, **more):
    upload = page.create(key, body, storageClass="STANDARD", **more)
    for number, part in enumerate(split(body), 1):
        page.send_part(upload, number, part)
    return upload


def test_a_second_object_of_the_same_key_is_refused_before_a_byte_is_sent(store, page, key):
    first, second = b"first" * 1000, b"second"
    page.put(key, first, storageClass="STANDARD")
    assert page.do("GetObject", bucket="photos", key=key)[1] == first
    for call in (lambda: page.create(key, second), lambda: page.upload(key, second)):
        error = refused(call)
        assert (error.status, error.code) == (412, "PreconditionFailed")
    error = refused(lambda: page.put(key, second))
    # Of LocalStack as of Amazon the bucket itself says so, in XML.
    assert error.status == 412 and b"PreconditionFailed" in error.body
    assert read(store, key) == first
    page.put(key, second, storageClass="STANDARD", overwrite=True)
    assert read(store, key) == second
    page.upload(key, first, storageClass="STANDARD", overwrite=True)
    assert read(store, key) == first


def test_all_that_is_looked_at_before_an_upload_is_asked_at_once(proxied, key):
    both, asked = threading.Barrier(2), []

    def instead(method, target, body):
        if method in ("OPTIONS", "HEAD"):
            asked.append(method)
            both.wait(30)  # breaks, and nothing is answered, where one is asked after the other

    proxied.instead = instead
    proxied.gateway.page().create(key, b"x")
    assert sorted(asked) == ["HEAD", "OPTIONS"]


def test_of_two_uploads_at_once_the_first_to_end_stays(store, page, key):
    first, second = b"1" * (PART + 1), b"2" * (PART + 1)
    one, two = open_upload(page, key, first), open_upload(page, key, second)
    assert page.complete(one, first)["size"] == len(first)
    error = refused(lambda: page.complete(two, second))
    assert (error.status, error.code) == (412, "PreconditionFailed")
    assert read(store, key) == first
    # Its parts are there still, to be aborted or to be completed after the first is gone.
    assert len(page.do("ListParts", upload=two)["parts"]) == 2
    page.do("DeleteObject", bucket="photos", key=key)
    if store.name == "garage":
        # To Garage an object is as old as the opening of its upload, so that a deletion ends those that are open.
        assert refused(lambda: page.complete(two, second)).code == "NoSuchUpload"
    else:
        page.complete(two, second)
        assert read(store, key) == second


def test_a_small_file_whose_answer_was_lost_is_sent_again(garage, gateways, key):
    page = gateways(garage).page()
    page.put(key, b"the same")
    # Garage would overwrite anything; the gateway lets pass only what is there already.
    page.put(key, b"the same")
    assert refused(lambda: page.put(key, b"another!")).code == "PreconditionFailed"
    assert read(garage, key) == b"the same"


def test_a_complete_whose_answer_was_lost_gives_the_same_object(store, proxied, key):
    page, body = proxied.gateway.page(origin=None), b"x" * (PART + MIB)
    upload = open_upload(page, key, body)
    lost = []

    def lose(method, target, answer):
        if is_complete(method, target):
            lost.append(target)
            return None
        return answer

    proxied.spoil = lose
    # Looked at at once: the gateway finds what was made, so that the page does not even notice.
    done = page.complete(upload, body)
    assert lost and done["checksum"] == composite(split(body))
    proxied.spoil = lambda method, target, answer: answer
    assert page.complete(upload, body) == done == page.complete(upload, body)
    assert read(store, key) == body
    # Nothing else would have been taken for it.
    other = refused(lambda: page.complete(upload, body, treeHash="00" * 32, checksum=composite([b"a", b"b"])))
    assert (other.status, other.code) == (404, "NoSuchUpload")


def test_a_success_that_carries_an_error_is_none(store, proxied, key):
    page, body = proxied.gateway.page(origin=None), b"x" * 100
    upload = open_upload(page, key, body)
    error = b"\n \n<?xml version='1.0'?><Error><Code>InternalError</Code><Message>canary</Message></Error>"

    def spoil(method, target, answer):
        return (200, [], error) if is_complete(method, target) else answer

    # As if it had not been done: the store's object is hidden, too.
    def hide(method, target, answer):
        return (404, [], b"") if method == "HEAD" else spoil(method, target, answer)

    proxied.spoil = hide
    refusal = refused(lambda: page.complete(upload, body))
    assert (refusal.status, refusal.code) == (503, "unavailable") and b"canary" not in refusal.body
    proxied.spoil = lambda method, target, answer: answer
    assert page.complete(upload, body)["size"] == 100


@pytest.mark.parametrize(
    "answer",
    [
        (200, [], b"<html>sign in to this network</html>"),
        (200, [], b"<!DOCTYPE r [<!ENTITY a 'b'>]><ListPartsResult>&a;</ListPartsResult>"),
        (200, [], b"<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>"),
        (200, [], b"<ListPartsResult>" + b"<Part>" * 100_000),
        (200, [], b"x" * (9 << 20)),
        (302, [("location", "http://127.0.0.1:1/")], b""),
        (500, [], b""),
        None,
    ],
    ids=["html", "entities", "truncated", "deep", "long", "redirect", "trouble", "nothing"],
)
def test_nonsense_from_the_store_is_an_error_and_never_a_success(garage, tmp_path, key, answer):
    proxy = Proxy(garage)
    gateway = Gateway(tmp_path / "gateway", proxy)
    page = gateway.page(origin=None)
    upload = page.create(key, b"x")
    proxy.spoil = lambda method, target, real: answer
    for call in [
        lambda: page.do("ListParts", upload=upload),
        lambda: page.complete(upload, b"x"),
        lambda: page.create(key, b"x", overwrite=True),
        lambda: page.do("HeadObject", bucket="photos", key=key),
        lambda: page.do("ListMultipartUploads", bucket="photos"),
    ]:
        error = refused(call)
        assert (error.status, error.code) in [(503, "unavailable"), (403, "AccessDenied")], error
        assert set(error.json) <= {"code", "message", "requestId", "intent"}
    gateway.stop()
    proxy.stop()


def test_a_list_that_never_ends_is_given_up(garage, tmp_path, key):
    proxy = Proxy(garage)
    gateway = Gateway(tmp_path / "gateway", proxy)
    page = gateway.page(origin=None)
    upload = page.create(key, b"x")
    page.send_part(upload, 1, b"x")

    def for_ever(method, target, answer):
        status, headers, body = answer
        body = body.replace(b"<IsTruncated>false<", b"<NextPartNumberMarker>1</NextPartNumberMarker><IsTruncated>true<")
        return status, headers, body

    proxy.spoil = for_ever
    assert refused(lambda: page.complete(upload, b"x")).code == "unavailable"
    assert len(proxy.seen) < 20
    gateway.stop()
    proxy.stop()


def test_an_object_of_another_size_than_was_sent_is_not_called_done(garage, tmp_path, key):
    proxy = Proxy(garage)
    gateway = Gateway(tmp_path / "gateway", proxy)
    page, body = gateway.page(origin=None), b"x" * 100
    upload = open_upload(page, key, body)

    def shorten(method, target, answer):
        status, headers, body = answer
        # What LocalStack was seen to do by itself: the right checksum, and bytes missing.
        if method == "HEAD" and status == 200:
            headers = [(name, "99" if name.lower() == "content-length" else value) for name, value in headers]
        return status, headers, body

    proxy.spoil = shorten
    assert refused(lambda: page.complete(upload, body)).code == "BadDigest"
    gateway.stop()
    proxy.stop()


def test_a_store_without_checksums_of_parts_is_refused_before_a_byte_is_sent(garage, tmp_path, key):
    proxy = Proxy(garage)
    gateway = Gateway(tmp_path / "gateway", proxy)

    def without(method, target, answer):
        status, headers, body = answer
        return status, [(name, value) for name, value in headers if "checksum" not in name.lower()], body

    proxy.spoil = without
    page = gateway.page(origin=None)
    error = refused(lambda: page.create(key, b"x"))
    assert (error.status, error.code) == (501, "checksums_not_kept")
    proxy.spoil = lambda method, target, answer: answer
    assert page.do("ListMultipartUploads", bucket="photos", prefix=key)["uploads"] == []
    upload = page.create(key, b"x")
    page.send_part(upload, 1, b"x")
    strip = re.compile(rb"<ChecksumSHA256>[^<]*</ChecksumSHA256>")
    proxy.spoil = lambda method, target, answer: (answer[0], answer[1], strip.sub(b"", answer[2]))
    assert page.do("ListParts", upload=upload)["parts"] == [{"partNumber": 1, "size": 1, "payloadHash": None}]
    assert refused(lambda: page.complete(upload, b"x")).code == "checksums_not_kept"
    gateway.stop()
    proxy.stop()


@pytest.mark.parametrize("fault", ["missing", "short", "other", "composite"])
def test_complete_compares_before_it_asks(store, page, key, fault):
    body = b"a" * PART + b"b" * MIB
    upload = page.create(key, body)
    parts = split(body)
    page.send_part(upload, 1, parts[0])
    if fault != "missing":
        sent = {"short": parts[1][:-1], "other": b"c" * MIB, "composite": parts[1]}[fault]
        page.send_part(upload, 2, sent, size=len(sent))
    more = {"checksum": composite([b"a", b"b"])} if fault == "composite" else {}
    error = refused(lambda: page.complete(upload, body, **more))
    assert (error.status, error.code) == (400, "InvalidPart")
    # Nothing is lost: what differs is sent again.
    page.send_part(upload, 2, parts[1])
    assert page.complete(upload, body)["checksum"] == composite(parts)


def test_more_parts_than_a_page_of_a_list_has(localstack, gateways, key):
    # Not at Garage, which needs minutes for a thousand parts of one upload.
    page, count = gateways(localstack).page(), 1003
    upload = page.create(key, b"", size=count * PART)

    def put(number, signed):
        status, _, answer = send(signed["url"], "PUT", signed["headers"], number.to_bytes(2))
        assert status == 200, answer

    for first in range(1, count + 1, 100):
        numbers = range(first, min(first + 100, count + 1))
        # A stream's parts may be short until it is completed.
        intents = [
            {
                "op": "s3:UploadPart",
                "upload": upload,
                "partNumber": number,
                "size": 2,
                "payloadHash": sha256(number.to_bytes(2)).hex(),
            }
            for number in numbers
        ]
        with concurrent.futures.ThreadPoolExecutor(20) as threads:
            list(threads.map(put, numbers, page.sign_many(*intents)))
    pages, marker = [], None
    while True:
        found = page.do("ListParts", upload=upload, **({"marker": marker} if marker else {}))
        pages.append(found["parts"])
        marker = found["marker"]
        if marker is None:
            break
    assert [len(parts) for parts in pages] == [1000, 3]
    expected = [(number, 2, sha256(number.to_bytes(2)).hex()) for number in range(1, count + 1)]
    assert [(part["partNumber"], part["size"], part["payloadHash"]) for parts in pages for part in parts] == expected
    # The gateway reads every page before it completes, and sees that the parts are not what was planned.
    hashes = b"".join(sha256(number.to_bytes(2)) for number in range(1, count + 1))
    checksum = f"{b64(sha256(hashes))}-{count}"
    error = refused(lambda: page.complete(upload, b"", size=count * PART, checksum=checksum, treeHash=tree_hash(b"")))
    assert error.code == "InvalidPart"
    for bad in ["-1", "1e3", "x", "1&uploadId=y", "100000"]:
        assert refused(lambda bad=bad: page.do("ListParts", upload=upload, marker=bad)).code == "invalid_request", bad
    page.do("AbortMultipartUpload", upload=upload)


def test_part_ten_thousand_is_the_last(store, page, key):
    upload = page.create(key, b"", size=10_000 * PART)
    page.send_part(upload, 10_000, b"end", size=3)
    assert [part["partNumber"] for part in page.do("ListParts", upload=upload)["parts"]] == [10_000]
    one_more = lambda: page.sign("UploadPart", upload=upload, partNumber=10_001, payloadHash="00" * 32)  # noqa: E731
    assert refused(one_more).code == "invalid_request"
    # The store's own word for it, asked without the gateway: Garage takes any number, so there the gateway is the bound.
    boto = client(store)
    upload_id = boto.list_multipart_uploads(Bucket="photos", Prefix=key)["Uploads"][0]["UploadId"]
    ask = {"Bucket": "photos", "Key": key, "UploadId": upload_id, "PartNumber": 10_001, "Body": b"x"}
    if store.name == "localstack":
        with pytest.raises(botocore.exceptions.ClientError) as error:
            boto.upload_part(**ask)
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    page.do("AbortMultipartUpload", upload=upload)


def test_an_upload_goes_on_while_a_node_of_the_cluster_is_dead(garage, gateways, key):
    page, body = gateways(garage).page(), bytes(range(256)) * (3 * PART // 256) + b"end"
    upload = page.create(key, body)
    parts = split(body)
    page.send_part(upload, 1, parts[0])
    dead = garage.nodes[2]
    dead.kill()
    try:
        for number, part in list(enumerate(parts, 1))[1:]:
            headers, _ = page.send_part(upload, number, part)
            assert headers["x-amz-checksum-sha256"] == b64(sha256(part))
        assert page.complete(upload, body)["checksum"] == composite(parts)
        survivor = garage.nodes[1]
        assert client(garage, f"http://{survivor.s3}").get_object(Bucket="photos", Key=key)["Body"].read() == body
    finally:
        garage.revive(dead)
    assert client(garage, f"http://{dead.s3}").get_object(Bucket="photos", Key=key)["Body"].read() == body


def test_errors_are_json_and_say_nothing_of_the_store_s_words(store, page, key):
    error = refused(lambda: page.do("HeadObject", bucket="photos", key=key))
    assert json.loads(error.body).keys() == {"code", "message", "requestId"}
    assert store.secret_access_key.encode() not in error.body or len(store.secret_access_key) < 8
