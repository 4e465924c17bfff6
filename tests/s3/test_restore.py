"""Objects of the archive classes: refused, restored, waited for and read back. LocalStack keeps them, and restores them at
once; what takes Amazon hours is played by a proxy that has it wait."""

import datetime
import random
import xml.etree.ElementTree as ElementTree

import pytest
from conftest import client
from gateway import PART, Gateway, composite, refused, split, tree_hash
from proxy import Proxy

MIB = 1 << 20
BODY = random.Random(11).randbytes(2 * PART + 3 * MIB + 5)
ALREADY = b"<Error><Code>RestoreAlreadyInProgress</Code><Message>canary</Message></Error>"


def is_restore(method, target):
    return method == "POST" and "?restore" in target


@pytest.fixture
def slow(localstack, tmp_path):
    """LocalStack whose restores take until `end()`: until then it has not heard of them."""
    proxy = Proxy(localstack)
    proxy.asked, proxy.is_over = [], False

    def instead(method, target, body):
        if not is_restore(method, target) or proxy.is_over:
            return None
        proxy.asked.append((target, body))
        return (202, [], b"") if len(proxy.asked) == 1 else (409, [("content-type", "application/xml")], ALREADY)

    def spoil(method, target, answer):
        if method != "HEAD" or not proxy.asked or proxy.is_over:
            return answer
        status, headers, body = answer
        return status, [*headers, ("x-amz-restore", 'ongoing-request="true"')], body

    def end(key):
        request = {"Days": 1, "GlacierJobParameters": {"Tier": "Bulk"}}
        localstack.s3.restore_object(Bucket="photos", Key=key, RestoreRequest=request)
        proxy.is_over = True

    proxy.instead, proxy.spoil, proxy.end = instead, spoil, end
    proxy.gateway = Gateway(tmp_path / "gateway", proxy)
    yield proxy
    proxy.gateway.stop()
    proxy.stop()


def assert_archived(page, place):
    for range in ({}, {"range": "0-1"}):
        status, _, answer = page.use(page.sign("GetObject", **place, **range))
        assert status == 403 and b"<Code>InvalidObjectState<" in answer


def assert_read_back(page, place, body):
    """By the ranges of a download, as a page fetches them."""
    read = b""
    for first in range(0, len(body), PART):
        last = min(first + PART, len(body)) - 1
        headers, piece = page.do("GetObject", **place, range=f"{first}-{last}")
        assert headers["content-range"] == f"bytes {first}-{last}/{len(body)}"
        read += piece
    assert read == body


@pytest.mark.parametrize("storage_class", ["GLACIER", "DEEP_ARCHIVE"])
@pytest.mark.parametrize("tier", ["Standard", "Bulk"])
@pytest.mark.parametrize("body", [BODY, BODY[:5]], ids=["parts", "one request"])
def test_an_archived_object_is_restored_and_read(localstack, gateways, key, storage_class, tier, body):
    page, place = gateways(localstack).page(), {"bucket": "photos", "key": key}
    (page.upload if len(body) > PART else page.put)(key, body, storageClass=storage_class)
    before = page.do("HeadObject", **place)
    assert (before["storageClass"], before["archived"], before["restore"]) == (storage_class, True, None)
    assert_archived(page, place)
    signed = page.sign("RestoreObject", **place, days=2, tier=tier)
    status, _, answer = page.use(signed)
    assert (status, answer) == (202, b'{"started":true}')
    head, expected = page.do("HeadObject", **place), localstack.s3.head_object(Bucket="photos", Key=key)
    expiry = datetime.datetime.strptime(head["restore"].pop("expiry"), "%Y-%m-%dT%H:%M:%SZ")
    assert head["restore"] == {"ongoing": False}
    assert expected["Restore"] == f'ongoing-request="false", expiry-date="{expiry:%a, %d %b %Y %H:%M:%S} GMT"'
    assert (head["archived"], head["etag"]) == (True, before["etag"])
    # What a download is verified with.
    assert (head["treeHash"], head["size"]) == (tree_hash(body), len(body))
    if len(body) > PART:
        assert head["checksum"] == composite(split(body))
    assert_read_back(page, place, body)
    # Asked again it is kept longer.
    status, _, answer = page.use(page.sign("RestoreObject", **place, days=9, tier=tier))
    assert (status, answer) == (200, b'{"started":false}')
    longer = page.do("HeadObject", **place)["restore"]["expiry"]
    assert datetime.datetime.strptime(longer, "%Y-%m-%dT%H:%M:%SZ") - expiry == datetime.timedelta(days=7)


def test_a_restore_that_takes_its_time_is_seen_from_its_beginning_to_its_end(slow, key):
    page, place = slow.gateway.page(origin=None), {"bucket": "photos", "key": key}
    page.upload(key, BODY, storageClass="DEEP_ARCHIVE")
    assert_archived(page, place)
    for _ in range(2):
        # The second is refused by the store, since the first is under way, and is as good as the first.
        status, _, answer = page.use(page.sign("RestoreObject", **place, days=2, tier="Bulk"))
        assert (status, answer) == (202, b'{"started":true}')
        head = page.do("HeadObject", **place)
        assert (head["archived"], head["restore"]) == (True, {"ongoing": True})
        assert_archived(page, place)
    assert len(slow.asked) == 2
    slow.end(key)
    head = page.do("HeadObject", **place)
    assert head["archived"] and head["restore"]["ongoing"] is False and "expiry" in head["restore"]
    assert_read_back(page, place, BODY)
    assert page.do("RestoreObject", **place, days=3, tier="Bulk") == {"started": False}


def elements(document):
    """Names without their namespace, texts, and what is inside. In any order: boto3 writes them as its caller had them."""
    root = ElementTree.fromstring(document)
    read = lambda node: (node.tag.rpartition("}")[2], node.text, sorted(read(child) for child in node))  # noqa: E731
    return read(root)


@pytest.mark.parametrize("days", [1, 30, None])
@pytest.mark.parametrize("tier", ["Expedited", "Standard", "Bulk"])
def test_the_store_is_asked_in_the_words_of_boto3(slow, key, days, tier):
    page = slow.gateway.page(origin=None)
    page.put(key, b"x")
    given = {} if days is None else {"days": days}
    page.do("RestoreObject", bucket="photos", key=key, tier=tier, **given)
    request = {"GlacierJobParameters": {"Tier": tier}, **({} if days is None else {"Days": days})}
    boto3 = client(slow)
    try:
        boto3.restore_object(Bucket="photos", Key=key, RestoreRequest=request)
    except boto3.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "RestoreAlreadyInProgress"
    (ours, our_body), (theirs, their_body) = slow.asked
    assert ours.split("?")[0] == theirs.split("?")[0]
    assert elements(our_body) == elements(their_body)


def test_what_intelligent_tiering_put_away_moves_back_without_a_number_of_days(slow, key):
    page, place = slow.gateway.page(origin=None), {"bucket": "photos", "key": key}
    page.put(key, BODY[:5], storageClass="INTELLIGENT_TIERING")
    assert page.do("HeadObject", **place)["archived"] is False
    step = {"x-amz-archive-status": "DEEP_ARCHIVE_ACCESS"}
    refuse = lambda method: (403, [], b"<Error><Code>InvalidObjectState</Code></Error>") if method == "GET" and step else None  # noqa: E731
    restores = []

    def instead(method, target, body):
        if is_restore(method, target):
            # S3 takes no number of days where no copy is made.
            days = [child for child in elements(body)[2] if child[0] == "Days"]
            restores.append(days)
            step["x-amz-restore"] = 'ongoing-request="true"'
            return (400, [], b"<Error><Code>MalformedXML</Code></Error>") if days else (202, [], b"")
        return refuse(method)

    def spoil(method, target, answer):
        status, headers, body = answer
        return (status, [*headers, *step.items()], body) if method == "HEAD" else answer

    slow.instead, slow.spoil = instead, spoil
    head = page.do("HeadObject", **place)
    assert (head["storageClass"], head["archived"], head["restore"]) == ("INTELLIGENT_TIERING", True, None)
    assert_archived(page, place)
    assert refused(lambda: page.do("RestoreObject", **place, days=3, tier="Standard")).status == 400
    assert page.do("RestoreObject", **place, tier="Standard") == {"started": True}
    assert [len(days) for days in restores] == [1, 0]
    head = page.do("HeadObject", **place)
    assert (head["archived"], head["restore"]) == (True, {"ongoing": True})
    step.clear()
    head = page.do("HeadObject", **place)
    assert (head["archived"], head["restore"]) == (False, None)
    assert_read_back(page, place, BODY[:5])


def test_one_version_is_restored_and_the_others_stay_where_they_are(localstack, tmp_path, key):
    localstack.make_bucket("films")
    versioning = {"Status": "Enabled"}
    localstack.s3.put_bucket_versioning(Bucket="films", VersioningConfiguration=versioning)
    gateway = Gateway(tmp_path / "gateway", localstack, buckets=("films",))
    page = gateway.page(objects=["films/"], origin=None)
    bodies = [b"first", b"second"]
    for body in bodies:
        page.put(key, body, bucket="films", storageClass="GLACIER", overwrite=True)
    ids = [version["VersionId"] for version in localstack.s3.list_object_versions(Bucket="films")["Versions"]][::-1]
    places = [{"bucket": "films", "key": key, "versionId": id} for id in ids]
    first, second = [place for _, place in sorted((page.do("HeadObject", **place)["size"], place) for place in places)]
    assert page.do("RestoreObject", **first, days=1, tier="Standard") == {"started": True}
    assert page.do("GetObject", **first)[1] == bodies[0]
    assert_archived(page, second)
    assert page.do("HeadObject", **second)["restore"] is None
    gateway.stop()


def test_what_cannot_be_restored_is_refused_with_the_reason(localstack, gateways, slow, key):
    page, place = gateways(localstack).page(), {"bucket": "photos", "key": key}
    page.put(key, b"warm", storageClass="GLACIER_IR")
    error = refused(lambda: page.do("RestoreObject", **place, days=1, tier="Bulk"))
    assert (error.status, error.code) == (403, "InvalidObjectState")
    missing = {**place, "key": f"{key}.not"}
    error = refused(lambda: page.do("RestoreObject", **missing, days=1, tier="Bulk"))
    assert (error.status, error.code) == (404, "NoSuchKey")
    for bad in [{"days": 0}, {"days": 1.5}, {"days": "1"}, {"days": -1}, {"days": 2**32}, {"tier": "Fast"}]:
        error = refused(lambda bad=bad: page.sign("RestoreObject", **{**place, "days": 1, "tier": "Bulk", **bad}))
        assert (error.status, error.code) == (422, "invalid_request"), bad
    slow.instead = lambda method, target, body: (
        (503, [], b"<Error><Code>GlacierExpeditedRetrievalNotAvailable</Code></Error>")
        if is_restore(method, target)
        else None
    )
    page = slow.gateway.page(origin=None)
    error = refused(lambda: page.do("RestoreObject", **place, days=1, tier="Expedited"))
    assert (error.status, error.code) == (503, "GlacierExpeditedRetrievalNotAvailable")
