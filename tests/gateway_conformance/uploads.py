"""A whole upload, by the requests as they were signed."""

import hashlib
import json

from client import send
from intents import MIB
from report import check

# Three whole parts and a short one, all different.
BYTES = b"".join(hashlib.sha256(n.to_bytes(4, "big")).digest() for n in range((3 * MIB + 4096) // 32))
PARTS = [BYTES[at : at + MIB] for at in range(0, len(BYTES), MIB)]


def sha256(data):
    return hashlib.sha256(data).digest()


def tree_hash(data):
    """Glacier's tree hash, as its developer guide says."""
    row = [sha256(data[at : at + MIB]) for at in range(0, len(data), MIB)]
    while len(row) > 1:
        row = [sha256(b"".join(row[at : at + 2])) if at + 1 < len(row) else row[at] for at in range(0, len(row), 2)]
    return row[0].hex()


class Upload:
    """One upload into the vault."""

    def __init__(self, context):
        self.context = context

    def ask(self, *intents):
        answer = self.context.gateway.sign(*intents)
        assert answer.status == 200, f"the gateway answered {answer}"
        return answer.json["requests"]

    def send(self, request, body=None, **changed):
        url = self.context.gateway.resolve(request["url"])
        return send(request["method"], url, {**request["headers"], **changed}, body)

    def open(self):
        intent = {"op": "InitiateMultipartUpload", "vault": self.context.vault, "partSize": MIB, "size": len(BYTES)}
        answer = self.send(self.ask({**intent, "description": "of  gateway_conformance"})[0])
        assert answer.status == 201, f"InitiateMultipartUpload: the store answered {answer}"
        self.id = answer.headers["x-amz-multipart-upload-id"]
        return self

    def intent(self, op, **fields):
        return {"op": op, "vault": self.context.vault, "uploadId": self.id, **fields}

    def part(self, n, data=None):
        data = data or PARTS[n]
        first = n * MIB
        return self.intent(
            "UploadMultipartPart", range=f"{first}-{first + len(data) - 1}", payloadHash=sha256(data).hex(),
            treeHash=tree_hash(data),
        )

    def abort(self):
        return self.send(self.ask(self.intent("AbortMultipartUpload"))[0])


@check("upload", "an upload of several parts goes through the store, by the requests as they are", needs="store")
def upload(context):
    upload = Upload(context).open()
    requests = upload.ask(*(upload.part(n) for n in range(len(PARTS))))
    for n in (3, 0, 2, 1):
        answer = upload.send(requests[n], PARTS[n])
        if answer.status != 204 or answer.headers.get("x-amz-sha256-tree-hash") != tree_hash(PARTS[n]):
            yield f"part {n}: the store answered {answer}"
    answer = upload.send(upload.ask(upload.intent("ListParts"))[0])
    listed = [part["RangeInBytes"] for part in (answer.json or {}).get("Parts", [])]
    if len(listed) != len(PARTS):
        yield f"ListParts: {answer}"
    complete = upload.intent("CompleteMultipartUpload", size=len(BYTES), treeHash=tree_hash(BYTES))
    answer = upload.send(upload.ask(complete)[0])
    if answer.status != 201 or answer.headers.get("x-amz-sha256-tree-hash") != tree_hash(BYTES):
        yield f"CompleteMultipartUpload: the store answered {answer}"


@check("other_bytes", "a signed request is good for nothing else", needs="store")
def other_bytes(context):
    upload = Upload(context).open()
    request = upload.ask(upload.part(0))[0]
    others = {
        "other bytes": upload.send(request, PARTS[1]),
        "bytes missing": upload.send(request, PARTS[0][:-1]),
        "another range": upload.send(request, PARTS[0], **{"content-range": f"bytes {MIB}-{2 * MIB - 1}/*"}),
        "another tree hash": upload.send(request, PARTS[0], **{"x-amz-sha256-tree-hash": tree_hash(PARTS[1])}),
        "another payload hash": upload.send(request, PARTS[1], **{"x-amz-content-sha256": sha256(PARTS[1]).hex()}),
        "another method": upload.send({**request, "method": "DELETE"}),
        "another path": upload.send({**request, "url": request["url"].replace(upload.id, f"{upload.id}x")}, PARTS[0]),
        "an unsigned payload": upload.send(request, PARTS[1], **{"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}),
    }
    for what, answer in others.items():
        if not 400 <= answer.status < 500:
            yield f"{what}: the store answered {answer}"
    listed = upload.send(upload.ask(upload.intent("ListParts"))[0])
    if listed.status != 200 or (listed.json or {}).get("Parts") != []:
        yield f"something was stored: {json.dumps(listed.json)[:200]}"
    answer = upload.abort()
    if answer.status != 204:
        yield f"AbortMultipartUpload: the store answered {answer}"
