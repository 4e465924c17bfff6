"""Batches: their order, their length, all or none."""

import json

from intents import MIB, good
from report import check, refused


@check("operations", "each operation of an upload is answered with its request")
def operations(context):
    for op, intent in good(context.vault).items():
        answer = context.gateway.sign(intent)
        requests = answer.json.get("requests") if answer.status == 200 and isinstance(answer.json, dict) else None
        if not isinstance(requests, list) or len(requests) != 1:
            yield f"{op}: expected 200 with one request, got {answer}"
            continue
        yield from (f"{op}: {finding}" for finding in wrong_form(requests[0]))
        if not answer.headers.get("content-type", "").startswith("application/json"):
            yield f"{op}: the answer's content type is {answer.headers.get('content-type')}"
        if "no-store" not in answer.headers.get("cache-control", ""):
            yield f"{op}: a cache may keep the answer: cache-control is {answer.headers.get('cache-control')}"


def wrong_form(request):
    if request.get("method") not in ("GET", "PUT", "POST", "DELETE"):
        yield f"method is {request.get('method')!r}"
    if not isinstance(request.get("url"), str) or not request["url"]:
        yield "no url"
    headers = request.get("headers")
    if not isinstance(headers, dict) or not all(isinstance(value, str) for value in headers.values()):
        yield "headers are no object of texts"
    else:
        for name in headers:
            if name.lower() in ("host", "date", "content-length"):
                yield f"a page cannot set the header {name}"
    lifetime = request.get("expiresInMs")
    if isinstance(lifetime, bool) or not isinstance(lifetime, int) or not 1_000 <= lifetime <= 900_000:
        yield f"expiresInMs is {lifetime!r}: expected a whole number, a second to a quarter of an hour"
    if not set(request) <= {"method", "url", "headers", "body", "expiresInMs"}:
        yield f"members that are not of the contract: {sorted(set(request) - {'method', 'url', 'headers', 'body', 'expiresInMs'})}"


@check("order", "requests are in the order of the intents, up to a hundred of them")
def order(context):
    part = good(context.vault)["UploadMultipartPart"]
    ranges = [f"{n * MIB}-{(n + 1) * MIB - 1}" for n in reversed(range(100))]
    answer = context.gateway.sign(*({**part, "range": range_, "payloadHash": f"{n:064x}"} for n, range_ in enumerate(ranges)))
    requests = answer.json.get("requests", []) if answer.status == 200 else []
    if len(requests) != 100:
        yield f"a hundred parts: expected 100 requests, got {answer}"
        return
    for n, (range_, request) in enumerate(zip(ranges, requests)):
        headers = {name.lower(): value for name, value in request["headers"].items()}
        if headers.get("content-range") != f"bytes {range_}/*" or headers.get("x-amz-content-sha256") != f"{n:064x}":
            yield f"request {n} is not that of intent {n}"
    mixed = list(good(context.vault).values())
    answer = context.gateway.sign(*mixed)
    methods = [request["method"] for request in answer.json.get("requests", [])] if answer.status == 200 else answer
    if methods != ["POST", "PUT", "GET", "POST", "DELETE"]:
        yield f"one batch of all operations: expected POST PUT GET POST DELETE, got {methods}"


@check("all_or_none", "one bad intent refuses the batch, and is named")
def all_or_none(context):
    intent = good(context.vault)["ListParts"]
    bad = {**intent, "uploadId": "a/b"}
    for batch, place in (([bad], 0), ([intent, bad], 1), ([intent, bad, intent], 1), ([intent] * 99 + [bad], 99)):
        what = f"{len(batch)} intents, number {place} bad"
        yield from refused(context.gateway.sign(*batch), what, 422, "invalid_request", place)


@check("batch_form", "a batch is an object with 1 to 100 intents and nothing else")
def batch_form(context):
    intent = good(context.vault)["ListParts"]
    for body in (
        None, [], [intent], 1, "x", True, {}, {"intents": None}, {"intents": {}}, {"intents": "x"}, {"intents": []},
        {"intents": [intent], "host": "evil.example"}, {"Intents": [intent]}, {"to_sign": "AWS4-HMAC-SHA256"}, intent,
    ):
        yield from refused(context.gateway.post(body), f"body {json.dumps(body)[:60]}", 422, "invalid_request")
    for element in (None, 1, "x", True, [], ["ListParts", context.vault, "u"], {}):
        answer = context.gateway.sign(intent, element)
        yield from refused(answer, f"intent {json.dumps(element)}", 422, "invalid_request", 1)
    yield from refused(context.gateway.sign(*[intent] * 101), "101 intents", 413, "too_large")


@check("not_json", "what is not JSON is refused as that")
def not_json(context):
    for body in (b"", b"{", b"intents=1", b"{'intents':[]}", b'{"intents":[]} x', b"\xff\xfe", b"NaN"):
        yield from refused(context.gateway.post(body), f"body {body!r}", 400, "malformed_json")


@check("long_bodies", "a body of a megabyte is refused")
def long_bodies(context):
    intent = {**good(context.vault)["ListParts"], "marker": "m" * MIB}
    try:
        answer = context.gateway.sign(intent)
    except ConnectionError:
        return  # Cut off while it was sent: refused as well.
    yield from refused(answer, "a marker of 1 MiB", 413, "too_large")
