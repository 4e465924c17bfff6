"""boto3, unmodified, stores archives byte for byte."""

import io

import pytest
from botocore.exceptions import ClientError
from botocore.utils import calculate_tree_hash
from stored_archive import stored_archive, tree_hash

MIB = 1024 * 1024


def pattern(length):
    """Period 251, so that pieces in the wrong place change every hash."""
    period = bytes(range(251))
    return (period * (length // 251 + 1))[:length]


def initiate(glacier, vault, part_size=MIB, description="parts"):
    answer = glacier.initiate_multipart_upload(vaultName=vault, archiveDescription=description, partSize=str(part_size))
    assert len(answer["uploadId"]) == 92
    return answer["uploadId"]


def upload_part(glacier, vault, upload_id, first_byte, body):
    last = first_byte + len(body) - 1
    answer = glacier.upload_multipart_part(
        vaultName=vault, uploadId=upload_id, range=f"bytes {first_byte}-{last}/*", body=body
    )
    assert answer["checksum"] == tree_hash(body)


def complete(glacier, vault, upload_id, whole):
    return glacier.complete_multipart_upload(
        vaultName=vault, uploadId=upload_id, archiveSize=str(len(whole)), checksum=tree_hash(whole)
    )


def test_vaults_are_created_described_listed_in_pages_and_deleted(glacier):
    for name in ["c", "a", "b"]:
        created = glacier.create_vault(vaultName=name)
        assert created["location"] == f"/123456789012/vaults/{name}"
    described = glacier.describe_vault(vaultName="a")
    assert described["VaultARN"] == "arn:aws:glacier:us-east-1:123456789012:vaults/a"
    assert (described["NumberOfArchives"], described["SizeInBytes"]) == (0, 0)
    pages = list(glacier.get_paginator("list_vaults").paginate(PaginationConfig={"PageSize": 1}))
    assert [[vault["VaultName"] for vault in page["VaultList"]] for page in pages] == [["a"], ["b"], ["c"]]
    for name in ["a", "b", "c", "c"]:
        glacier.delete_vault(vaultName=name)
    assert glacier.list_vaults(limit="1000")["VaultList"] == []


@pytest.mark.parametrize("size", [1, MIB - 1, MIB, MIB + 1, 16_986_931])
def test_an_archive_in_one_request_is_stored_byte_for_byte(store, glacier, vault, size):
    body = pattern(size)
    answer = glacier.upload_archive(vaultName=vault, archiveDescription="double  spaces  here", body=body)
    assert len(answer["archiveId"]) == 138
    assert answer["checksum"] == calculate_tree_hash(io.BytesIO(body)) == tree_hash(body)
    stored = stored_archive(store.data, answer["archiveId"], vault)
    assert (stored["size"], stored["tree_hash"], stored["description"]) == (
        size,
        tree_hash(body),
        "double  spaces  here",
    )
    assert glacier.describe_vault(vaultName=vault)["SizeInBytes"] == size
    for _ in range(2):
        glacier.delete_archive(vaultName=vault, archiveId=answer["archiveId"])
    assert store.files() == []


def test_parts_in_any_order_become_the_archive(store, glacier, vault):
    whole = pattern(16_986_931)  # 16.2 MiB: the developer guide's own example with parts of 4 MiB
    upload_id = initiate(glacier, vault, 4 * MIB)
    for first_byte in [12 * MIB, 0, 16 * MIB, 8 * MIB, 4 * MIB]:
        upload_part(glacier, vault, upload_id, first_byte, whole[first_byte : first_byte + 4 * MIB])
    parts = glacier.get_paginator("list_parts").paginate(
        vaultName=vault, uploadId=upload_id, PaginationConfig={"PageSize": 2}
    )
    ranges = [part["RangeInBytes"] for page in parts for part in page["Parts"]]
    assert ranges == ["0-4194303", "4194304-8388607", "8388608-12582911", "12582912-16777215", "16777216-16986930"]

    first = complete(glacier, vault, upload_id, whole)
    assert first["checksum"] == "d5d467858dff8703de1161f83e085670b5291357bd58daaabaf7d61784e41801"
    assert complete(glacier, vault, upload_id, whole)["archiveId"] == first["archiveId"], "asked again after a lost answer"
    stored = stored_archive(store.data, first["archiveId"], vault)
    assert (stored["size"], stored["tree_hash"], stored["description"]) == (len(whole), first["checksum"], "parts")
    with pytest.raises(ClientError) as refused:
        glacier.list_parts(vaultName=vault, uploadId=upload_id)
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_uploads_are_listed_in_pages_and_aborted(store, glacier, vault):
    ids = [initiate(glacier, vault) for _ in range(3)]
    upload_part(glacier, vault, ids[1], 0, pattern(MIB))
    pages = glacier.get_paginator("list_multipart_uploads").paginate(vaultName=vault, PaginationConfig={"PageSize": 1})
    assert [upload["MultipartUploadId"] for page in pages for upload in page["UploadsList"]] == ids
    for upload_id in ids + ids:
        glacier.abort_multipart_upload(vaultName=vault, uploadId=upload_id)
    assert glacier.list_multipart_uploads(vaultName=vault)["UploadsList"] == []
    assert store.files() == []


def test_a_vault_with_an_archive_is_not_deleted(glacier, vault):
    glacier.upload_archive(vaultName=vault, body=b"x")
    with pytest.raises(ClientError) as refused:
        glacier.delete_vault(vaultName=vault)
    message = "Vault not empty or recently written to: arn:aws:glacier:us-east-1:123456789012:vaults/photos"
    assert refused.value.response["Error"] == {"Code": "InvalidParameterValueException", "Message": message}
