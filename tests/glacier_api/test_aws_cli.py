"""The AWS CLI, unmodified, does the same."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
from store import ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY
from stored_archive import stored_archive, tree_hash

MIB = 1024 * 1024


@pytest.fixture
def aws(store, tmp_path):
    """Runs `aws glacier …` and gives its JSON; a refusal raises with what it printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    program = pathlib.Path(sys.executable).with_name("aws")

    def run(operation, *arguments):
        command = [program, "--endpoint-url", store.url, "glacier", *operation.split(), "--account-id", "-", *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    return run


def test_a_vault_an_archive_and_an_upload_in_parts(store, aws, tmp_path):
    vault = ("--vault-name", "photos")
    assert aws("create-vault", *vault)["location"] == "/123456789012/vaults/photos"
    whole = tmp_path / "whole"
    whole.write_bytes(os.urandom(2 * MIB + 77))

    one = aws("upload-archive", *vault, "--archive-description", "in one", "--body", whole)
    assert one["checksum"] == tree_hash(whole.read_bytes())

    opened = aws("initiate-multipart-upload", *vault, "--part-size", str(MIB), "--archive-description", "in parts")
    upload = (*vault, "--upload-id", opened["uploadId"])
    for first_byte in [2 * MIB, 0, MIB]:
        part = tmp_path / "part"
        part.write_bytes(whole.read_bytes()[first_byte : first_byte + MIB])
        last = first_byte + part.stat().st_size - 1
        aws("upload-multipart-part", *upload, "--range", f"bytes {first_byte}-{last}/*", "--body", part)
    assert len(aws("list-parts", *upload, "--page-size", "1")["Parts"]) == 3
    assert len(aws("list-multipart-uploads", *vault, "--page-size", "1")["UploadsList"]) == 1
    size = str(whole.stat().st_size)
    many = aws("complete-multipart-upload", *upload, "--archive-size", size, "--checksum", one["checksum"])
    assert many["checksum"] == one["checksum"]
    for archive, description in [(one, "in one"), (many, "in parts")]:
        stored = stored_archive(store.data, archive["archiveId"], "photos")
        assert (stored["tree_hash"], stored["description"]) == (one["checksum"], description)

    opened = aws("initiate-multipart-upload", *vault, "--part-size", str(MIB))
    aws("abort-multipart-upload", *vault, "--upload-id", opened["uploadId"])
    with pytest.raises(RuntimeError, match="Vault not empty or recently written to"):
        aws("delete-vault", *vault)
    for archive in [one, many]:
        aws("delete-archive", *vault, f"--archive-id={archive['archiveId']}")
    assert [found["VaultName"] for found in aws("list-vaults", "--page-size", "1")["VaultList"]] == ["photos"]
    aws("delete-vault", *vault)
    assert aws("list-vaults")["VaultList"] == []
    assert store.files() == []


def test_refusals_reach_the_terminal(store, aws):
    with pytest.raises(RuntimeError, match="ResourceNotFoundException.*Vault not found for ARN: arn:aws:glacier"):
        aws("describe-vault", "--vault-name", "none")
    with pytest.raises(RuntimeError, match="Invalid part size: 3. Part size must not be null"):
        aws("initiate-multipart-upload", "--vault-name", "none", "--part-size", "3")


def test_jobs_tags_policies_and_capacity(store, aws, tmp_path):
    vault = ("--vault-name", "photos")
    aws("create-vault", *vault)
    aws("wait vault-exists", *vault)
    aws("wait vault-not-exists", "--vault-name", "never")
    whole = tmp_path / "whole"
    whole.write_bytes(os.urandom(MIB + 77))
    archive = aws("upload-archive", *vault, "--body", whole)

    parameters = {"Type": "archive-retrieval", "ArchiveId": archive["archiveId"], "Tier": "Expedited"}
    job = ("--job-id=" + aws("initiate-job", *vault, "--job-parameters", json.dumps(parameters))["jobId"],)
    while not aws("describe-job", *vault, *job)["Completed"]:
        pass
    got = tmp_path / "got"
    answer = aws("get-job-output", *vault, *job, "--range", "bytes=0-99999999", got)
    assert (answer["status"], answer["checksum"]) == (206, archive["checksum"])
    assert got.read_bytes() == whole.read_bytes()
    assert len(aws("list-jobs", *vault, "--statuscode", "Succeeded", "--page-size", "1")["JobList"]) == 1

    aws("add-tags-to-vault", *vault, "--tags", "owner=me,kind=photos")
    aws("remove-tags-from-vault", *vault, "--tag-keys", "kind")
    assert aws("list-tags-for-vault", *vault) == {"Tags": {"owner": "me"}}
    topic = "SNSTopic=arn:aws:sns:us-east-1:123456789012:jobs,Events=ArchiveRetrievalCompleted"
    aws("set-vault-notifications", *vault, "--vault-notification-config", topic)
    assert aws("get-vault-notifications", *vault)["vaultNotificationConfig"]["Events"] == ["ArchiveRetrievalCompleted"]
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "glacier:DeleteArchive",
        "Resource": "arn:aws:glacier:us-east-1:123456789012:vaults/photos",
    }
    policy = json.dumps({"Policy": json.dumps({"Statement": statement})})
    aws("set-vault-access-policy", *vault, "--policy", policy)
    with pytest.raises(RuntimeError, match="AccessDeniedException.*The vault access policy denies glacier:Del"):
        aws("delete-archive", *vault, f"--archive-id={archive['archiveId']}")
    aws("delete-vault-access-policy", *vault)
    lock = aws("initiate-vault-lock", *vault, "--policy", policy)["lockId"]
    aws("complete-vault-lock", *vault, f"--lock-id={lock}")
    assert aws("get-vault-lock", *vault)["State"] == "Locked"
    aws("set-data-retrieval-policy", "--policy", '{"Rules": [{"Strategy": "FreeTier"}]}')
    assert aws("get-data-retrieval-policy") == {"Policy": {"Rules": [{"Strategy": "FreeTier"}]}}
    capacity = aws("purchase-provisioned-capacity")["capacityId"]
    assert aws("list-provisioned-capacity")["ProvisionedCapacityList"][0]["CapacityId"] == capacity
