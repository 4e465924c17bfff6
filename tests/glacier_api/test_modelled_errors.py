"""Every error that the model of the service lists for an operation, out of boto3 and the AWS CLI.

The pairs of operation and error are read from botocore's model, so that none can be forgotten: each is provoked below, or
stands in `CANNOT` with the reason.
"""

import datetime
import hashlib
import json
import socket
import sqlite3
import threading

import pytest
from clients import Refused, changed, make_client  # noqa: F401
from store import Connection, Store
from stored_archive import tree_hash
from test_operations import TOPIC, deny

MIB = 1024 * 1024
MISSING, INVALID = "MissingParameterValueException", "InvalidParameterValueException"
NOT_FOUND, BROKEN = "ResourceNotFoundException", "ServiceUnavailableException"
VAULT_ARN = "arn:aws:glacier:us-east-1:123456789012:vaults"
# Allows what is allowed already, so that it is in nobody's way.
POLICY = {"Policy": deny("glacier:DeleteVault").replace("vaults/photos", "vaults/v").replace("Deny", "Allow")}
VERSION = "X-Amz-Glacier-Version"

# What each operation is asked for where nothing is wrong.
GOOD = {
    "AbortMultipartUpload": {"vaultName": "v", "uploadId": "UPLOAD"},
    "AbortVaultLock": {"vaultName": "v"},
    "AddTagsToVault": {"vaultName": "v", "Tags": {"a": "b"}},
    "CompleteMultipartUpload": {
        "vaultName": "v",
        "uploadId": "UPLOAD",
        "archiveSize": str(MIB),
        "checksum": tree_hash(bytes(MIB)),
    },
    "CompleteVaultLock": {"vaultName": "v", "lockId": "LOCK"},
    "CreateVault": {"vaultName": "v"},
    "DeleteArchive": {"vaultName": "v", "archiveId": "ARCHIVE"},
    "DeleteVault": {"vaultName": "v"},
    "DeleteVaultAccessPolicy": {"vaultName": "v"},
    "DeleteVaultNotifications": {"vaultName": "v"},
    "DescribeJob": {"vaultName": "v", "jobId": "JOB"},
    "DescribeVault": {"vaultName": "v"},
    "GetDataRetrievalPolicy": {},
    "GetJobOutput": {"vaultName": "v", "jobId": "JOB"},
    "GetVaultAccessPolicy": {"vaultName": "v"},
    "GetVaultLock": {"vaultName": "v"},
    "GetVaultNotifications": {"vaultName": "v"},
    "InitiateJob": {"vaultName": "v", "jobParameters": {"Type": "archive-retrieval", "ArchiveId": "ARCHIVE"}},
    "InitiateMultipartUpload": {"vaultName": "v", "partSize": str(MIB)},
    "InitiateVaultLock": {"vaultName": "v", "policy": POLICY},
    "ListJobs": {"vaultName": "v"},
    "ListMultipartUploads": {"vaultName": "v"},
    "ListParts": {"vaultName": "v", "uploadId": "UPLOAD"},
    "ListProvisionedCapacity": {},
    "ListTagsForVault": {"vaultName": "v"},
    "ListVaults": {},
    "PurchaseProvisionedCapacity": {},
    "RemoveTagsFromVault": {"vaultName": "v", "TagKeys": ["a"]},
    "SetDataRetrievalPolicy": {"Policy": {"Rules": [{"Strategy": "None"}]}},
    "SetVaultAccessPolicy": {"vaultName": "v", "policy": POLICY},
    "SetVaultNotifications": {
        "vaultName": "v",
        "vaultNotificationConfig": {"SNSTopic": TOPIC, "Events": ["ArchiveRetrievalCompleted"]},
    },
    "UploadArchive": {"vaultName": "v", "body": b"x"},
    "UploadMultipartPart": {
        "vaultName": "v",
        "uploadId": "UPLOAD",
        "range": f"bytes 0-{MIB - 1}/*",
        "body": bytes(MIB),
    },
}

# A value of the operation's own that is wrong, and the words of the refusal. Where there is no value but the vault's
# name, that; where there is none at all, the version of the API, which every request has.
WRONG = {
    "AddTagsToVault": ({"Tags": {"aws:a": "b"}}, "The prefix aws: is reserved"),
    "CompleteMultipartUpload": ({"archiveSize": "5"}, "Invalid x-amz-archive-size: 5"),
    "CompleteVaultLock": ({"lockId": "wrong"}, "Invalid lock ID: wrong"),
    "DeleteArchive": ({"archiveId": "a" * 300}, "Invalid name"),
    "DeleteVault": ({}, "Vault not empty or recently written to"),
    "DescribeJob": ({"jobId": "j" * 300}, "Invalid job ID"),
    "GetJobOutput": ({"range": "bytes=9-1"}, "Invalid Range: bytes=9-1"),
    "InitiateJob": ({"jobParameters": {"Type": "select"}}, "select is not supported"),
    "InitiateMultipartUpload": ({"partSize": "3145728"}, "Invalid part size: 3145728"),
    "InitiateVaultLock": ({"policy": {"Policy": "{}"}}, "Invalid Policy"),
    "ListJobs": ({"statuscode": "Done"}, "The job status code is not valid: Done"),
    "ListMultipartUploads": ({"limit": "0"}, "Invalid limit: 0"),
    "ListParts": ({"marker": "x"}, "Invalid marker: x"),
    "ListVaults": ({"limit": "ten"}, "Invalid limit: ten"),
    "RemoveTagsFromVault": ({"TagKeys": []}, "A request has 1 to 10 tags"),
    "SetDataRetrievalPolicy": ({"Policy": {"Rules": [{"Strategy": "All"}]}}, "Invalid Strategy: All"),
    "SetVaultAccessPolicy": ({"policy": {"Policy": "x"}}, "Invalid Policy"),
    "SetVaultNotifications": ({"vaultNotificationConfig": {"SNSTopic": "x", "Events": []}}, "Invalid SNSTopic: x"),
    "UploadArchive": ({"checksum": "000"}, "Invalid x-amz-sha256-tree-hash: 000"),
    "UploadMultipartPart": ({"range": "bytes 1-0/*"}, "Invalid Content-Range: bytes 1-0/*"),
}

# A parameter of the operation's own that is left out; otherwise the version of the API.
LEFT_OUT = {
    "AddTagsToVault": ({"Tags"}, "Tags"),
    "CompleteMultipartUpload": ({"archiveSize"}, "x-amz-archive-size"),
    "InitiateMultipartUpload": ({"partSize"}, "x-amz-part-size"),
    "UploadMultipartPart": ({"range"}, "Content-Range"),
}

CANNOT = {
    (None, "NoLongerSupportedException"): "told to accounts that had no vaults when the service closed to them; a "
    "store of one's own closes to nobody",
    ("DeleteVault", NOT_FOUND): "deleting what is not there is a success, so that it can be repeated",
    ("ListVaults", NOT_FOUND): "an account without vaults has an empty list",
}


def operations(service):
    return sorted(service.operation_names)


@pytest.fixture
def names(store, connection):
    """A vault with an archive, an upload, a finished job and a lock in progress."""
    glacier = store.boto3()
    glacier.create_vault(vaultName="v")
    archive = glacier.upload_archive(vaultName="v", body=b"x")["archiveId"]
    upload = glacier.initiate_multipart_upload(vaultName="v", partSize=str(MIB))["uploadId"]
    glacier.upload_multipart_part(vaultName="v", uploadId=upload, range=f"bytes 0-{MIB - 1}/*", body=bytes(MIB))
    lock = glacier.initiate_vault_lock(vaultName="v", policy=POLICY)
    job = glacier.initiate_job(vaultName="v", jobParameters={"Type": "archive-retrieval", "ArchiveId": archive})["jobId"]
    while not glacier.describe_job(vaultName="v", jobId=job)["Completed"]:
        pass
    glacier.close()
    return {"ARCHIVE": archive, "UPLOAD": upload, "JOB": job, "LOCK": lock["lockId"]}


def named(value, names):
    """`value` with the IDs that words in capitals stand for."""
    if isinstance(value, dict):
        return {key: named(item, names) for key, item in value.items()}
    return names.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def refused(store, make_client):  # noqa: F811
    """Calls an operation that must be refused so."""
    client = make_client(store)

    def refused(operation, code, words, parameters, change=lambda request: None):
        with changed(client, change), pytest.raises(Refused) as caught:
            client(operation, **parameters)
        assert (caught.value.code, words in caught.value.message) == (code, True), (operation, caught.value)

    return refused


def test_every_error_of_the_model_is_here_or_has_a_reason(glacier):
    service = glacier.meta.service_model
    pairs = {(name, error.name) for name in operations(service) for error in service.operation_model(name).error_shapes}
    assert GOOD.keys() == set(operations(service)) and len(pairs) > 150
    provoked = {(name, error) for name in GOOD for error in [MISSING, INVALID, BROKEN]}
    provoked |= {(name, NOT_FOUND) for name, good in GOOD.items() if "vaultName" in good and name != "CreateVault"}
    provoked -= {("DeleteVault", NOT_FOUND)}
    provoked |= OTHERS
    reasons = {pair for pair in pairs if pair in CANNOT or (None, pair[1]) in CANNOT}
    assert provoked | reasons == pairs
    assert provoked & reasons == set()


def test_what_is_missing_is_named(names, refused):
    for operation, good in GOOD.items():
        left_out, words = LEFT_OUT.get(operation, (set(), None))
        parameters = {name: value for name, value in named(good, names).items() if name not in left_out}

        def no_version(request, keep=bool(words)):
            if not keep:
                del request.headers[VERSION]

        refused(operation, MISSING, f"Required parameter missing: {words or 'API version'}", parameters, no_version)


def test_wrong_values_are_named(names, refused):
    for operation, good in GOOD.items():
        change, words = WRONG.get(operation, ({}, None))

        def other_version(request, keep=bool(words) or "vaultName" in good):
            if not keep:
                request.headers.replace_header(VERSION, "2011-01-01")

        if not words and "vaultName" in good:
            change, words = {"vaultName": "v" * 256}, "Invalid name"
        refused(operation, INVALID, words or "Invalid API version", named(good, names) | change, other_version)


def test_what_does_not_exist_is_named(names, refused):
    absent = named(GOOD, names)
    for operation, good in absent.items():
        if "vaultName" in good and operation not in ["CreateVault", "DeleteVault"]:
            elsewhere = good | {"vaultName": "none"}
            if "policy" in good:  # names its vault
                elsewhere["policy"] = {"Policy": POLICY["Policy"].replace("vaults/v", "vaults/none")}
            refused(operation, NOT_FOUND, f"Vault not found for ARN: {VAULT_ARN}/none", elsewhere)
    for operation, good in absent.items():
        for name, words in [("uploadId", "The upload ID was not found: none"), ("jobId", "The job ID was not found: none")]:
            if name in good:
                refused(operation, NOT_FOUND, words, good | {name: "none"})
    for operation, what in [
        ("GetVaultAccessPolicy", "access policy"),
        ("GetVaultNotifications", "notification configuration"),
    ]:
        refused(operation, NOT_FOUND, f"No {what} is set for vault: {VAULT_ARN}/v", {"vaultName": "v"})


def test_a_store_that_cannot_read_its_data_says_so_and_no_more(store, names, refused):
    """All tables are taken away under the running store."""
    database = sqlite3.connect(store.data / "metadata.sqlite")
    database.execute("PRAGMA legacy_alter_table = ON")
    for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'sqlite_sequence'").fetchall():
        database.execute(f"ALTER TABLE {table} RENAME TO gone_{table}")
    database.commit()
    database.close()
    for operation, good in GOOD.items():
        words = "The store could not do this because of an internal error; try again later"
        refused(operation, BROKEN, words, named(good, names))


def too_slow(store, method, target, more):
    """Sends the first byte of a body and waits for the answer."""
    body = bytes(2)
    hashes = {"x-amz-sha256-tree-hash": tree_hash(body), "x-amz-content-sha256": hashlib.sha256(body).hexdigest()}
    headers = Connection(store).sign(method, target, {**hashes, **more}, body)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {store.authority}", "Content-Length: 2"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    host, port = store.authority.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode() + body[:1])
        answer = b""
        while piece := raw.recv(4096):
            answer += piece
    head, document = answer.split(b"\r\n\r\n", 1)
    return head.split(b"\r\n")[0], json.loads(document)


def test_bodies_that_stop_arriving_time_out(store, names):
    """Neither client can be made to stop in the middle, so this one speaks to the socket."""
    results = []
    requests = [
        ("POST", "/-/vaults/v/archives", {}),
        ("PUT", f"/-/vaults/v/multipart-uploads/{names['UPLOAD']}", {"content-range": "bytes 0-1/*"}),
    ]
    threads = [threading.Thread(target=lambda r=r: results.append(too_slow(store, *r))) for r in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    message = "The body arrived too slowly; send the request again"
    refusal = {"code": "RequestTimeoutException", "message": message, "type": "Client"}
    assert results == [(b"HTTP/1.1 408 Request Timeout", refusal)] * 2


def test_limits_of_an_account_and_a_vault(store, names, refused):
    glacier = store.boto3()
    for _ in range(2):
        glacier.purchase_provisioned_capacity()
    refused("PurchaseProvisionedCapacity", "LimitExceededException", "at most 2 units", {})
    for tens in range(5):
        glacier.add_tags_to_vault(vaultName="v", Tags={f"key {tens}{ones}": "value" for ones in range(10)})
    refused("AddTagsToVault", "LimitExceededException", "at most 50 tags", named(GOOD["AddTagsToVault"], names))
    database = sqlite3.connect(store.data / "metadata.sqlite")
    columns = {row[1] for row in database.execute("PRAGMA table_info(vaults)")}
    assert {"name", "created"} <= columns
    created = int(datetime.datetime(2026, 1, 1).timestamp() * 1000)
    rows = [(f"vault {number}".replace(" ", "-"), created) for number in range(999)]
    database.executemany("INSERT INTO vaults (name, created) VALUES (?, ?)", rows)
    database.commit()
    database.close()
    refused("CreateVault", "LimitExceededException", "at most 1000 vaults", {"vaultName": "one-more"})
    glacier.close()


def test_policy_and_capacity_keep_a_retrieval_from_beginning(tmp_path, make_client):  # noqa: F811
    store = Store(tmp_path / "limited", "--expedited-per-5-min", "0")
    client = make_client(store)
    client("CreateVault", vaultName="v")
    archive = client("UploadArchive", vaultName="v", body=b"12345")["archiveId"]
    client("SetDataRetrievalPolicy", Policy={"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 4}]})
    for tier, code in [("Standard", "PolicyEnforcedException"), ("Expedited", "InsufficientCapacityException")]:
        parameters = {"Type": "archive-retrieval", "ArchiveId": archive, "Tier": tier}
        with pytest.raises(Refused, match=code):
            client("InitiateJob", vaultName="v", jobParameters=parameters)
    client.close()
    assert store.stop() == 0


# What the three tests before this line provoke.
OTHERS = {
    ("UploadArchive", "RequestTimeoutException"),
    ("UploadMultipartPart", "RequestTimeoutException"),
    ("PurchaseProvisionedCapacity", "LimitExceededException"),
    ("AddTagsToVault", "LimitExceededException"),
    ("CreateVault", "LimitExceededException"),
    ("InitiateJob", "PolicyEnforcedException"),
    ("InitiateJob", "InsufficientCapacityException"),
}
