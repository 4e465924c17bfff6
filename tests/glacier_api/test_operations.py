"""boto3, unmodified, does each of the 33 operations, and gets what the model of the service promises."""

import csv
import json
import time

import pytest
from botocore.exceptions import ClientError, WaiterError
from shapes import Watcher
from store import Store
from stored_archive import tree_hash

MIB = 1024 * 1024
ARN = "arn:aws:glacier:us-east-1:123456789012:vaults/photos"
TOPIC = "arn:aws:sns:us-east-1:123456789012:jobs"


def pattern(length):
    """Period 251, so that pieces in the wrong place change every hash."""
    period = bytes(range(251))
    return (period * (length // 251 + 1))[:length]


def finished(glacier, vault, seconds=10, **parameters):
    """Begins a job, and gives its description once it has ended, at most so many seconds later."""
    job_id = glacier.initiate_job(vaultName=vault, jobParameters=parameters)["jobId"]
    for _ in range(seconds * 50):
        described = glacier.describe_job(vaultName=vault, jobId=job_id)
        if described["Completed"]:
            return described
        time.sleep(0.02)
    raise TimeoutError(described)


def output(glacier, vault, job_id, **more):
    answer = glacier.get_job_output(vaultName=vault, jobId=job_id, **more)
    return answer, answer["body"].read()


def refused(operation, **parameters):
    with pytest.raises(ClientError) as error:
        operation(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def deny(action, **condition):
    statement = {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": ARN, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_every_operation_answers_as_the_model_says(glacier):
    watcher = Watcher(glacier)
    v = {"vaultName": "photos"}
    assert glacier.create_vault(**v)["location"] == "/123456789012/vaults/photos"
    glacier.describe_vault(**v)
    body = pattern(MIB + 5)
    archive = glacier.upload_archive(**v, archiveDescription="words", body=body)["archiveId"]
    for last_call in [glacier.complete_multipart_upload, glacier.abort_multipart_upload]:
        upload = {**v, "uploadId": glacier.initiate_multipart_upload(**v, partSize=str(MIB))["uploadId"]}
        glacier.upload_multipart_part(**upload, range=f"bytes 0-{MIB - 1}/*", body=body[:MIB])
        glacier.list_parts(**upload)
        glacier.list_multipart_uploads(**v)
        claim = {"archiveSize": str(MIB), "checksum": tree_hash(body[:MIB])}
        last_call(**upload, **(claim if last_call == glacier.complete_multipart_upload else {}))

    configuration = {"SNSTopic": TOPIC, "Events": ["ArchiveRetrievalCompleted", "InventoryRetrievalCompleted"]}
    glacier.set_vault_notifications(**v, vaultNotificationConfig=configuration)
    assert glacier.get_vault_notifications(**v)["vaultNotificationConfig"] == configuration
    glacier.delete_vault_notifications(**v)
    glacier.add_tags_to_vault(**v, Tags={"a": "1", "b": "2"})
    glacier.remove_tags_from_vault(**v, TagKeys=["a"])
    assert glacier.list_tags_for_vault(**v)["Tags"] == {"b": "2"}

    policy = {"Policy": deny("glacier:DeleteVault")}
    glacier.set_vault_access_policy(**v, policy=policy)
    assert glacier.get_vault_access_policy(**v)["policy"] == policy
    glacier.delete_vault_access_policy(**v)
    glacier.initiate_vault_lock(**v, policy=policy)
    assert glacier.get_vault_lock(**v)["State"] == "InProgress"
    glacier.abort_vault_lock(**v)
    lock_id = glacier.initiate_vault_lock(**v, policy=policy)["lockId"]
    glacier.complete_vault_lock(**v, lockId=lock_id)
    locked = glacier.get_vault_lock(**v)
    assert (locked["State"], locked["Policy"], "ExpirationDate" in locked) == ("Locked", policy["Policy"], False)

    rules = {"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 10 * MIB}]}
    glacier.set_data_retrieval_policy(Policy=rules)
    assert glacier.get_data_retrieval_policy()["Policy"] == rules
    capacity = glacier.purchase_provisioned_capacity()["capacityId"]
    assert [unit["CapacityId"] for unit in glacier.list_provisioned_capacity()["ProvisionedCapacityList"]] == [capacity]

    retrieved = finished(glacier, "photos", Type="archive-retrieval", ArchiveId=archive, Description="mine")
    answer, got = output(glacier, "photos", retrieved["JobId"])
    assert got == body
    assert (answer["status"], answer["checksum"], answer["acceptRanges"]) == (200, tree_hash(body), "bytes")
    assert (answer["contentType"], answer["archiveDescription"]) == ("application/octet-stream", "words")
    inventory = finished(glacier, "photos", Type="inventory-retrieval")
    glacier.get_job_output(**v, jobId=inventory["JobId"])["body"].read()
    assert [job["JobId"] for job in glacier.list_jobs(**v)["JobList"]] == [retrieved["JobId"], inventory["JobId"]]

    glacier.list_vaults()
    glacier.delete_archive(**v, archiveId=archive)
    glacier.create_vault(vaultName="empty")
    glacier.delete_vault(vaultName="empty")
    assert watcher.succeeded == set(glacier.meta.service_model.operation_names)
    assert len(watcher.succeeded) == 33


@pytest.mark.parametrize(
    ("first", "last", "aligned"),
    [(0, 4, True), (4, 7, True), (1, 3, False), (0, 7, True), (6, 7, True), (2, 7, False)],
)
def test_ranges_come_back_with_a_hash_where_there_is_one(glacier, vault, first, last, aligned):
    whole = pattern(6 * MIB + MIB // 2)
    archive = glacier.upload_archive(vaultName=vault, body=whole)["archiveId"]
    piece = whole[first * MIB : last * MIB]
    byte_range = f"{first * MIB}-{first * MIB + len(piece) - 1}"
    job = finished(glacier, vault, Type="archive-retrieval", ArchiveId=archive, RetrievalByteRange=byte_range)
    assert job.get("SHA256TreeHash") == (tree_hash(piece) if aligned else None)
    assert (job["ArchiveSHA256TreeHash"], job["ArchiveSizeInBytes"]) == (tree_hash(whole), len(whole))
    answer, got = output(glacier, vault, job["JobId"])
    assert (got == piece, answer.get("checksum")) == (True, job.get("SHA256TreeHash"))
    beyond = f"bytes={MIB}-{16 * MIB - 1}" if len(piece) > MIB else "bytes=0-99999999"
    answer, got = output(glacier, vault, job["JobId"], range=beyond)
    start = MIB if len(piece) > MIB else 0
    assert (answer["status"], got == piece[start:]) == (206, True)
    assert answer["contentRange"] == f"bytes {start}-{len(piece) - 1}/{len(piece)}"


def read_csv_line(line):
    """The description is what the other four columns, whose alphabets are fixed, leave over."""
    archive_id, rest = line.split(",", 1)
    description, created, size, checksum = rest.rsplit(",", 3)
    return archive_id, description[1:-1].replace('\\"', '"'), created, int(size), checksum


def test_an_inventory_is_paged_in_both_formats(glacier, vault):
    descriptions = ["plain", "", "a,b", 'say "hi"', "back\\slash", "double  spaces"]
    stored = {}
    for number, description in enumerate(descriptions):
        answer = glacier.upload_archive(vaultName=vault, archiveDescription=description, body=bytes(number + 1))
        stored[answer["archiveId"]] = (description, number + 1, answer["checksum"])
    for name in ["JSON", "CSV"]:
        found, marker, pages = {}, None, 0
        while pages == 0 or marker:
            parameters = {"Limit": "4"} | ({"Marker": marker} if marker else {})
            job = finished(
                glacier, vault, Type="inventory-retrieval", Format=name, InventoryRetrievalParameters=parameters
            )
            answer, document = output(glacier, vault, job["JobId"])
            assert len(document) == job["InventorySizeInBytes"]
            assert "checksum" not in answer
            if name == "JSON":
                assert answer["contentType"] == "application/json"
                for entry in json.loads(document)["ArchiveList"]:
                    fields = (entry["ArchiveDescription"], entry["Size"], entry["SHA256TreeHash"])
                    found[entry["ArchiveId"]] = fields
            else:
                assert answer["contentType"] == "text/csv"
                header, *lines = document.decode().splitlines()
                assert next(csv.reader([header])) == [
                    "ArchiveId",
                    "ArchiveDescription",
                    "CreationDate",
                    "Size",
                    "SHA256TreeHash",
                ]
                for line in lines:
                    archive_id, description, _, size, checksum = read_csv_line(line)
                    found[archive_id] = (description, size, checksum)
            marker = job["InventoryRetrievalParameters"].get("Marker")
            pages += 1
        assert (found, pages) == (stored, 2)


def test_jobs_are_listed_through_the_paginator(glacier, vault):
    ids = [finished(glacier, vault, Type="inventory-retrieval")["JobId"] for _ in range(3)]
    for filters in [{}, {"completed": "true"}, {"statuscode": "Succeeded"}]:
        pages = glacier.get_paginator("list_jobs").paginate(
            vaultName=vault, **filters, PaginationConfig={"PageSize": 1}
        )
        assert [[job["JobId"] for job in page["JobList"]] for page in pages] == [[job_id] for job_id in ids]
    assert glacier.list_jobs(vaultName=vault, completed="false")["JobList"] == []


def test_waiters_end(glacier):
    glacier.create_vault(vaultName="there")
    once = {"Delay": 0, "MaxAttempts": 1}
    glacier.get_waiter("vault_exists").wait(vaultName="there", WaiterConfig=once)
    glacier.get_waiter("vault_not_exists").wait(vaultName="never", WaiterConfig=once)
    with pytest.raises(WaiterError):
        glacier.get_waiter("vault_exists").wait(vaultName="never", WaiterConfig=once)


def test_modelled_errors_arrive_as_their_exceptions(glacier, vault):
    archive = glacier.upload_archive(vaultName=vault, body=pattern(9))["archiveId"]
    retrieval = {"Type": "archive-retrieval", "ArchiveId": archive}
    errors = glacier.exceptions
    with pytest.raises(errors.ResourceNotFoundException, match="The job ID was not found: nope"):
        glacier.describe_job(vaultName=vault, jobId="nope")
    with pytest.raises(errors.ResourceNotFoundException, match="The archive ID was not found: nope"):
        glacier.initiate_job(vaultName=vault, jobParameters={**retrieval, "ArchiveId": "nope"})
    with pytest.raises(errors.MissingParameterValueException, match="Required parameter missing: Type"):
        glacier.initiate_job(vaultName=vault, jobParameters={})
    with pytest.raises(errors.InvalidParameterValueException, match="select is not supported"):
        glacier.initiate_job(vaultName=vault, jobParameters={"Type": "select"})
    with pytest.raises(errors.LimitExceededException, match="at most 2 units"):
        for _ in range(3):
            glacier.purchase_provisioned_capacity()
    glacier.set_data_retrieval_policy(Policy={"Rules": [{"Strategy": "BytesPerHour", "BytesPerHour": 8}]})
    with pytest.raises(errors.PolicyEnforcedException, match="denied by current data retrieval policy"):
        glacier.initiate_job(vaultName=vault, jobParameters=retrieval)
    for operation in [
        glacier.get_vault_access_policy,
        glacier.get_vault_lock,
        glacier.get_vault_notifications,
    ]:
        with pytest.raises(errors.ResourceNotFoundException, match=f"is set for vault: {ARN}"):
            operation(vaultName=vault)


def test_expedited_retrievals_without_capacity_are_refused(tmp_path):
    store = Store(tmp_path / "limited", "--expedited-per-5-min", "0")
    glacier = store.boto3()
    glacier.create_vault(vaultName="photos")
    archive = glacier.upload_archive(vaultName="photos", body=pattern(9))["archiveId"]
    expedited = {"Type": "archive-retrieval", "ArchiveId": archive, "Tier": "Expedited"}
    with pytest.raises(glacier.exceptions.InsufficientCapacityException, match="purchase provisioned capacity"):
        glacier.initiate_job(vaultName="photos", jobParameters=expedited)
    glacier.purchase_provisioned_capacity()
    assert finished(glacier, "photos", **expedited)["Tier"] == "Expedited"
    glacier.close()
    assert store.stop() == 0


def test_a_lock_denies_deletion_before_its_time(glacier, vault):
    archive = glacier.upload_archive(vaultName=vault, body=pattern(9))["archiveId"]
    age = {"NumericLessThan": {"glacier:ArchiveAgeInDays": "365"}}
    policy = {"Policy": deny("glacier:DeleteArchive", **age)}
    lock_id = glacier.initiate_vault_lock(vaultName=vault, policy=policy)["lockId"]
    code, _ = refused(glacier.initiate_vault_lock, vaultName=vault, policy=policy)
    assert code == "AccessDeniedException"
    code, message = refused(glacier.complete_vault_lock, vaultName=vault, lockId="wrong")
    assert (code, message[:23]) == ("InvalidParameterValueException", "Invalid lock ID: wrong.")
    glacier.complete_vault_lock(vaultName=vault, lockId=lock_id)
    code, message = refused(glacier.delete_archive, vaultName=vault, archiveId=archive)
    assert code == "AccessDeniedException"
    assert message == f"The vault lock policy denies glacier:DeleteArchive on {ARN} (statement 1)"
    assert refused(glacier.abort_vault_lock, vaultName=vault)[0] == "AccessDeniedException"
    job = finished(glacier, vault, Type="archive-retrieval", ArchiveId=archive)
    assert output(glacier, vault, job["JobId"])[1] == pattern(9)


def test_nulls_are_written_out(connection, glacier, vault):
    """boto 2 fails where a key is missing; boto3 hides nulls, so that only the bytes tell."""
    job_id = finished(glacier, vault, Type="inventory-retrieval")["JobId"]
    status, headers, body = connection.send("GET", f"/-/vaults/{vault}/jobs/{job_id}")
    described = json.loads(body)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert {name for name, value in described.items() if value is None} == {
        "ArchiveId",
        "ArchiveSHA256TreeHash",
        "ArchiveSizeInBytes",
        "JobDescription",
        "JobOutputPath",
        "OutputLocation",
        "RetrievalByteRange",
        "SHA256TreeHash",
        "SNSTopic",
        "SelectParameters",
        "Tier",
    }
    assert described["InventoryRetrievalParameters"] == {
        "Format": "JSON",
        "StartDate": None,
        "EndDate": None,
        "Limit": None,
        "Marker": None,
    }
    assert json.loads(connection.send("GET", f"/-/vaults/{vault}/jobs")[2])["Marker"] is None
    rule = json.loads(connection.send("GET", "/-/policies/data-retrieval")[2])["Policy"]["Rules"]
    assert rule == [{"BytesPerHour": None, "Strategy": "None"}]
