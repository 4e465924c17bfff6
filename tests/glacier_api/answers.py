"""What every operation answers with: status, headers, and the JSON document to the last key.

Read from the API reference of the service, not from the store. In a document a type stands for a value of exactly that
type (an `int` is written without a point or an exponent, and `True` is none), a list of one for a list of such, a pattern
for a text that it matches as a whole, a tuple for any of its members, and `None` for an explicit null: SDKs that index
keys fail where one is missing.
"""

import json
import re

ACCOUNT = "123456789012"
REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{16,}")
HTTP_DATE = re.compile(r"\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT")
MILLISECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z")
SECONDS = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z")
NUMBER = re.compile(r"\d+")
TREE_HASH = re.compile(r"[0-9a-f]{64}")
ID_24, ID_92, ID_138 = (re.compile(rf"[A-Za-z0-9_][A-Za-z0-9_-]{{{length - 1}}}") for length in [24, 92, 138])
VAULT_ARN = re.compile(r"arn:aws:glacier:us-east-1:123456789012:vaults/[A-Za-z0-9_.-]{1,255}")
TOPIC_ARN = re.compile(r"arn:aws:sns:us-east-1:123456789012:[A-Za-z0-9_.-]+")
RANGE = re.compile(r"\d+-\d+")
MARKER = (None, re.compile(r".+"))

VAULT = {
    "VaultARN": VAULT_ARN,
    "VaultName": re.compile(r"[A-Za-z0-9_.-]{1,255}"),
    "CreationDate": MILLISECONDS,
    "LastInventoryDate": (None, MILLISECONDS),
    "NumberOfArchives": int,
    "SizeInBytes": int,
}
ANY_JOB = {
    "JobId": ID_92,
    "VaultARN": VAULT_ARN,
    "CreationDate": MILLISECONDS,
    "JobDescription": (None, str),
    "SNSTopic": (None, TOPIC_ARN),
    "StatusMessage": str,
    "JobOutputPath": None,
    "SelectParameters": None,
    "OutputLocation": None,
}
RUNNING = {"Completed": False, "StatusCode": "InProgress", "CompletionDate": None}
ENDED = {"Completed": True, "StatusCode": "Succeeded", "CompletionDate": MILLISECONDS}
RETRIEVAL = ANY_JOB | {
    "Action": "ArchiveRetrieval",
    "ArchiveId": ID_138,
    "ArchiveSizeInBytes": int,
    "ArchiveSHA256TreeHash": TREE_HASH,
    "InventorySizeInBytes": None,
    "InventoryRetrievalParameters": None,
    "RetrievalByteRange": RANGE,
    "Tier": ("Expedited", "Standard", "Bulk"),
}
INVENTORY = ANY_JOB | {
    "Action": "InventoryRetrieval",
    "ArchiveId": None,
    "ArchiveSizeInBytes": None,
    "ArchiveSHA256TreeHash": None,
    "RetrievalByteRange": None,
    "SHA256TreeHash": None,
    "Tier": None,
    "InventoryRetrievalParameters": {
        "Format": ("CSV", "JSON"),
        "StartDate": (None, SECONDS),
        "EndDate": (None, SECONDS),
        "Limit": (None, NUMBER),
        "Marker": MARKER,
    },
}
JOB = (
    # The tree hash of a whole archive is not told before the job's end; that of a range is null if it is no node.
    RETRIEVAL | RUNNING | {"SHA256TreeHash": (None, TREE_HASH)},
    RETRIEVAL | ENDED | {"SHA256TreeHash": (None, TREE_HASH)},
    INVENTORY | RUNNING | {"InventorySizeInBytes": None},
    INVENTORY | ENDED | {"InventorySizeInBytes": int},
)
UPLOAD = {
    "MultipartUploadId": ID_92,
    "VaultARN": VAULT_ARN,
    "ArchiveDescription": (None, str),
    "PartSizeInBytes": int,
    "CreationDate": MILLISECONDS,
}
RULE = (
    {"Strategy": "BytesPerHour", "BytesPerHour": int},
    {"Strategy": ("FreeTier", "None"), "BytesPerHour": None},
)
LOCK = {"Policy": str, "CreationDate": MILLISECONDS}


def location(rest):
    return re.compile(f"/{ACCOUNT}/vaults/[A-Za-z0-9_.-]+{rest}")


# Operation: status, headers besides those of every answer, and document (`None`: no body at all).
NOTHING = (204, {}, None)
ARCHIVE_HEADERS = {
    "location": location("/archives/[A-Za-z0-9_-]{138}"),
    "x-amz-archive-id": ID_138,
    "x-amz-sha256-tree-hash": TREE_HASH,
}
ANSWERS = {
    "ListVaults": (200, {}, {"Marker": MARKER, "VaultList": [VAULT]}),
    "CreateVault": (201, {"location": location("")}, None),
    "DescribeVault": (200, {}, VAULT),
    "DeleteVault": NOTHING,
    "UploadArchive": (201, ARCHIVE_HEADERS, None),
    "DeleteArchive": NOTHING,
    "InitiateMultipartUpload": (
        201,
        {"location": location("/multipart-uploads/[A-Za-z0-9_-]{92}"), "x-amz-multipart-upload-id": ID_92},
        None,
    ),
    "ListMultipartUploads": (200, {}, {"Marker": MARKER, "UploadsList": [UPLOAD]}),
    "UploadMultipartPart": (204, {"x-amz-sha256-tree-hash": TREE_HASH}, None),
    "ListParts": (
        200,
        {},
        UPLOAD | {"Marker": MARKER, "Parts": [{"RangeInBytes": RANGE, "SHA256TreeHash": TREE_HASH}]},
    ),
    "CompleteMultipartUpload": (201, ARCHIVE_HEADERS, None),
    "AbortMultipartUpload": NOTHING,
    "InitiateJob": (202, {"location": location("/jobs/[A-Za-z0-9_-]{92}"), "x-amz-job-id": ID_92}, None),
    "ListJobs": (200, {}, {"Marker": MARKER, "JobList": [JOB]}),
    "DescribeJob": (200, {}, JOB),
    "SetVaultNotifications": NOTHING,
    "GetVaultNotifications": (
        200,
        {},
        {"SNSTopic": TOPIC_ARN, "Events": [("ArchiveRetrievalCompleted", "InventoryRetrievalCompleted")]},
    ),
    "DeleteVaultNotifications": NOTHING,
    "AddTagsToVault": NOTHING,
    "RemoveTagsFromVault": NOTHING,
    "ListTagsForVault": (200, {}, {"Tags": {re.compile(".*"): str}}),
    "SetVaultAccessPolicy": NOTHING,
    "GetVaultAccessPolicy": (200, {}, {"Policy": str}),
    "DeleteVaultAccessPolicy": NOTHING,
    "InitiateVaultLock": (201, {"x-amz-lock-id": ID_24}, None),
    "GetVaultLock": (
        200,
        {},
        (
            LOCK | {"State": "InProgress", "ExpirationDate": MILLISECONDS},
            LOCK | {"State": "Locked", "ExpirationDate": None},
        ),
    ),
    "CompleteVaultLock": NOTHING,
    "AbortVaultLock": NOTHING,
    "SetDataRetrievalPolicy": NOTHING,
    "GetDataRetrievalPolicy": (200, {}, {"Policy": {"Rules": [RULE]}}),
    "ListProvisionedCapacity": (
        200,
        {},
        {"ProvisionedCapacityList": [{"CapacityId": ID_24, "StartDate": MILLISECONDS, "ExpirationDate": MILLISECONDS}]},
    ),
    "PurchaseProvisionedCapacity": (201, {"x-amz-capacity-id": ID_24}, None),
}
# Of GetJobOutput, by what the output is and whether all of it was asked for.
OUTPUT = {"accept-ranges": "bytes"}
PIECE = OUTPUT | {"content-range": re.compile(r"bytes \d+-\d+/\d+")}
OF_ARCHIVE = {"content-type": "application/octet-stream", "x-amz-archive-description": re.compile("[ -~]+")}
OUTPUTS = {
    "archive": (200, OUTPUT | OF_ARCHIVE | {"x-amz-sha256-tree-hash": TREE_HASH}),
    "aligned range": (206, PIECE | OF_ARCHIVE | {"x-amz-sha256-tree-hash": TREE_HASH}),
    "unaligned range": (206, PIECE | OF_ARCHIVE),
    "JSON inventory": (200, OUTPUT | {"content-type": "application/json"}),
    "CSV inventory": (200, OUTPUT | {"content-type": "text/csv"}),
    "range of an inventory": (206, PIECE | {"content-type": "application/json"}),
}
INVENTORY_DOCUMENT = {
    "VaultARN": VAULT_ARN,
    "InventoryDate": SECONDS,
    "ArchiveList": [
        {
            "ArchiveId": ID_138,
            "ArchiveDescription": str,
            "CreationDate": MILLISECONDS,
            "Size": int,
            "SHA256TreeHash": TREE_HASH,
        }
    ],
}


def differences(value, expected, path="$"):
    """What is not as expected, each with its place."""
    if isinstance(expected, tuple):
        found = [differences(value, one, path) for one in expected]
        return [] if [] in found else min(found, key=len)
    if isinstance(expected, re.Pattern):
        good = isinstance(value, str) and expected.fullmatch(value)
    elif isinstance(expected, type):
        good = type(value) is expected
    elif isinstance(expected, list):
        if isinstance(value, list):
            return [each for n, item in enumerate(value) for each in differences(item, expected[0], f"{path}[{n}]")]
        good = False
    elif isinstance(expected, dict) and len(expected) == 1 and isinstance(next(iter(expected)), re.Pattern):
        (_, of_value), good = next(iter(expected.items())), isinstance(value, dict)
        if good:
            return [each for key, item in value.items() for each in differences(item, of_value, f"{path}.{key}")]
    elif isinstance(expected, dict):
        if isinstance(value, dict) and value.keys() == expected.keys():
            return [each for key in expected for each in differences(value[key], expected[key], f"{path}.{key}")]
        odd = sorted(value.keys() ^ expected.keys()) if isinstance(value, dict) else value
        return [f"{path}: {odd!r} missing or too much"]
    else:
        good = type(value) is type(expected) and value == expected
    return [] if good else [f"{path}: {value!r} is not {expected!r}"]


def once(pairs):
    """A JSON object in which no key comes twice."""
    document = dict(pairs)
    assert len(document) == len(pairs), pairs
    return document


def check(operation, status, headers, body, output=None):
    """Compares an answer, as it came from the socket, with the tables. `output`: which one of OUTPUTS."""
    headers = {name.lower(): value for name, value in headers.items()}
    common = {"x-amzn-requestid": REQUEST_ID, "date": HTTP_DATE}
    if operation == "GetJobOutput":
        (expected_status, expected), document = OUTPUTS[output], None
    else:
        expected_status, expected, document = ANSWERS[operation]
    if document:
        expected = expected | {"content-type": "application/json"}
    if expected_status != 204:
        common["content-length"] = str(len(body))
    assert status == expected_status, (operation, status)
    # Headers of the connection are the server's own business, those of CORS only for pages.
    headers = {name: value for name, value in headers.items() if name not in ("connection", "keep-alive", "vary")}
    assert differences(headers, common | expected, f"{operation} headers") == []
    if document is None:
        assert operation == "GetJobOutput" or body == b"", (operation, body)
    else:
        assert differences(json.loads(body, object_pairs_hook=once), document, operation) == []
