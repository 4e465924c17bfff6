"""Several gateways behind a load balancer, which share nothing but the token key: any of them serves any upload."""

import collections
import secrets

import pytest
from balancer import Balancer
from gateway import PART, Gateway, Page, b64, composite, refused, sha256, split

MIB = 1 << 20
N_GATEWAYS = 3


class Cluster:
    """Three processes of one key behind one address."""

    def __init__(self, folder, store):
        self.folder, self.store, self.key = folder, store, secrets.token_bytes(32)
        self.balancer = Balancer()
        self.gateways = [self.start(f"gateway{number}") for number in range(N_GATEWAYS)]
        self.balancer.start(self.gateways)

    def start(self, name, key=None):
        host = ["--public-host", self.balancer.address]
        return Gateway(self.folder / name, self.store, *host, token_key=key or self.key)

    @property
    def url(self):
        return self.balancer.url

    def page(self, origin=None, **claims):
        return Page(self, self.gateways[0].token(**claims), origin)

    def kill(self, gateway):
        """As a power cut would."""
        gateway.process.kill()
        gateway.process.wait()

    def shares(self):
        """How many requests each gateway has had since this was last asked."""
        taken, self.balancer.taken = self.balancer.taken, collections.Counter()
        return taken

    def stop(self):
        for gateway in self.gateways:
            if gateway.process.poll() is None:
                gateway.stop()
        self.balancer.stop()


@pytest.fixture
def cluster(store, tmp_path):
    cluster = Cluster(tmp_path, store)
    yield cluster
    cluster.stop()


def read(store, key):
    return store.s3.get_object(Bucket="photos", Key=key)["Body"].read()


def test_an_upload_goes_on_when_one_of_three_gateways_is_killed(store, cluster, key):
    page, body = cluster.page(), b"".join(bytes([number]) * PART for number in range(1, 6)) + b"end"
    parts = split(body)
    upload = page.create(key, body, storageClass="STANDARD")
    # Signed by a gateway that is then killed, and sent after that: the store needs no gateway.
    early = page.sign_many(
        *[
            {"op": "s3:UploadPart", "upload": upload, "partNumber": number, "payloadHash": sha256(parts[number - 1]).hex()}
            for number in (1, 2)
        ]
    )
    page.send_part(upload, 3, parts[2])
    assert [part["partNumber"] for part in page.do("ListParts", upload=upload)["parts"]] == [3]
    assert len(cluster.shares()) == N_GATEWAYS, "all three have had a share"
    dead, *survivors = cluster.gateways
    cluster.kill(dead)
    for signed, part in zip(early, parts, strict=False):
        status, headers, _ = page.use(signed, part)
        assert (status, headers["x-amz-checksum-sha256"]) == (200, b64(sha256(part)))
    for number in (4, 5, 6):
        page.send_part(upload, number, parts[number - 1])
    listed = page.do("ListParts", upload=upload)["parts"]
    assert [part["payloadHash"] for part in listed] == [sha256(part).hex() for part in parts]
    # Twice, as a page does whose first answer was lost.
    done = page.complete(upload, body)
    assert page.complete(upload, body) == done
    assert done["checksum"] == composite(parts)
    assert set(cluster.shares()) == set(survivors), "both that are left went on"
    assert read(store, key) == body


def test_every_gateway_killed_and_others_started_goes_on_all_the_same(store, cluster, key):
    page, body = cluster.page(), b"a" * PART + b"b" * MIB
    upload = page.create(key, body, storageClass="STANDARD")
    page.send_part(upload, 1, split(body)[0])
    for gateway in cluster.gateways:
        cluster.kill(gateway)
    cluster.gateways[:] = [cluster.start("another")]
    page.send_part(upload, 2, split(body)[1])
    assert page.complete(upload, body)["checksum"] == composite(split(body))
    assert read(store, key) == body


def test_a_gateway_of_another_key_knows_no_upload_of_theirs(garage, tmp_path, key):
    cluster = Cluster(tmp_path, garage)
    body = b"x" * 100
    upload = cluster.page().create(key, body, storageClass="STANDARD")
    stranger = cluster.start("stranger", secrets.token_bytes(32))
    page = stranger.page(origin=None)
    calls = [
        lambda: page.sign("UploadPart", upload=upload, partNumber=1, payloadHash=sha256(body).hex()),
        lambda: page.do("ListParts", upload=upload),
        lambda: page.complete(upload, body),
        lambda: page.do("AbortMultipartUpload", upload=upload),
    ]
    for call in calls:
        error = refused(call)
        assert (error.status, error.code) == (404, "NoSuchUpload")
    # Nor does it take a token of theirs, or what one of them signed for itself.
    error = refused(lambda: Page(stranger, cluster.page().token, None).do("ListParts", upload=upload))
    assert error.status == 401
    signed = cluster.page().sign("ListParts", upload=upload)
    assert page.use(signed)[0] == 403
    stranger.stop()
    cluster.stop()
