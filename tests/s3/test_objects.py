"""Whole uploads and downloads, and every object read back by boto3."""

import base64
import random

import pytest
from gateway import PART, Refused, b64, composite, refused, sha256, split, tree_hash

MIB = 1 << 20


def data(size, seed=7):
    return random.Random(seed).randbytes(size)


def stored(store, key):
    """The object as boto3 sees it, restored first where it has to be."""
    head = store.s3.head_object(Bucket="photos", Key=key, ChecksumMode="ENABLED")
    if head.get("StorageClass") in ("GLACIER", "DEEP_ARCHIVE"):
        request = {"Days": 1, "GlacierJobParameters": {"Tier": "Standard"}}
        store.s3.restore_object(Bucket="photos", Key=key, RestoreRequest=request)
    return head, store.s3.get_object(Bucket="photos", Key=key)["Body"].read()


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 2 * PART + 3 * MIB])
def test_an_upload_in_parts_is_read_back_with_its_checksum(store, page, key, size):
    body = data(size)
    done = page.upload(key, body, contentType="video/mp4", metadata={"author": "Anna"})
    head, read = stored(store, key)
    assert read == body
    assert done["checksum"] == head["ChecksumSHA256"] == composite(split(body))
    assert (done["bucket"], done["key"], done["size"]) == ("photos", key, size)
    assert f'"{done["etag"]}"' == head["ETag"]
    assert (head["ContentType"], head["Metadata"]) == ("video/mp4", {"author": "Anna"})
    if store.name == "localstack":
        assert head["StorageClass"] == "GLACIER"


@pytest.mark.parametrize("size", [0, 1, MIB, 5 * MIB + 1])
def test_a_small_file_goes_in_one_request(store, page, key, size):
    body = data(size)
    headers, _ = page.put(key, body, storageClass="GLACIER_IR", contentType="text/plain", metadata={"author": "Anna"})
    assert headers["x-amz-checksum-sha256"] == b64(sha256(body))
    head, read = stored(store, key)
    assert read == body
    assert head["Metadata"] == {"author": "Anna", "sha256-tree-hash": tree_hash(body)}
    assert (head["ChecksumSHA256"], head["ContentType"]) == (b64(sha256(body)), "text/plain")
    if store.name == "localstack":
        assert head["StorageClass"] == "GLACIER_IR"


@pytest.mark.parametrize("key", ["a//b/", "/a", "a b+c", "100%25", "~'()*!", "Größe", "?&=#", "%2e%2e/x", ".../a"])
def test_keys_are_escaped_once(store, page, key):
    page.put(key, key.encode(), overwrite=True, storageClass="STANDARD")
    assert store.s3.get_object(Bucket="photos", Key=key)["Body"].read() == key.encode()
    page.upload(key, key.encode(), overwrite=True, storageClass="STANDARD")
    assert store.s3.get_object(Bucket="photos", Key=key)["Body"].read() == key.encode()
    assert page.do("GetObject", bucket="photos", key=key)[1] == key.encode()


def test_the_tree_hash_is_kept_as_a_tag_beside_those_of_the_page(localstack, gateways, key):
    page, body = gateways(localstack).page(), data(PART + 1)
    done = page.upload(key, body, tags={"project": "Iceland", "größe": "a b/c"})
    assert done["treeHashKept"] is True
    tags = localstack.s3.get_object_tagging(Bucket="photos", Key=key)["TagSet"]
    expected = {"project": "Iceland", "größe": "a b/c", "sha256-tree-hash": tree_hash(body)}
    assert {tag["Key"]: tag["Value"] for tag in tags} == expected
    head = page.do("HeadObject", bucket="photos", key=key)
    assert head["treeHash"] == tree_hash(body)
    page.put(key + "2", b"x", tags={"a": "b&c".replace("&", "=")})
    tags = localstack.s3.get_object_tagging(Bucket="photos", Key=key + "2")["TagSet"]
    assert tags == [{"Key": "a", "Value": "b=c"}]


def test_a_store_without_tags_says_so_and_keeps_none_in_silence(garage, gateways, key):
    page, body = gateways(garage).page(), data(PART + 1)
    assert page.upload(key, body)["treeHashKept"] is False
    assert page.do("HeadObject", bucket="photos", key=key)["treeHash"] is None
    for call in (page.create, page.put):
        assert refused(lambda call=call: call(key + "2", body, tags={"a": "b"})).code == "invalid_request"


def test_the_head_of_an_object_says_what_boto3_says(store, page, key):
    body = data(2 * PART)
    page.upload(key, body, metadata={"author": "Anna"})
    head, expected = page.do("HeadObject", bucket="photos", key=key), store.s3.head_object(Bucket="photos", Key=key)
    assert head["size"] == expected["ContentLength"] == len(body)
    assert f'"{head["etag"]}"' == expected["ETag"]
    assert head["lastModified"] == expected["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (head["checksum"], head["checksumType"]) == (composite(split(body)), "COMPOSITE")
    first = store.s3.head_object(Bucket="photos", Key=key, PartNumber=1)["ContentLength"]
    assert head.get("partSize") == (None if head["treeHash"] else first)
    assert head["metadata"] == {"author": "Anna"}
    is_archive = store.name == "localstack"
    assert (head["storageClass"], head["archived"]) == (("GLACIER", True) if is_archive else ("STANDARD", False))
    assert head["restore"] is None
    assert refused(lambda: page.do("HeadObject", bucket="photos", key=key + "2")).code == "NoSuchKey"


def test_looking_for_many_objects_that_are_not_there_is_no_guessing(garage, gateways, key):
    # More than the misses a subject has at once, and faster than they come back.
    page = gateways(garage).page(sub="sweeper")
    for n in range(70):
        assert refused(lambda n=n: page.do("HeadObject", bucket="photos", key=f"{key}/{n}")).code == "NoSuchKey"


def test_ranges_are_those_asked_for_and_no_others(store, page, key):
    body = data(3 * MIB)
    page.put(key, body, storageClass="STANDARD")
    for first, last in [(0, 0), (1, MIB), (3 * MIB - 1, 3 * MIB - 1)]:
        signed = page.sign("GetObject", bucket="photos", key=key, range=f"{first}-{last}")
        status, _, read = page.use(signed)
        assert (status, read) == (206, body[first : last + 1])
        signed["headers"]["range"] = f"bytes={first}-{last + 1}"
        assert page.use(signed)[0] == 403
        del signed["headers"]["range"]
        assert page.use(signed)[0] in (400, 403)


def test_a_store_without_archives_says_that_it_cannot_restore(garage, gateways, key):
    page = gateways(garage).page()
    page.put(key, b"x")
    error = refused(lambda: page.do("RestoreObject", bucket="photos", key=key, days=1, tier="Bulk"))
    assert (error.status, error.code) == (501, "NotImplemented")


def test_a_deleted_object_is_gone_and_deleting_it_again_is_no_fault(store, page, key):
    page.put(key, b"x")
    for _ in range(2):
        assert page.do("DeleteObject", bucket="photos", key=key) is None
    with pytest.raises(store.s3.exceptions.ClientError):
        store.s3.head_object(Bucket="photos", Key=key)


def test_versions_are_kept_apart(localstack, gateways, key):
    page = gateways(localstack).page(objects=["versioned/"], origin=None)
    gateway = gateways(localstack)
    localstack.make_bucket("versioned")
    versioning = {"Status": "Enabled"}
    localstack.s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration=versioning)
    error = refused(lambda: page.do("HeadObject", bucket="versioned", key=key))
    assert error.code == "operation_denied", f"{gateway.url} was not told of that bucket"


def test_uploads_that_are_open_are_listed_and_can_be_aborted(store, page, key):
    for nth in range(3):
        page.create(f"{key}/{nth}", b"x" * MIB)
    found = page.do("ListMultipartUploads", bucket="photos", prefix=f"{key}/")
    assert sorted(upload["key"] for upload in found["uploads"]) == [f"{key}/{nth}" for nth in range(3)]
    assert found["marker"] is None
    for upload in found["uploads"]:
        # Such a handle does not say how long the parts are.
        hash = sha256(b"x" * MIB).hex()
        sign = lambda upload=upload: page.sign("UploadPart", upload=upload["upload"], partNumber=1, payloadHash=hash)  # noqa: E731
        assert refused(sign).code == "NoSuchUpload"
        assert page.do("ListParts", upload=upload["upload"]) == {"parts": [], "marker": None}
        assert page.do("AbortMultipartUpload", upload=upload["upload"]) is None
        assert refused(lambda: page.do("ListParts", upload=upload["upload"])).code == "NoSuchUpload"
    assert page.do("ListMultipartUploads", bucket="photos", prefix=f"{key}/")["uploads"] == []


def test_a_stream_may_end_sooner_than_it_was_opened_for(store, page, key):
    body = data(PART + 5 * MIB)
    upload = page.create(key, b"\0" * (4 * PART))
    page.send_part(upload, 1, body[:PART])
    page.send_part(upload, 2, body[PART:], size=5 * MIB)
    assert page.complete(upload, body)["size"] == len(body)
    assert stored(store, key)[1] == body


def test_every_checksum_in_a_list_is_the_part_s(store, page, key):
    body = data(2 * PART + 1)
    upload = page.create(key, body)
    for number in (3, 1):
        page.send_part(upload, number, split(body)[number - 1])
    listed = page.do("ListParts", upload=upload)
    expected = [
        {"partNumber": number, "size": len(split(body)[number - 1]), "payloadHash": sha256(split(body)[number - 1]).hex()}
        for number in (1, 3)
    ]
    assert listed == {"parts": expected, "marker": None}
    assert base64.b64decode(composite([]).split("-")[0])
    with pytest.raises(Refused):
        page.complete(upload, body)
