import os
import pathlib
import sys
import uuid

import boto3
import pytest
from botocore.config import Config

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from garage import Garage  # noqa: E402
from gateway import ORIGIN, Gateway  # noqa: E402
from localstack import LocalStack  # noqa: E402

RULES = [
    {
        "AllowedOrigins": [ORIGIN],
        "AllowedMethods": ["PUT", "GET", "HEAD"],
        "AllowedHeaders": [
            "content-type",
            "if-none-match",
            "range",
            "x-amz-checksum-sha256",
            "x-amz-meta-*",
            "x-amz-meta-author",
            "x-amz-meta-sha256-tree-hash",
            "x-amz-storage-class",
            "x-amz-tagging",
        ],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256", "x-amz-checksum-type", "x-amz-version-id"],
        "MaxAgeSeconds": 3000,
    }
]


def client(store, url=None):
    """An unmodified boto3, which shares no code with ours."""
    return boto3.client(
        "s3",
        endpoint_url=url or store.url,
        region_name=store.region,
        aws_access_key_id=store.access_key_id,
        aws_secret_access_key=store.secret_access_key,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )


def started(kind, tmp_path_factory):
    store = kind(tmp_path_factory.mktemp(kind.__name__.lower()))
    store.make_bucket("photos")
    store.s3 = client(store)
    store.s3.put_bucket_cors(Bucket="photos", CORSConfiguration={"CORSRules": RULES})
    return store


@pytest.fixture(scope="session")
def garage(tmp_path_factory):
    store = started(Garage, tmp_path_factory)
    yield store
    store.stop()


@pytest.fixture(scope="session")
def localstack(tmp_path_factory):
    store = started(LocalStack, tmp_path_factory)
    yield store
    store.stop()


# Set to nothing where there is no Python that it runs on: its tests are then left out, which whoever set it has said.
HAS_LOCALSTACK = os.environ.get("LOCALSTACK_PYTHON") != ""


def pytest_collection_modifyitems(config, items):
    without = [item for item in items if "localstack" in item.fixturenames and not HAS_LOCALSTACK]
    items[:] = [item for item in items if item not in without]
    config.hook.pytest_deselected(items=without)


@pytest.fixture(scope="session", params=["garage", "localstack"] if HAS_LOCALSTACK else ["garage"])
def store(request):
    """Each store in turn."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def gateways(tmp_path_factory):
    """One gateway for each store."""
    running = {}

    def of(store):
        if store.name not in running:
            running[store.name] = Gateway(tmp_path_factory.mktemp("gateway") / "g", store)
        return running[store.name]

    yield of
    for gateway in running.values():
        gateway.stop()


@pytest.fixture
def gateway(store, gateways):
    return gateways(store)


@pytest.fixture
def page(gateway):
    return gateway.page()


@pytest.fixture
def key():
    """A key that no other test uses, with all that a URL has to escape."""
    return f"2026/{uuid.uuid4()}/Größe & mehr + (100%)?.bin"
