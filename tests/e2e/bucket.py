"""What a bucket holds, by boto3: `bucket.py ENDPOINT BUCKET` reads a command and its arguments from each line, and answers it
in one, all in JSON."""

import hashlib
import json
import sys

import boto3
from botocore.config import Config

endpoint, bucket = sys.argv[1:]
config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
s3 = boto3.client("s3", endpoint_url=endpoint, region_name="garage", config=config)


def cors(rules):
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": json.loads(rules)})


def put(key, text):
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


def empty():
    for key in keys():
        s3.delete_object(Bucket=bucket, Key=key)
    abort()


def abort():
    for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def begin(key):
    s3.create_multipart_upload(Bucket=bucket, Key=key)


def stored(key):
    answer = s3.get_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    digest, size = hashlib.sha256(), 0
    for chunk in answer["Body"].iter_chunks(1 << 20):
        digest.update(chunk)
        size += len(chunk)
    return {
        "size": size,
        "sha256": digest.hexdigest(),
        "checksum": answer.get("ChecksumSHA256"),
        "contentType": answer.get("ContentType"),
        "metadata": answer["Metadata"],
    }


def keys():
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def uploads():
    return [item["Key"] for item in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", [])]


commands = {run.__name__: run for run in [abort, begin, cors, empty, keys, put, stored, uploads]}
for line in sys.stdin:
    command, *arguments = json.loads(line)
    try:
        answer = {"answer": commands[command](*arguments)}
    except Exception as error:  # told to whoever asked
        answer = {"error": repr(error)}
    print(json.dumps(answer), flush=True)
