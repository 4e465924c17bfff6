"""A cluster of three Garage nodes on loopback: a distributed S3 store that checks signatures and checksums."""

import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess

import ports

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GARAGE", ROOT / "target/tools/bin/garage"))
REGION = "garage"
N_NODES = 3


class Node:
    """One process, with a folder, an S3 port and a port for the others."""

    def __init__(self, folder, rpc_secret):
        self.folder = folder
        self.folder.mkdir()
        self.rpc, self.s3 = f"127.0.0.1:{ports.free()}", f"127.0.0.1:{ports.free()}"
        self.config = folder / "garage.toml"
        self.config.write_text(f"""
            metadata_dir = "{folder / "meta"}"
            data_dir = "{folder / "data"}"
            db_engine = "sqlite"
            # Three copies of everything and a quorum of two: one node may die at any time.
            replication_factor = {N_NODES}
            rpc_bind_addr = "{self.rpc}"
            rpc_public_addr = "{self.rpc}"
            rpc_secret = "{rpc_secret}"
            [s3_api]
            s3_region = "{REGION}"
            api_bind_addr = "{self.s3}"
            root_domain = ".s3.localhost"
        """)
        self.log = folder / "log"
        self.process = None

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen([BINARY, "-c", self.config, "server"], stdout=log, stderr=log)
        ports.wait(self.rpc, self.process, self.log)
        ports.wait(self.s3, self.process, self.log)

    def kill(self):
        """As a power cut would, as far as the others can tell."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def command(self, *arguments):
        """What Garage's own command line answers."""
        done = subprocess.run([BINARY, "-c", self.config, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"garage {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout


class Garage:
    """The cluster, with one key that may make buckets."""

    name = "garage"
    region = REGION

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        rpc_secret = secrets.token_hex(32)
        self.access_key_id, self.secret_access_key = "GK" + secrets.token_hex(12), secrets.token_hex(32)
        self.nodes = [Node(folder / f"node{n}", rpc_secret) for n in range(N_NODES)]
        for node in self.nodes:
            node.start()
        first, *others = self.nodes
        ids = [re.search(r"^[0-9a-f]{64}@\S+", node.command("node", "id", "--quiet"), re.M)[0] for node in self.nodes]
        self.addresses = ids
        for address in ids[1:]:
            first.command("node", "connect", address)
        for number, address in enumerate(ids):
            first.command("layout", "assign", "--zone", f"z{number}", "--capacity", "100G", address.split("@")[0])
        first.command("layout", "apply", "--version", "1")
        first.command("key", "import", "--yes", "-n", "tests", self.access_key_id, self.secret_access_key)
        first.command("key", "allow", "--create-bucket", self.access_key_id)

    def revive(self, node):
        """Starts a node that died. Left alone it would look for the others now and then, and find no quorum before."""
        node.start()
        for address in self.addresses:
            if not address.endswith(node.rpc):
                node.command("node", "connect", address)

    def make_bucket(self, name):
        """A bucket of the whole cluster. One made through S3 would be known to its key only, and Garage, which cannot
        tell whose bucket a preflight without a signature means, allows everything for a name it does not know."""
        self.nodes[0].command("bucket", "create", name)
        self.nodes[0].command("bucket", "allow", "--read", "--write", "--owner", name, "--key", self.access_key_id)

    @property
    def url(self):
        """Of the first node that runs. All of them answer for all."""
        return f"http://{next(node.s3 for node in self.nodes if node.process.poll() is None)}"

    def stop(self):
        for node in self.nodes:
            if node.process.poll() is None:
                node.kill()
            shutil.rmtree(node.folder)
