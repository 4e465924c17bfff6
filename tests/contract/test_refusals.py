"""Every refusal of the description, one by one: there is a request that gets it, with exactly its status and code."""

import http.client
import json
import urllib.parse

import pytest
from servers import ROOT, VAULT, Gateway, expired_token, token

PUBLISHED = json.loads((ROOT / "docs/openapi.json").read_text())
LIST_PARTS = {"op": "ListParts", "vault": VAULT, "uploadId": "u"}
# What is not for the asking here: defects, what is about buckets, and what needs Amazon's servers or a crowd.
NOT_FOR_THE_ASKING = {
    ("/v1/sign", "500", "internal"), ("/v1/dev-token", "500", "internal"), ("/v1/events", "500", "internal"),
    ("/v1/sns", "500", "internal"), ("/healthz", "500", "internal"), ("/readyz", "500", "internal"),
    ("/v1/sign", "409", "cors_not_allowed"), ("/v1/sign", "503", "unavailable"), ("/v1/sns", "429", "too_many_requests"),
    ("/v1/sign", "403", "AccessDenied"), ("/v1/sign", "400", "InvalidRequest"), ("/v1/sign", "404", "NoSuchBucket"),
    ("/v1/sign", "404", "NoSuchUpload"), ("/v1/sign", "501", "NotImplemented"), ("/v1/sign", "412", "PreconditionFailed"),
    ("/v1/sign", "503", "SlowDown"),
    ("/v1/sns", "503", "unavailable"), ("/v1/events", "429", "too_many_streams"),
}


HURRIED = ["/v1/sign", "/v1/events"]


def described():
    """Every refusal of the document that carries a body, as path, status and code: HTTP's own errors carry none."""
    for path, item in PUBLISHED["paths"].items():
        (operation,) = item.values()
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and "content" in answer:
                described = answer["content"]["application/json"]["schema"]["properties"]
                yield from ((path, status, code) for code in described.get("code", {}).get("enum", []))


def batch(*intents):
    return json.dumps({"intents": intents})


def provocations(key):
    """What gets each: path, status, code, and the request."""
    good, kind = {"authorization": f"Bearer {token(key)}"}, {"content-type": "application/json"}
    small = {"authorization": f"Bearer {token(key, maxArchiveBytes=1)}"}
    expired = {"authorization": f"Bearer {expired_token(key)}"}
    sign, large = "/v1/sign", {"op": "CompleteMultipartUpload", "vault": VAULT, "uploadId": "u", "size": 2, "treeHash": "a" * 64}
    elsewhere = {**LIST_PARTS, "vault": "films"}
    on_s3 = {"op": "s3:HeadObject", "bucket": "photos", "key": "a"}
    objects = {"authorization": f"Bearer {token(key, ops=['read'], objects=['photos/'])}"}
    jobs = {"authorization": f"Bearer {token(key, ops=['read'])}"}
    yield sign, "400", "malformed_json", ("POST", sign, good | kind, "{")
    yield sign, "401", "token_missing", ("POST", sign, kind, batch(LIST_PARTS))
    yield sign, "401", "token_invalid", ("POST", sign, kind | {"authorization": "Bearer x"}, batch(LIST_PARTS))
    yield sign, "401", "token_expired", ("POST", sign, kind | expired, batch(LIST_PARTS))
    yield sign, "403", "limit_exceeded", ("POST", sign, kind | small, batch(large))
    yield sign, "403", "operation_denied", ("POST", sign, kind | good, batch(elsewhere))
    yield sign, "413", "too_large", ("POST", sign, kind | good, batch(*[LIST_PARTS] * 101))
    yield sign, "415", "unsupported_media_type", ("POST", sign, good | {"content-type": "text/plain"}, batch(LIST_PARTS))
    yield sign, "421", "misdirected_request", ("POST", sign, good | kind | {"host": "evil.example"}, batch(LIST_PARTS))
    yield sign, "422", "invalid_request", ("POST", sign, good | kind, batch({}))
    yield sign, "501", "not_configured", ("POST", sign, objects | kind, batch(on_s3))
    path = "/v1/dev-token"
    yield path, "400", "malformed_json", ("POST", path, kind, "{")
    yield path, "404", "not_found", ("POST", path, kind | {"x-forwarded-for": "192.0.2.1"}, "{}")
    yield path, "413", "too_large", ("POST", path, kind, "{" + " " * 2000 + "}")
    yield path, "415", "unsupported_media_type", ("POST", path, {}, "{}")
    yield path, "421", "misdirected_request", ("POST", path, kind | {"host": "evil.example"}, "{}")
    yield path, "422", "invalid_request", ("POST", path, kind, '{"sub":"root"}')
    path = "/v1/events"
    yield path, "401", "token_missing", ("GET", f"{path}?vault={VAULT}", {}, None)
    yield path, "401", "token_invalid", ("GET", f"{path}?vault={VAULT}", {"authorization": "Bearer x"}, None)
    yield path, "401", "token_expired", ("GET", f"{path}?vault={VAULT}", expired, None)
    yield path, "403", "operation_denied", ("GET", f"{path}?vault=films", jobs, None)
    yield path, "421", "misdirected_request", ("GET", f"{path}?vault={VAULT}", jobs | {"host": "evil.example"}, None)
    yield path, "422", "invalid_request", ("GET", path, jobs, None)
    path = "/v1/sns"
    yield path, "403", "message_refused", ("POST", path, {}, "{}")
    yield path, "413", "too_large", ("POST", path, {}, " " * 70_000)
    yield path, "421", "misdirected_request", ("POST", path, {"host": "evil.example"}, "{}")
    for path in ("/healthz", "/readyz"):
        yield path, "421", "misdirected_request", ("GET", path, {"host": "evil.example"}, None)


def ask(url, method, path, headers, body):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=60)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    headers, body = dict(answer.getheaders()), answer.read()
    connection.close()
    return answer.status, headers, json.loads(body)


def test_every_refusal_that_is_described_is_given(gateway):
    # By the gateways of the next tests.
    given = {("/v1/sns", "404", "not_found")}
    given |= {(path, "429", "too_many_requests") for path in HURRIED}
    for path, status, code, request in provocations(gateway.key):
        answered, headers, refusal = ask(gateway.url, *request)
        assert (str(answered), refusal["code"]) == (status, code), f"{path} {request[:2]}: {answered} {refusal}"
        assert headers["x-request-id"] == refusal["requestId"]
        given.add((path, status, code))
    assert given | NOT_FOR_THE_ASKING == set(described())
    assert not given & NOT_FOR_THE_ASKING


def test_without_topics_there_is_no_path_for_messages(tmp_path):
    plain = Gateway(tmp_path)
    status, _, refusal = ask(plain.url, "POST", "/v1/sns", {}, "{}")
    assert (status, refusal["code"]) == (404, "not_found")
    plain.stop()


@pytest.mark.parametrize("path", HURRIED)
def test_who_asks_too_often_is_told_how_long_to_wait(tmp_path, path):
    slow = Gateway(tmp_path, "--subject-rate", "1")
    method = "GET" if path == "/v1/events" else "POST"
    headers = {"authorization": f"Bearer {token(slow.key)}", "content-type": "application/json"}
    answers = (ask(slow.url, method, path, headers, None if method == "GET" else "{}") for _ in range(100))
    headers, refusal = next((headers, refusal) for status, headers, refusal in answers if status == 429)
    slow.stop()
    assert (refusal["code"], headers["retry-after"]) == ("too_many_requests", "1")


@pytest.mark.parametrize("vaults", [[VAULT], [VAULT, VAULT]])
def test_a_stream_of_events_is_as_described(gateway, vaults):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(gateway.url).netloc, timeout=60)
    query = urllib.parse.urlencode([("vault", vault) for vault in vaults])
    connection.request("GET", f"/v1/events?{query}", headers={"authorization": f"Bearer {token(gateway.key, ops=['read'])}"})
    answer = connection.getresponse()
    described = PUBLISHED["paths"]["/v1/events"]["get"]["responses"]["200"]
    assert answer.status == 200 and answer.headers["content-type"] in described["content"]
    assert all(name in answer.headers for name in described["headers"])
    assert answer.readline().startswith(b":")
    connection.close()
