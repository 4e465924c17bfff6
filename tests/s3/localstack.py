"""LocalStack: an S3 store with Glacier's storage classes, restores and lifecycle rules."""

import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

import ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
PYTHON = pathlib.Path(os.environ.get("LOCALSTACK_PYTHON", ROOT / "target/localstack/bin/python"))


class LocalStack:
    """One process over one folder. Any key will do for it; a presigned URL it does check."""

    name = "localstack"
    region = "us-east-1"
    # What a presigned URL is checked with, in the words of LocalStack's documentation.
    access_key_id, secret_access_key = "test", "test"

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "localstack"
        self.folder.mkdir()
        self.log = self.folder / "log"
        address = f"127.0.0.1:{ports.free()}"
        environment = {
            **os.environ,
            "GATEWAY_LISTEN": address,
            "SERVICES": "s3",
            "DISABLE_EVENTS": "1",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "S3_SKIP_SIGNATURE_VALIDATION": "0",
            "FILESYSTEM_ROOT": str(self.folder / "root"),
            # It would answer every preflight itself otherwise, by rules of its own.
            "DISABLE_CORS_CHECKS": "0",
        }
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [PYTHON, "-m", "localstack.runtime.main"], env=environment, stdout=log, stderr=log, start_new_session=True
            )
        ports.wait(address, self.process, self.log)
        self.url = f"http://{address}"
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self.url + "/_localstack/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(self.log.read_text()[-2000:])

    def make_bucket(self, name):
        """A bucket, by a request that anybody can make: only presigned URLs are checked."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/{name}", method="PUT"), timeout=30) as answer:
            assert answer.status == 200

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        shutil.rmtree(self.folder)
