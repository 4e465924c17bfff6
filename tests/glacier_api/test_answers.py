"""boto3 and the AWS CLI do each of the 33 operations; what came back is compared, byte for byte, with the tables."""

import json
import re
import time

import pytest
from answers import ANSWERS, INVENTORY_DOCUMENT, OUTPUTS, check, differences, once
from clients import make_client  # noqa: F401
from stored_archive import tree_hash
from test_operations import TOPIC, deny, pattern

MIB = 1024 * 1024


class Recorder:
    """Keeps every answer of a client as it came."""

    def __init__(self, client):
        self.answers = []
        client.events.register("before-parse.glacier", self.look)

    def look(self, operation_model, response_dict, **_):
        body = response_dict["body"]
        body = body if isinstance(body, bytes) else b""  # a stream, which the caller reads
        self.answers.append((operation_model.name, response_dict["status_code"], dict(response_dict["headers"]), body))


@pytest.fixture
def call(store, make_client):  # noqa: F811
    """Calls an operation, and checks the answer before any SDK has touched it. Notes which were called."""
    client = make_client(store)
    recorder = Recorder(client)

    def call(operation, output=None, **parameters):
        answer = client(operation, **parameters)
        name, status, headers, body = recorder.answers[-1]
        assert name == operation
        check(operation, status, headers, answer["body"] if output else body, output)
        call.seen.add(operation)
        return answer

    call.seen, call.service = set(), store.boto3().meta.service_model
    return call


def end(call, **parameters):
    job_id = call("InitiateJob", vaultName="photos", jobParameters=parameters)["jobId"]
    while not call("DescribeJob", vaultName="photos", jobId=job_id)["Completed"]:
        time.sleep(0.02)
    return {"vaultName": "photos", "jobId": job_id}


def test_the_tables_have_every_operation(glacier):
    assert ANSWERS.keys() | {"GetJobOutput"} == set(glacier.meta.service_model.operation_names)
    assert len(ANSWERS) == 32


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1.0, int), (True, int), ("1", int), (None, int), ({}, {"a": None}), ({"a": 1, "b": 1}, {"a": int}), (0, None)],
)
def test_the_comparison_sees_what_is_wrong(value, expected):
    assert differences(value, expected) and differences([value], [expected]) and differences(value, (expected, "x"))


def test_every_operation_answers_as_the_tables_say(call):
    v = {"vaultName": "photos"}
    call("CreateVault", **v)
    call("DescribeVault", **v)
    whole = pattern(2 * MIB + 5)
    archive = call("UploadArchive", **v, archiveDescription="words", body=whole)
    assert archive["checksum"] == tree_hash(whole)
    call("UploadArchive", **v, body=b"x")
    for last_call, claim in [
        ("CompleteMultipartUpload", {"archiveSize": str(MIB), "checksum": tree_hash(whole[:MIB])}),
        ("AbortMultipartUpload", {}),
    ]:
        described = {"archiveDescription": "in parts"} if claim else {}
        upload = v | {"uploadId": call("InitiateMultipartUpload", **v, partSize=str(MIB), **described)["uploadId"]}
        call("UploadMultipartPart", **upload, range=f"bytes 0-{MIB - 1}/*", body=whole[:MIB])
        assert len(call("ListParts", **upload)["Parts"]) == 1
        assert len(call("ListMultipartUploads", **v)["UploadsList"]) == 1
        call(last_call, **upload, **claim)

    events = ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"]
    configuration = {"SNSTopic": TOPIC, "Events": events}
    call("SetVaultNotifications", **v, vaultNotificationConfig=configuration)
    assert call("GetVaultNotifications", **v)["vaultNotificationConfig"] == configuration
    call("DeleteVaultNotifications", **v)
    call("AddTagsToVault", **v, Tags={"a": "1", "b": "2"})
    call("RemoveTagsFromVault", **v, TagKeys=["a"])
    assert call("ListTagsForVault", **v)["Tags"] == {"b": "2"}
    policy = {"Policy": deny("glacier:DeleteVault")}
    call("SetVaultAccessPolicy", **v, policy=policy)
    assert call("GetVaultAccessPolicy", **v)["policy"] == policy
    call("DeleteVaultAccessPolicy", **v)
    call("InitiateVaultLock", **v, policy=policy)
    assert call("GetVaultLock", **v)["State"] == "InProgress"
    call("AbortVaultLock", **v)
    lock_id = call("InitiateVaultLock", **v, policy=policy)["lockId"]
    call("CompleteVaultLock", **v, lockId=lock_id)
    assert call("GetVaultLock", **v)["State"] == "Locked"

    call("GetDataRetrievalPolicy")
    call("SetDataRetrievalPolicy", Policy={"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 2**63 - 1}]})
    assert call("GetDataRetrievalPolicy")["Policy"]["Rules"][0]["BytesPerHour"] == 2**63 - 1
    call("PurchaseProvisionedCapacity")
    assert len(call("ListProvisionedCapacity")["ProvisionedCapacityList"]) == 1

    job = end(call, Type="archive-retrieval", ArchiveId=archive["archiveId"], Description="mine", SNSTopic=TOPIC)
    outputs = {"archive": {}, "aligned range": {"range": f"bytes=0-{2 * MIB - 1}"}, "unaligned range": {"range": "bytes=1-9"}}
    for output, asked in outputs.items():
        first, last = map(int, re.findall(r"\d+", asked.get("range", f"0-{len(whole) - 1}")))
        got = call("GetJobOutput", output, **job, **asked)
        assert got["body"] == whole[first : last + 1]
        assert got.get("checksum") == (None if output == "unaligned range" else tree_hash(whole[first : last + 1]))
    end(call, Type="archive-retrieval", ArchiveId=archive["archiveId"], RetrievalByteRange=f"{MIB}-{2 * MIB - 1}", Tier="Bulk")
    dates = {"StartDate": "2012-01-01T00:00:00Z", "EndDate": "2100-01-01T00:00:00Z"}
    job = end(call, Type="inventory-retrieval", Format="JSON", InventoryRetrievalParameters=dates | {"Limit": "2"})
    document = json.loads(call("GetJobOutput", "JSON inventory", **job)["body"], object_pairs_hook=once)
    assert differences(document, INVENTORY_DOCUMENT) == [] and len(document["ArchiveList"]) == 2
    outputs["range of an inventory"] = outputs["JSON inventory"] = {}
    call("GetJobOutput", "range of an inventory", **job, range="bytes=1-9")
    job = end(call, Type="inventory-retrieval", Format="CSV")
    columns = b"ArchiveId,ArchiveDescription,CreationDate,Size,SHA256TreeHash"
    assert call("GetJobOutput", "CSV inventory", **job)["body"].splitlines()[0] == columns
    assert outputs.keys() | {"CSV inventory"} == OUTPUTS.keys()
    call("ListJobs", **v)

    call("DeleteArchive", **v, archiveId=archive["archiveId"])
    call("CreateVault", vaultName="empty")
    call("ListVaults")
    call("DeleteVault", vaultName="empty")
    assert call.seen == set(call.service.operation_names) and len(call.seen) == 33
