"""Methods, content types, hosts, and pages of other origins."""

from client import send
from intents import good
from report import check, refused, refused_early

EVIL = "evil.example"


@check("methods", "only POST signs")
def methods(context):
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD"):
        answer = send(method, context.sign_url, context.gateway.headers)
        yield from refused_early(answer, method, 404, 405)


@check("content_types", "a body counts only as application/json, uncompressed")
def content_types(context):
    # A page of another site can send the first three without asking anybody.
    intent = good(context.vault)["ListParts"]
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/jsonp", "x"):
        answer = context.gateway.sign(intent, headers={"content-type": kind})
        yield from refused(answer, f"content type {kind}", 415, "unsupported_media_type")
    answer = context.gateway.sign(intent, without=("content-type",))
    yield from refused(answer, "no content type", 415, "unsupported_media_type")
    answer = context.gateway.sign(intent, headers={"content-encoding": "gzip"})
    yield from refused_early(answer, "content-encoding gzip", 415)
    answer = context.gateway.sign(intent, headers={"content-type": "application/json; charset=utf-8"})
    if answer.status != 200:
        yield f"application/json; charset=utf-8: expected 200, got {answer}"


@check("hosts", "hosts that a client names are not signed for and not sent to")
def hosts(context):
    intent = good(context.vault)["ListParts"]
    forwarded = {"x-forwarded-host": EVIL, "forwarded": f"host={EVIL}", "x-original-host": EVIL, "origin": f"https://{EVIL}"}
    asked = [("Host", context.gateway.sign(intent, host=EVIL))]
    asked += [(name, context.gateway.sign(intent, headers={name: value})) for name, value in forwarded.items()]
    for what, answer in asked:
        if answer.status >= 500:
            yield f"{what}: {EVIL}: {answer}"
        if EVIL.encode() in answer.body:
            yield f"{what}: {EVIL} comes back in the answer: {answer}"
        if what == "Host" and answer.status == 200:
            from signatures import signed_for  # Only here: with credentials it computes the signature for that host.

            if signed_for(context, answer.json["requests"][0], EVIL):
                yield f"Host: {EVIL}: a request was signed for it"


@check("foreign_pages", "pages of other origins may not read answers")
def foreign_pages(context):
    intent = good(context.vault)["ListParts"]
    for origin in (f"https://{EVIL}", "null", "http://localhost.evil.example", "https://evil.example:8443"):
        preflight = {
            "origin": origin, "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
        }
        for what, answer in (
            ("preflight", send("OPTIONS", context.sign_url, preflight)),
            ("request", context.gateway.sign(intent, headers={"origin": origin})),
            ("refusal", context.gateway.sign({}, headers={"origin": origin})),
        ):
            allowed = answer.headers.get("access-control-allow-origin")
            if allowed in (origin, "*") or allowed == "null":
                yield f"{what} from {origin}: access-control-allow-origin: {allowed}"


@check("own_pages", "pages of the origin that may call can", needs="origin")
def own_pages(context):
    preflight = {
        "origin": context.origin, "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    answer = send("OPTIONS", context.sign_url, preflight)
    if not 200 <= answer.status < 300 or answer.headers.get("access-control-allow-origin") != context.origin:
        yield f"preflight: {answer.status} {answer.headers}"
    allowed = [name.strip() for name in answer.headers.get("access-control-allow-headers", "").lower().split(",")]
    for name in ("authorization", "content-type"):
        if name not in allowed:
            yield f"preflight: the header {name} is not allowed"
    for what, batch in (("answer", good(context.vault)["ListParts"]), ("refusal", {})):
        answer = context.gateway.sign(batch, headers={"origin": context.origin})
        if answer.headers.get("access-control-allow-origin") != context.origin:
            yield f"{what}: access-control-allow-origin is {answer.headers.get('access-control-allow-origin')}"
        if "origin" not in answer.headers.get("vary", "").lower():
            yield f"{what}: Vary does not name Origin, so a cache may give it to another page"
