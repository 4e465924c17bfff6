"""The five intents of an upload: a good one of each, and values that no field may have."""

HASH_A = "a" * 64
HASH_B = "b" * 64
MIB = 1 << 20


def good(vault):
    """A good intent of each operation."""
    upload = {"vault": vault, "uploadId": "OW2fM5iVylEpFEMM9_-"}
    return {
        "InitiateMultipartUpload": {"op": "InitiateMultipartUpload", "vault": vault, "partSize": MIB, "size": 3 * MIB},
        "UploadMultipartPart": {
            "op": "UploadMultipartPart", **upload, "range": f"0-{MIB - 1}", "payloadHash": HASH_A, "treeHash": HASH_B,
        },
        "ListParts": {"op": "ListParts", **upload},
        "CompleteMultipartUpload": {"op": "CompleteMultipartUpload", **upload, "size": 3 * MIB, "treeHash": HASH_B},
        "AbortMultipartUpload": {"op": "AbortMultipartUpload", **upload},
    }


OPTIONAL = {"InitiateMultipartUpload": {"description": "double  spaces"}, "ListParts": {"marker": f"{MIB}-{2 * MIB - 1}"}}

# Members that signers in the wild take from pages, and sign.
FOREIGN = {
    "host": "evil.example", "Host": "evil.example", "url": "https://evil.example/", "path": "/-/vaults", "method": "DELETE",
    "headers": {"x-amz-date": "20260101T000000Z"}, "query": "a=b", "region": "eu-west-1", "service": "s3", "date": "20260101",
    "to_sign": "AWS4-HMAC-SHA256", "stringToSign": "AWS4-HMAC-SHA256", "canonicalRequest": "GET\n/\n", "accountId": "000000000000",
    "expires": 604800, "expiresInMs": 1, "accessKeyId": "AKID", "body": "{}", "acl": "public-read", "x-amz-date": "20260101T000000Z",
    "constructor": {}, "toString": "x", "__proto__": {"vault": "other"},
}

_TEXTS = [None, True, 0, 1.5, [], ["a"], {}, {"a": "b"}]
_NUMBERS = [None, True, "1048576", [1048576], {}, -1, 0.5, 1e300]
_IDS = ["", "a/b", "..", "a b", "a?b", "a#b", "a%2fb", "a\nb", "a\r\nx: y", "é", "a\u0000", "x" * 257]

BAD = {
    "vault": [*_TEXTS, "", ".", "..", "a/b", "../b", "a b", "a%2fb", "a?b", "a#b", "a\r\nx: y", "é", "v" * 256],
    "uploadId": [*_TEXTS, *_IDS],
    "partSize": [*_NUMBERS, 0, 1, 524288, MIB + 1, 3 * MIB, 8 << 30],
    "size": [*_NUMBERS],
    "range": [*_TEXTS, "", "0", "-", "0-", "-1", "5-1", "a-b", "0-1048575/*", "bytes=0-1", "0x0-0x1", "0-1,2-3", " 0-1", "0-1\n"],
    "payloadHash": [
        *_TEXTS, "", "UNSIGNED-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "A" * 64, "a" * 63, "a" * 65, "g" * 64,
        "a" * 64 + "\n",
    ],
    "treeHash": [*_TEXTS, "", "A" * 64, "a" * 63, "a" * 65, "g" * 64, f"{HASH_A},{HASH_A}"],
    "description": [True, 0, [], {}, "é", "\r\nx: y", "\u007f", "d" * 1025],
    "marker": [True, 0, [], {}],
}

UNKNOWN_OPERATIONS = [
    None, True, 1, [], {}, ["ListParts"], "", "UploadArchive", "listparts", "LISTPARTS", "ListParts ", "PutObject", "GET", "*",
    "toString", "constructor", "__proto__", "hasOwnProperty", "glacier:ListParts",
]
