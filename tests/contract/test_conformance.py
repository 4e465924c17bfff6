"""tests/gateway_conformance against this gateway, the example in Node, and back ends that nobody should run."""

import json
import os
import secrets
import subprocess
import sys

import pytest
from servers import ORIGIN, ROOT, STORE, VAULT, Process, expired_token, token

OTHER_VAULT = "films"


def conformance(sign_url, key, *options, **environment):
    """The report."""
    tokens = ["--token", token(key), "--expired-token", expired_token(key), "--small-token", token(key, maxArchiveBytes=1 << 20)]
    arguments = ["--sign-url", sign_url, "--vault", VAULT, "--other-vault", OTHER_VAULT, "--json", *tokens, *options]
    run = subprocess.run(
        [sys.executable, ROOT / "tests/gateway_conformance", *arguments], env={**os.environ, **environment}, capture_output=True,
        text=True, timeout=300,
    )
    assert run.returncode in (0, 1), run.stderr
    report = json.loads(run.stdout)
    assert run.returncode == (1 if report["failed"] else 0)
    assert len(report["checks"]) > 25
    return report


def findings(report):
    return {check["check"]: check["findings"] for check in report["checks"] if check["findings"]}


def left_out(report):
    return [check["check"] for check in report["checks"] if "left_out" in check]


def test_this_gateway_conforms(gateway):
    report = conformance(
        gateway.sign_url, gateway.key, "--origin", ORIGIN,
        CONFORMANCE_ACCESS_KEY_ID=gateway.access_key_id, CONFORMANCE_SECRET_ACCESS_KEY=gateway.secret,
    )
    assert findings(report) == {} and left_out(report) == []


@pytest.fixture
def store(tmp_path):
    """A store of its own, which is no gateway's."""
    keys = {"LOCAL_GLACIER_ACCESS_KEY_ID": "AKIDOFTHEEXAMPLE", "LOCAL_GLACIER_SECRET_ACCESS_KEY": secrets.token_hex(20)}
    arguments = [STORE, "--data", tmp_path / "store", "--listen", "127.0.0.1:0", "--allow-origin", ORIGIN]
    store = Process(arguments, keys, tmp_path / "store.log")
    store.access_key_id, store.secret = keys.values()
    from botocore.session import get_session

    glacier = get_session().create_client(
        "glacier", region_name="us-east-1", endpoint_url=store.url, aws_access_key_id=store.access_key_id,
        aws_secret_access_key=store.secret,
    )
    glacier.create_vault(accountId="-", vaultName=VAULT)
    glacier.close()
    yield store
    store.stop()


def test_the_example_in_node_is_as_short_as_it_says():
    lines = (ROOT / "examples/node-gateway/gateway.mjs").read_text().splitlines()
    assert len(lines) <= 60 and max(map(len, lines)) <= 130


def test_the_example_in_node_conforms(tmp_path, store):
    key = secrets.token_bytes(32)
    environment = {
        "STORE_URL": store.url, "AWS_ACCESS_KEY_ID": store.access_key_id, "AWS_SECRET_ACCESS_KEY": store.secret,
        "TOKEN_KEY": key.hex(), "PAGE_ORIGIN": ORIGIN, "PORT": "0",
    }
    example = Process(["node", ROOT / "examples/node-gateway/gateway.mjs"], environment, tmp_path / "example.log")
    report = conformance(
        f"{example.url}/v1/sign", key, "--origin", ORIGIN,
        CONFORMANCE_ACCESS_KEY_ID=store.access_key_id, CONFORMANCE_SECRET_ACCESS_KEY=store.secret,
    )
    example.stop()
    assert findings(report) == {} and left_out(report) == []


@pytest.mark.parametrize(
    ("vice", "found"),
    [
        ("takes-unknown-fields", {"unknown_fields": "with host: expected 422, got 200"}),
        ("leaves-out-bad-intents", {"all_or_none": "2 intents, number 1 bad: expected 422, got 200"}),
        ("loses-the-order", {"order": "is not that of intent"}),
        ("signs-without-a-token", {"token_missing": "no token: expected 401, got 200"}),
        ("lets-every-page-in", {"foreign_pages": "request from https://evil.example: access-control-allow-origin"}),
        ("takes-text", {"content_types": "content type text/plain: expected 415, got 200"}),
        ("names-the-host", {"hosts": "evil.example comes back in the answer"}),
        ("leaves-the-payload-open", {"headers": "'UNSIGNED-PAYLOAD', expected", "payload_hash": "UNSIGNED", "upload": "answered"}),
        ("signs-too-little", {"signed_headers": "x-amz-content-sha256 is not signed"}),
        ("lives-too-long", {"operations": "expiresInMs is 604800000"}),
        ("repeats-what-was-sent", {"no_echo": "canary"}),
        ("fails-with-500", {"bad_values": "expected 422, got 500", "all_or_none": "got 500"}),
        ("forgets-the-vault", {"other_vaults": "expected 403, got 200", "bad_values": "vault"}),
    ],
)
def test_each_vice_is_found(tmp_path, gateway, vice, found):
    environment = {"VICE": vice, "GATEWAY": gateway.url}
    bad = Process(["node", ROOT / "tests/contract/bad_signer.mjs"], environment, tmp_path / "bad.log")
    report = findings(conformance(f"{bad.url}/v1/sign", gateway.key))
    bad.stop()
    for check, text in found.items():
        assert any(text in finding for finding in report.get(check, [])), (check, report)


def test_a_signer_of_strings_fails_nearly_everything(tmp_path, gateway):
    environment = {"VICE": "signs-strings", "GATEWAY": gateway.url}
    bad = Process(["node", ROOT / "tests/contract/bad_signer.mjs"], environment, tmp_path / "bad.log")
    report = conformance(f"{bad.url}/v1/sign", gateway.key)
    bad.stop()
    passed = {check["check"] for check in report["checks"]} - set(findings(report)) - set(left_out(report))
    assert passed <= {"no_echo", "optional_fields", "hosts"}, passed
    assert any("stringToSign: expected 422, got 200" in finding for finding in findings(report)["unknown_fields"])


def test_who_cannot_be_asked_is_told_apart_from_who_does_not_conform():
    arguments = ["--sign-url", "http://127.0.0.1:9/v1/sign", "--token", "x", "--vault", VAULT]
    run = subprocess.run([sys.executable, ROOT / "tests/gateway_conformance", *arguments], capture_output=True, text=True)
    assert run.returncode == 2 and "cannot ask" in run.stderr
