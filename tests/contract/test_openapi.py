"""The published description against a running gateway, by schemathesis: no 5xx, answers as described, good data taken, bad data
refused with a status that is described."""

import copy
import json
import os
import subprocess
import sys

import pytest
from servers import ROOT, VAULT, expired_token, token

PUBLISHED = json.loads((ROOT / "docs/openapi.json").read_text())
EVERYTHING = ["upload", "read", "delete", "admin"]
# What the checks of schemathesis do not know by themselves.
CONFIG = """
[generation]
database = "none"

[checks.positive_data_acceptance]
expected-statuses = {accepted}

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "413", "415", "421", "422"]
"""


def narrowed(**schemas):
    """The published document, where some schemas are narrower: what this gateway and this token are good for."""
    document = copy.deepcopy(PUBLISHED)
    document["components"]["schemas"] |= schemas
    return document


def of_glacier(document):
    """Without the intents about S3, which a gateway without buckets refuses."""
    mapping = document["components"]["schemas"]["Intent"]["discriminator"]["mapping"]
    glacier = [{"$ref": place} for op, place in mapping.items() if not op.startswith("s3:")]
    assert len(glacier) == 32
    document["components"]["schemas"]["Intent"] = {"oneOf": glacier}
    return document


def examine(folder, url, document, path, accepted, headers=(), random=0):
    """Runs schemathesis over one path, with `random` cases besides the systematic ones. Gives its exit code and its report."""
    (folder / "openapi.json").write_text(json.dumps(document))
    (folder / "schemathesis.toml").write_text(CONFIG.format(accepted=json.dumps(accepted)))
    arguments = [
        "--config-file", "schemathesis.toml", "run", "openapi.json", "--url", url, "--include-path", path, "--no-color",
        "--phases", "examples,coverage,fuzzing" if random else "examples,coverage", "--max-examples", str(random or 1),
        "--generation-deterministic",
        "--continue-on-failure", "--output-truncate", "true", "--warnings", "off",
    ]
    arguments += [part for name, value in headers for part in ("--header", f"{name}: {value}")]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": "formats", "PYTHONPATH": str(ROOT / "tests/contract")}
    run = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *arguments], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=600,
    )
    report = run.stdout + run.stderr
    assert "Tested: 1" in report, report
    return run.returncode, report


def conforms(*arguments, **options):
    code, report = examine(*arguments, **options)
    assert code == 0, report


def bearer(text):
    return [("Authorization", f"Bearer {text}")]


def test_every_intent_of_the_description_is_signed_and_no_other(tmp_path, gateway):
    document = of_glacier(narrowed(VaultName={"const": VAULT}))
    # That there are no more than 10,000 parts is a rule about two members, which a schema cannot say.
    initiate = document["components"]["schemas"]["InitiateMultipartUpload"]["properties"]
    initiate["size"]["maximum"] = 10_000 << 20
    everything = bearer(token(gateway.key, ops=EVERYTHING))
    conforms(tmp_path, gateway.url, document, "/v1/sign", ["200"], everything, random=200)


def test_intents_in_any_vault_are_answered_as_described(tmp_path, gateway):
    conforms(tmp_path, gateway.url, of_glacier(narrowed()), "/v1/sign", ["200", "403"], bearer(token(gateway.key)), random=50)


@pytest.mark.parametrize("whose", ["nobody's", "expired"])
def test_without_a_good_token_nothing_is_signed(tmp_path, gateway, whose):
    headers = bearer(expired_token(gateway.key)) if whose == "expired" else ()
    conforms(tmp_path, gateway.url, narrowed(), "/v1/sign", ["401"], headers)


def test_development_tokens_are_as_described(tmp_path, gateway):
    conforms(tmp_path, gateway.url, narrowed(), "/v1/dev-token", ["200"])


def test_events_are_refused_as_described(tmp_path, gateway):
    # With a token that may not ask for jobs: a stream that was opened would not end.
    conforms(tmp_path, gateway.url, narrowed(), "/v1/events", ["403"], bearer(token(gateway.key, ops=["upload"])))


def test_messages_that_no_topic_sent_are_refused_as_described(tmp_path, gateway):
    conforms(tmp_path, gateway.url, narrowed(), "/v1/sns", ["403"])


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_is_as_described(tmp_path, gateway, path):
    conforms(tmp_path, gateway.url, narrowed(), path, ["200"])


def drift_in_a_request(document):
    document["components"]["schemas"]["ListParts"]["required"].remove("uploadId")


def drift_in_an_answer(document):
    document["components"]["schemas"]["SignedRequest"]["properties"]["expiresInMs"]["type"] = "string"


def drift_in_a_status(document):
    del document["paths"]["/v1/sign"]["post"]["responses"]["422"]


@pytest.mark.parametrize(
    ("drift", "found"),
    [
        (drift_in_a_request, "Schema-valid request rejected"),
        (drift_in_an_answer, "Response violates schema"),
        (drift_in_a_status, "Undocumented status code"),
    ],
)
def test_a_description_that_is_not_true_is_found(tmp_path, gateway, drift, found):
    document = of_glacier(narrowed(VaultName={"const": VAULT}))
    drift(document)
    everything = bearer(token(gateway.key, ops=EVERYTHING))
    code, report = examine(tmp_path, gateway.url, document, "/v1/sign", ["200"], everything)
    assert code == 1 and found in report, report

