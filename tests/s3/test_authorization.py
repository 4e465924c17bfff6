"""Who may do what with objects: every cell of `authorization.txt`, and that what is refused never gets as far as the store."""

import json
import pathlib
import re
import uuid

import pytest
from conftest import client
from gateway import PART, ROOT, Gateway, Page, composite, refused, send, sha256, tree_hash
from proxy import Proxy

TABLE = pathlib.Path(__file__).with_name("authorization.txt")
# Of vaults and objects before a gateway without buckets. A test in Rust holds it to the list of all operations.
WITHOUT_BUCKETS = ROOT / "crates/server/tests/gateway/authorization.txt"
SIGNS = {
    (200, None): "+",
    (403, "operation_denied"): "-",
    (404, "NoSuchUpload"): "u",
    (401, "token_missing"): "m",
    (401, "token_invalid"): "i",
    (401, "token_expired"): "e",
}
SETS = ["upload", "read", "delete", "admin"]
BODY = b"x"
PART_OF_IT = {"partNumber": 1, "payloadHash": sha256(BODY).hex()}
WHOLE = {"size": 1, "checksum": composite([BODY]), "treeHash": tree_hash(BODY)}
OF_A_PLACE = {
    "PutObject": {"size": 1, "payloadHash": sha256(BODY).hex(), "treeHash": tree_hash(BODY), "storageClass": "STANDARD"},
    "CreateMultipartUpload": {"size": 1, "partSize": PART, "storageClass": "STANDARD"},
    "ListMultipartUploads": {},
    "HeadObject": {},
    "RestoreObject": {"days": 1, "tier": "Bulk"},
    "GetObject": {},
    "DeleteObject": {},
}
OF_AN_UPLOAD = {"UploadPart": PART_OF_IT, "ListParts": {}, "CompleteMultipartUpload": WHOLE, "AbortMultipartUpload": {}}


@pytest.fixture(scope="module")
def proxied(garage, tmp_path_factory):
    """A gateway with two buckets that notes whatever it asks the store for."""
    garage.make_bucket("films")
    proxy = Proxy(garage)
    proxy.gateway = Gateway(tmp_path_factory.mktemp("matrix") / "gateway", proxy, buckets=("photos", "films"))
    yield proxy
    proxy.gateway.stop()
    proxy.stop()


class Setting:
    """What the roles meet: objects and uploads of their own, of others, of nobody."""

    def __init__(self, gateway):
        run = uuid.uuid4().hex
        self.gateway, self.prefix = gateway, f"{run}/anna/"
        # What the token covers, what only begins like it, a bucket that the token does not name, and one that it does,
        # but the gateway does not.
        self.granted = [f"photos/{self.prefix}", f"ghosts/{self.prefix}"]
        beside = f"{run}/annabel/1"
        one = f"{self.prefix}1"
        self.places = [("photos", one), ("photos", beside), ("films", one), ("ghosts", one)]
        token = self.token(ops=SETS)
        self.roles = {
            "nobody": None,
            "forged": token[:-8] + token[-8:][::-1],
            "expired": self.token(ops=SETS, iat=1_700_000_000, exp=1_700_000_600),
            "nothing": self.token(ops=[]),
            **{name: self.token(ops=[name]) for name in SETS},
            "all": token,
            "developer": json.loads(self.developer())["token"],
        }
        # An upload of the same subject, of another, of the same one beside what the token covers, and none.
        anna, bob = (gateway.page(sub=sub) for sub in ("anna", "bob"))
        developer = Page(gateway, self.roles["developer"], None)
        theirs = bob.create(f"{self.prefix}2", BODY)
        made_up = theirs.split(".")
        made_up = ".".join([made_up[0], made_up[1], made_up[2][::-1]])
        self.uploads = {
            page: [page.create(f"{self.prefix}2", BODY), theirs, page.create(beside, BODY), made_up] for page in (anna, developer)
        }
        self.anna, self.developers_page = anna, developer

    def token(self, **claims):
        return self.gateway.token(objects=self.granted, **claims)

    def developer(self):
        status, _, answer = send(f"{self.gateway.url}/v1/dev-token", "POST", {"content-type": "application/json"}, b"{}")
        assert status == 200, answer
        return answer

    def intents(self, op, role):
        if op in OF_AN_UPLOAD:
            page = self.developers_page if role == "developer" else self.anna
            return [{"upload": upload, **OF_AN_UPLOAD[op]} for upload in self.uploads[page]]
        name = "prefix" if op == "ListMultipartUploads" else "key"
        return [{"bucket": bucket, name: key, **OF_A_PLACE[op]} for bucket, key in self.places]

    def ask(self, role, op, fields):
        """Status and whole answer."""
        headers = {"content-type": "application/json"}
        if self.roles[role]:
            headers["authorization"] = f"Bearer {self.roles[role]}"
        body = json.dumps({"intents": [{"op": f"s3:{op}", **fields}]}).encode()
        status, _, answer = send(f"{self.gateway.url}/v1/sign", "POST", headers, body)
        return status, json.loads(answer)


def rows(path):
    lines = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return lines[0], lines[1:]


def test_every_cell_of_the_table_holds_and_no_refusal_reaches_the_store(proxied):
    setting = Setting(proxied.gateway)
    header, expected = rows(TABLE)
    assert header == ["operation", *setting.roles]
    asked_for = {f"s3:{op}" for op in [*OF_A_PLACE, *OF_AN_UPLOAD]}
    all_of_them = {row[0] for row in rows(WITHOUT_BUCKETS)[1] if row[0].startswith("s3:")}
    assert asked_for == all_of_them == {row[0] for row in expected}
    found, n_refused = [], 0
    for op, *_ in expected:
        cells = []
        for role in setting.roles:
            cell = ""
            for fields in setting.intents(op.removeprefix("s3:"), role):
                seen = len(proxied.seen)
                status, answer = setting.ask(role, op.removeprefix("s3:"), fields)
                cell += SIGNS.get((status, answer.get("code")), f"({status} {answer.get('code')})")
                if status != 200:
                    n_refused += 1
                    assert proxied.seen[seen:] == [], f"{role} {op} {fields}: the store was asked"
                    assert "requests" not in answer
            cells.append(cell)
        found.append([op, *cells])
    table = "\n".join("  ".join(f"{cell:<9}" for cell in row) for row in found)
    assert found == expected, f"the gateway answers otherwise than authorization.txt says:\n{table}"
    assert n_refused > 300


def test_what_is_gone_is_as_what_never_was(proxied):
    setting = Setting(proxied.gateway)
    page, key = setting.anna, f"{setting.prefix}gone"
    page.put(key, BODY, storageClass="STANDARD")
    page.do("DeleteObject", bucket="photos", key=key)
    upload = setting.uploads[page][0]
    page.do("AbortMultipartUpload", upload=upload)
    # Garage keeps everything at hand and knows no restores.
    for op in ("HeadObject", "GetObject"):
        answers = []
        for name in (key, f"{setting.prefix}none"):
            error = refused(lambda op=op, name=name: page.do(op, bucket="photos", key=name, **OF_A_PLACE[op]))
            text = error.body.decode().replace(name, "KEY")
            # What tells one request of the store, or of the gateway, from another.
            answers.append((error.status, re.sub(r'<RequestId>.*?</RequestId>|"requestId":"[^"]*"', "", text)))
        assert answers[0] == answers[1] and answers[0][0] == 404, (op, answers)
    # Of this there may be none: whoever asks twice has what was wanted.
    page.do("DeleteObject", bucket="photos", key=key)
    for op, fields in OF_AN_UPLOAD.items():
        error = refused(lambda op=op, fields=fields: page.do(op, BODY if op == "UploadPart" else b"", upload=upload, **fields))
        assert error.status == 404 and b"NoSuchUpload" in error.body, (op, error)
    assert client(proxied.store).list_objects_v2(Bucket="photos", Prefix=setting.prefix)["KeyCount"] == 0
