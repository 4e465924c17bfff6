"""`glacier-upload-server check` finds what is wrong with a store, and says what to do."""

import json
import os
import subprocess
import uuid

import pytest
from conftest import RULES
from gateway import BINARY, ORIGIN, ROOT
from ports import free

LIFECYCLE = {
    "Rules": [
        {
            "ID": "unfinished",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        }
    ]
}


def check(folder, store, bucket, *flags, json_form=True, **variables):
    page = folder / "page"
    page.mkdir(exist_ok=True)
    (page / "index.html").write_text("")
    command = [BINARY, "check", *(["--json"] if json_form else []), "--data", folder / "data", "--page", page]
    # A port that is not known is none of a page.
    command += ["--listen", "127.0.0.1:0", "--allow-origin", ORIGIN, "--bucket", bucket]
    for flag, value in [("--s3-endpoint", store.url), ("--s3-region", store.region)]:
        command += [flag, value] if flag not in flags else []
    command += flags
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ACCESS_KEY_ID": store.access_key_id,
        "AWS_SECRET_ACCESS_KEY": store.secret_access_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        **variables,
    }
    environment = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert "canary" not in done.stdout + done.stderr
    assert not (folder / "data").exists(), "it makes nothing"
    if not json_form:
        return done.returncode, done.stdout
    report = json.loads(done.stdout)
    assert report["fit"] == (done.returncode == 0)
    return report["fit"], {finding["subject"]: finding for finding in report["findings"]}


@pytest.fixture
def bucket(store):
    """A bucket with all that it should have."""
    name = f"c-{uuid.uuid4().hex[:12]}"
    store.make_bucket(name)
    store.s3.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": RULES})
    store.s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration=LIFECYCLE)
    return name


def test_a_bucket_with_all_that_it_should_have_is_fit(store, tmp_path, bucket):
    is_fit, found = check(tmp_path, store, f"{bucket}/2026/")
    assert is_fit, found
    states = {subject: finding["state"] for subject, finding in found.items()}
    assert states.pop(f"{bucket}: tags", "warning") == "warning"
    assert set(states) == {
        "configuration",
        "clock",
        bucket,
        f"{bucket}: CORS",
        f"{bucket}: unfinished uploads",
        f"{bucket}: checksums",
    }
    assert set(states.values()) == {"ok"}
    assert (f"{bucket}: tags" in found) == (store.name == "garage")
    # It leaves nothing behind.
    assert "Contents" not in store.s3.list_objects_v2(Bucket=bucket)
    assert "Uploads" not in store.s3.list_multipart_uploads(Bucket=bucket)
    code, words = check(tmp_path, store, bucket, json_form=False)
    assert code == 0 and words.endswith("fit to serve\n") and f"ok       {bucket}: CORS" in words


def test_what_to_do_can_be_pasted(store, tmp_path, bucket):
    store.s3.delete_bucket_cors(Bucket=bucket)
    store.s3.delete_bucket_lifecycle(Bucket=bucket)
    is_fit, found = check(tmp_path, store, bucket)
    cors, lifecycle = found[f"{bucket}: CORS"], found[f"{bucket}: unfinished uploads"]
    assert not is_fit and (cors["state"], lifecycle["state"]) == ("problem", "problem")
    rules = json.loads(cors["fix"].splitlines()[-1])
    store.s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    rule = json.loads(lifecycle["fix"].splitlines()[-1].strip("'"))
    store.s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration=rule)
    assert check(tmp_path, store, bucket)[0]


def test_a_bucket_that_is_not_there_is_named(store, tmp_path):
    is_fit, found = check(tmp_path, store, "no-such-bucket-here")
    assert not is_fit and "NoSuchBucket" in found["no-such-bucket-here"]["words"]
    assert "Make the bucket" in found["no-such-bucket-here"]["fix"]


def test_credentials_that_are_none_or_wrong_are_told_apart(garage, tmp_path):
    is_fit, found = check(tmp_path, garage, "photos", AWS_ACCESS_KEY_ID=None, AWS_SECRET_ACCESS_KEY=None)
    assert not is_fit and "there are no AWS credentials" in found["credentials"]["words"]
    is_fit, found = check(tmp_path, garage, "photos", AWS_SECRET_ACCESS_KEY="canary" * 10)
    assert not is_fit and garage.access_key_id in found["photos"]["words"]
    is_fit, found = check(tmp_path, garage, "photos", "--s3-region", "eu-west-9")
    assert not is_fit and "s3-region" in found["photos"]["fix"]


def test_a_store_that_is_not_there_is_said_to_be(garage, tmp_path):
    is_fit, found = check(tmp_path, garage, "photos", "--s3-endpoint", f"http://127.0.0.1:{free()}")
    assert not is_fit and "could not be reached" in found["photos"]["words"]


def test_every_origin_is_asked_for(garage, tmp_path):
    is_fit, found = check(tmp_path, garage, "photos", "--public-host", "upload.example.com", "--behind-tls-proxy")
    assert not is_fit
    assert "https://upload.example.com" in found["photos: CORS"]["words"], "the last of two of one subject"


def test_a_key_that_is_wrong_is_told_as_at_the_start(garage, tmp_path):
    command = [BINARY, "check", "--data", tmp_path / "d", "--page", ROOT, "--bucket", "photos"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "--page" in done.stderr
