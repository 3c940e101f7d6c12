# SPDX-License-Identifier: BSD-2-Clause
"""What the Linux system tests share: the payload of the two guests, disks for
the privileged one, a web server for its network test."""
import hashlib
import http.server
import os
import subprocess
import threading

from harness import image
from harness.machine import ROOT, cores_for

GUESTS = os.path.join(image.BUILD, "guests")
DOWNLOAD_BYTES = 4 << 20
# The kernel's own tests of its ciphers take 750 million instructions a guest
CMDLINE = "console=ttyS0 cryptomgr.notests"
QEMU_CORES, FIRST_CORE, LAST_CORE = cores_for("qemu", 2)
GUEST_CORES = f"{FIRST_CORE}-{LAST_CORE}"


def payload():
    return {name: os.path.join(GUESTS, name)
            for name in ("vmlinuz", "privileged.cpio", "isolated.cpio")}


def privileged(tests, **keys):
    """The privileged guest, told by its command line which tests to run."""
    conf = {"name": "linux", "privileged": "yes", "kernel": "vmlinuz",
            "initrd": "privileged.cpio", "cores": GUEST_CORES,
            "cmdline": f"{CMDLINE} bulkhead.test={tests}"}
    conf.update(keys)
    return conf


def isolated(tests, name="box", **keys):
    conf = {"name": name, "kernel": "vmlinuz", "initrd": "isolated.cpio",
            "memory": "128M", "vcpus": "1", "cores": str(LAST_CORE),
            "cmdline": f"{CMDLINE} bulkhead.test={tests}"}
    conf.update(keys)
    return conf


def data_disk(folder, name):
    """A disk with one ext4 partition for the privileged guest."""
    path = os.path.join(folder, name)
    subprocess.run([os.path.join(ROOT, "scripts/mkdisk"), path], check=True)
    return path


class WebServer:
    """Serves /data and /data.sha256 on loopback; QEMU's user network shows it
    to the guest at 10.0.2.2."""

    def __init__(self):
        data = os.urandom(DOWNLOAD_BYTES)
        files = {"/data": data,
                 "/data.sha256": hashlib.sha256(data).hexdigest().encode() + b"\n"}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = files.get(self.path)
                self.send_response(200 if body else 404)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


def step(results, machine, name, pattern, seconds, start=None):
    """One expected line; its failure shows the serial log's tail."""
    ok = machine.expect(pattern, seconds, start) is not None
    if not results.check(ok, name, f"no line with /{pattern}/ within {seconds} s"):
        results.note(machine.tail())
    return ok
