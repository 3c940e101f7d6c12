# SPDX-License-Identifier: BSD-2-Clause
"""An emulated machine under test: started by scripts/run-qemu or
scripts/run-bochs, watched through its serial line, ended by its pid."""
import os
import re
import signal
import socket
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\r")
TAIL_LINES = 40


class Machine:
    """`with Machine(...) as m: m.expect("regex", seconds)`."""

    def __init__(self, emulator, image, folder, firmware="ovmf", cores=2,
                 memory=1024, options=(), timeout=900):
        self.name = emulator
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.serial_path = os.path.join(folder, "serial.log")
        self.input_path = os.path.join(folder, "serial.sock")
        for path in (self.serial_path, self.input_path):
            if os.path.exists(path):
                os.unlink(path)
        script = os.path.join(ROOT, "scripts", "run-" + emulator)
        self.command = [script, "--image", image, "--firmware", firmware,
                        "--cores", str(cores), "--memory", str(memory),
                        "--serial", self.serial_path,
                        "--timeout", str(timeout), "--quiet"]
        self.command += list(options)
        self.seen = 0
        self.sock = None

    def __enter__(self):
        self.out = open(os.path.join(self.folder, "emulator.log"), "wb")
        self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=self.out,
                                        stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        return self

    def __exit__(self, *exc):
        self.stop()
        self.out.close()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        if self.sock:
            self.sock.close()

    def text(self):
        try:
            with open(self.serial_path, "rb") as f:
                data = f.read()
        except FileNotFoundError:
            return ""
        return ANSI.sub(b"", data).decode("utf-8", "replace")

    def expect(self, pattern, seconds, start=None):
        """Wait until the serial log has @pattern after what the last expect()
        found; returns the match or None (time over, or the machine ended)."""
        regex = re.compile(pattern)
        begin = self.seen if start is None else start
        end = time.monotonic() + seconds
        while True:
            ended = self.process.poll() is not None
            match = regex.search(self.text(), begin)
            if match:
                self.seen = match.end()
                return match
            if ended or time.monotonic() > end:
                return None
            time.sleep(0.2)

    def wait_end(self, seconds):
        """True when the machine powered itself off in time."""
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            return False

    def send(self, data):
        """Type on the serial line (machines started with --serial-socket)."""
        if not self.sock:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(self.input_path)
        self.sock.sendall(data.encode() if isinstance(data, str) else data)

    def tail(self):
        lines = self.text().splitlines()[-TAIL_LINES:]
        return "\n".join("    | " + line for line in lines)
