"""What is signed."""

import datetime
import email.utils
import hashlib
import re
import urllib.parse

from intents import HASH_A, MIB, OPTIONAL, good
from report import check

AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/, ]+)/(?P<date>\d{8})/(?P<region>[^/, ]+)/(?P<service>[^/, ]+)/aws4_request, ?"
    r"SignedHeaders=(?P<headers>[a-z0-9;-]+), ?Signature=(?P<signature>[0-9a-f]{64})"
)
EMPTY = hashlib.sha256(b"").hexdigest()
PATHS = {
    "InitiateMultipartUpload": ("POST", r"/multipart-uploads"),
    "UploadMultipartPart": ("PUT", r"/multipart-uploads/{upload}"),
    "ListParts": ("GET", r"/multipart-uploads/{upload}"),
    "CompleteMultipartUpload": ("POST", r"/multipart-uploads/{upload}"),
    "AbortMultipartUpload": ("DELETE", r"/multipart-uploads/{upload}"),
}


def requests(context):
    """Each operation's request, those with optional fields too."""
    for op, intent in good(context.vault).items():
        for fields in ({}, OPTIONAL.get(op, {})):
            answer = context.gateway.sign({**intent, **fields})
            if answer.status == 200:
                request = answer.json["requests"][0]
                headers = {name.lower(): value for name, value in request["headers"].items()}
                yield op, {**intent, **fields}, {**request, "headers": headers}, answer


def computed(context, request, host):
    """The Authorization that botocore makes of the request."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    found = AUTHORIZATION.fullmatch(request["headers"]["authorization"])
    path = urllib.parse.urlsplit(context.gateway.resolve(request["url"]))
    url = urllib.parse.urlunsplit((path.scheme, host, path.path, "", ""))
    headers = {name: value for name, value in request["headers"].items() if name != "authorization"}
    headers |= {"host": host}
    unsigned = AWSRequest(request["method"], url, headers, request.get("body"), dict(urllib.parse.parse_qsl(path.query)))
    credentials = Credentials(context.access_key_id, context.secret, context.session_token)
    signer = SigV4Auth(credentials, found["service"], found["region"])
    unsigned.context["timestamp"] = request["headers"]["x-amz-date"]
    string = signer.string_to_sign(unsigned, signer.canonical_request(unsigned))
    return signer.signature(string, unsigned)


def signed_for(context, request, host):
    """Whether the request is signed for that host; without credentials nobody can tell."""
    if not context.secret:
        return False
    request = {**request, "headers": {name.lower(): value for name, value in request["headers"].items()}}
    return computed(context, request, host) == AUTHORIZATION.fullmatch(request["headers"]["authorization"])["signature"]


@check("requests", "method and path are the operation's own, in the vault that was asked for")
def paths(context):
    for op, intent, request, _ in requests(context):
        method, rest = PATHS[op]
        url = urllib.parse.urlsplit(context.gateway.resolve(request["url"]))
        rest = rest.format(upload=re.escape(intent.get("uploadId", "")))
        if request["method"] != method or not re.search(rf"/(-|\d{{12}})/vaults/{re.escape(context.vault)}{rest}$", url.path):
            yield f"{op}: {request['method']} {url.path}"
        query = {"marker": [intent["marker"]]} if "marker" in intent else {}
        if urllib.parse.parse_qs(url.query, keep_blank_values=True) != query:
            yield f"{op}: the query is {url.query!r}"
        if "body" in request:
            yield f"{op}: has a body"


@check("headers", "headers say what the intent says")
def headers_of_the_intent(context):
    for op, intent, request, _ in requests(context):
        expected = {"x-amz-glacier-version": "2012-06-01", "x-amz-content-sha256": intent.get("payloadHash", EMPTY)}
        if op == "UploadMultipartPart":
            expected |= {"content-range": f"bytes {intent['range']}/*", "x-amz-sha256-tree-hash": intent["treeHash"]}
        if op == "CompleteMultipartUpload":
            expected |= {"x-amz-archive-size": str(intent["size"]), "x-amz-sha256-tree-hash": intent["treeHash"]}
        if op == "InitiateMultipartUpload":
            expected |= {"x-amz-part-size": str(intent["partSize"])}
            if "description" in intent:
                expected |= {"x-amz-archive-description": intent["description"]}
        for name, value in expected.items():
            if request["headers"].get(name) != value:
                yield f"{op}: {name} is {request['headers'].get(name)!r}, expected {value!r}"


@check("signed_headers", "every header that counts is signed, host and payload hash among them")
def signed_headers(context):
    for op, _, request, answer in requests(context):
        found = AUTHORIZATION.fullmatch(request["headers"].get("authorization", ""))
        if not found:
            yield f"{op}: no authorization of Signature Version 4"
            continue
        signed = found["headers"].split(";")
        counted = {name for name in request["headers"] if name.startswith("x-amz-") or name == "content-range"} | {"host"}
        for name in sorted(counted - set(signed)):
            yield f"{op}: {name} is not signed"
        for name in sorted(set(signed) - set(request["headers"]) - {"host"}):
            yield f"{op}: {name} is signed and not sent"
        if found["service"] != "glacier":
            yield f"{op}: signed for the service {found['service']}"
        date = datetime.datetime.strptime(request["headers"]["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.UTC)
        if found["date"] != date.strftime("%Y%m%d"):
            yield f"{op}: the date of the scope is not that of x-amz-date"
        # By the gateway's own clock, if it tells.
        now = email.utils.parsedate_to_datetime(answer.headers["date"]) if "date" in answer.headers else None
        if now and abs((date - now).total_seconds()) > 60:
            yield f"{op}: x-amz-date is {date}, and it is {now}"


@check("payload_hash", "a part's signature is for its bytes, place and tree hash, and no others")
def payload_hash(context):
    part = good(context.vault)["UploadMultipartPart"]
    others = {
        "payload hash": {"payloadHash": "0" * 64}, "tree hash": {"treeHash": HASH_A}, "range": {"range": f"{MIB}-{2 * MIB - 1}"},
        "upload": {"uploadId": "other"},
    }
    first = context.gateway.sign(part)
    if first.status != 200:
        yield f"expected 200, got {first}"
        return
    for what, other in others.items():
        for _ in range(5):
            # In one batch, so that both have the same date.
            answer = context.gateway.sign(part, {**part, **other})
            one, two = ({name.lower(): value for name, value in request["headers"].items()} for request in answer.json["requests"])
            if one["x-amz-date"] == two["x-amz-date"]:
                break
        if one["authorization"].split("Signature=")[1] == two["authorization"].split("Signature=")[1]:
            yield f"another {what}, and the same signature"
        if "UNSIGNED" in one["x-amz-content-sha256"] or "STREAMING" in one["x-amz-content-sha256"]:
            yield f"the payload hash is {one['x-amz-content-sha256']}"


@check("signatures", "signatures are those that botocore computes", needs="secret")
def signatures(context):
    for op, _, request, _ in requests(context):
        host = urllib.parse.urlsplit(context.gateway.resolve(request["url"])).netloc
        expected = computed(context, request, host)
        found = AUTHORIZATION.fullmatch(request["headers"]["authorization"])
        if not found or found["signature"] != expected:
            yield f"{op}: the signature is not that of {context.access_key_id} for {host}"


@check("no_secret", "no answer has the secret key in it", needs="secret")
def no_secret(context):
    for op, _, _, answer in requests(context):
        if context.secret.encode() in answer.body:
            yield f"{op}: the secret access key"
