"""Bytes that the disk has lost are not passed off as an archive."""

import http.client

import pytest
from test_operations import finished, pattern

MIB = 1024 * 1024


@pytest.mark.parametrize("kept", [0, MIB // 2])
def test_a_truncated_file_ends_the_connection_and_not_the_store(store, glacier, connection, vault, kept):
    archive = glacier.upload_archive(vaultName=vault, body=pattern(MIB))["archiveId"]
    job = finished(glacier, vault, Type="archive-retrieval", ArchiveId=archive)
    (file,) = (store.data / "files").iterdir()
    with file.open("r+b") as damaged:
        damaged.truncate(kept)
    with pytest.raises((http.client.IncompleteRead, http.client.RemoteDisconnected, ConnectionError)):
        connection.send("GET", f"/-/vaults/{vault}/jobs/{job['JobId']}/output")
    connection.connection.close()
    assert glacier.describe_job(vaultName=vault, jobId=job["JobId"])["StatusCode"] == "Succeeded"
