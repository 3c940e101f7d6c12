# SPDX-License-Identifier: BSD-2-Clause
"""An emulated machine under test: started by scripts/run-qemu or
scripts/run-bochs, watched through its serial line, ended by its pid."""
import os
import pty
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import tty
import time

from harness.patience import Patience
from harness.screen import Screen

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ANSI = re.compile(rb"\x1b\[[0-9;?!]*[A-Za-z]|\x1b[()][A-Z0-9]|[\r\x0f\x18]")
TAIL_LINES = 40
ABORTED = re.compile(r"assertion failed|Aborted|Segmentation fault|>>PANIC<<")
LAST_WORDS = 4  # of the emulator itself
TAIL_COLUMNS = 400  # a program that draws its screen has long ones
# What the hypervisor says of itself and of a guest's life and end
REPORT = re.compile(r"\[\d+\.\d+ \d+[^]]*\] .*(\berror\b|\bpanic|vm: guest )")
REPORT_LINES = 60
REPORT_COLUMNS = 120
MENU = r"Press enter to boot"
PROMPT = b"(qemu) "
CONNECT_TRIES = 200  # 50 ms apart
KEY_SECONDS = 0.02
BUSY_HOST = 6  # times the seconds of a quiet one, and any machine is ended


def cores_for(emulator, count):
    """For guests on @count cores: how many the machine needs, and the first and
    the last that they use. QUIRK(tcg-7.2), a thread a core: an FXRSTOR or XRSTOR
    of x87 state on any core changes flags of core 0 without a lock
    (cpu_clear_ignne), and a vCPU that is entered or left there just then is lost.
    So guests that use x87 keep off core 0, where a machine has several."""
    first = 1 if emulator == "qemu" and count > 1 else 0
    return first + count, first, first + count - 1


def readable(data):
    return ANSI.sub(b"", data).decode("utf-8", "replace")


class Machine:
    """`with Machine(...) as m: m.expect("regex", seconds)`. Seconds are those of
    harness/patience.py: as long as the host's cores are the machine's own."""

    def __init__(self, emulator, image, folder, firmware="ovmf", cores=2,
                 memory=1024, options=(), timeout=900, person=False, line=False):
        """@person: somebody types and, on QEMU, looks at the screen. @line: there is a
        cable at COM2, whose other end is the descriptor @self.line."""
        self.name = emulator
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self.serial_path = os.path.join(folder, "serial.log")
        if os.path.exists(self.serial_path):
            os.unlink(self.serial_path)
        script = os.path.join(ROOT, "scripts", "run-" + emulator)
        self.command = [script, "--image", image, "--firmware", firmware,
                        "--cores", str(cores), "--memory", str(memory),
                        "--serial", self.serial_path,
                        "--timeout", str(timeout * BUSY_HOST), "--quiet"]
        self.command += list(options)
        self.seen = 0
        self.lines, self.lines_bytes = "", 0
        self.monitor_sock = self.sockets = self.keyboard = self.line = self.recorder = None
        self.awaited, self.act = b"", None
        if line:
            self.line, self.line_tty = pty.openpty()
            tty.setraw(self.line_tty)
            self.command += ["--com2-tty", os.ttyname(self.line_tty)]
        if person and emulator == "bochs":
            self.keyboard, self.tty = pty.openpty()
            tty.setraw(self.tty)
            self.command += ["--serial-tty", os.ttyname(self.tty)]
        elif person:
            # The path of a socket has at most 107 characters
            self.sockets = tempfile.mkdtemp(prefix="bh")
            pipe = self.sockets + "/serial"
            os.mkfifo(pipe + ".in")
            os.mkfifo(pipe + ".out")
            self.command[self.command.index("--serial") + 1] = os.devnull
            self.command += ["--serial-pipe", pipe,
                             "--monitor", self.sockets + "/monitor"]

    def __enter__(self):
        self.out = open(os.path.join(self.folder, "emulator.log"), "wb")
        self.process = subprocess.Popen(self.command, cwd=ROOT, stdout=self.out,
                                        stderr=subprocess.STDOUT,
                                        stdin=subprocess.DEVNULL,
                                        start_new_session=True)
        self.patience, self.began = Patience(self.process.pid), time.monotonic()
        if self.sockets:
            pipe = self.sockets + "/serial"
            self.keyboard = os.open(pipe + ".in", os.O_RDWR)
            self.recorder = threading.Thread(
                target=self._record, args=(os.open(pipe + ".out", os.O_RDWR),))
            self.recorder.start()
        elif self.keyboard is not None:
            self.recorder = threading.Thread(target=self._record,
                                             args=(os.dup(self.keyboard),))
            self.recorder.start()
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
        if self.monitor_sock:
            self.monitor_sock.close()
        if self.keyboard is not None:
            self.recorder.join()
            os.close(self.keyboard)
            self.keyboard = None
        if self.line is not None:
            os.close(self.line)
            os.close(self.line_tty)
            self.line = None
        if self.sockets:
            shutil.rmtree(self.sockets, ignore_errors=True)

    def text(self):
        """All that the serial line has said. A line that is whole is read once."""
        try:
            with open(self.serial_path, "rb") as f:
                f.seek(self.lines_bytes)
                data = f.read()
        except FileNotFoundError:
            return ""
        whole = data.rfind(b"\n") + 1
        self.lines += readable(data[:whole])
        self.lines_bytes += whole
        return self.lines + readable(data[whole:])

    def clock(self):
        """Seconds since it was started, for a deadline."""
        return self.patience.seconds()

    def expect(self, pattern, seconds, start=None):
        """Wait until the serial log has @pattern after what the last expect()
        found; returns the match or None (time over, or the machine ended)."""
        regex = re.compile(pattern)
        begin = self.seen if start is None else start
        end = self.clock() + seconds
        while True:
            ended = self.has_ended()
            match = regex.search(self.text(), begin)
            if match:
                self.seen = match.end()
                return match
            if ended or self.clock() > end:
                return None
            time.sleep(0.2)

    def has_ended(self):
        """The machine has, and text() is all that it said."""
        return (self.process.poll() is not None and
                not (self.recorder and self.recorder.is_alive()))

    def wait_end(self, seconds):
        """True when the machine powered itself off in time; text() is all that it said."""
        end = self.clock() + seconds
        while self.clock() < end:
            try:
                self.process.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
            if self.recorder:
                self.recorder.join()
            return True
        return False

    def _connect(self, path):
        """QEMU makes its socket before the machine runs."""
        for _ in range(CONNECT_TRIES):
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(path)
                return sock
            except OSError:
                sock.close()
                time.sleep(0.05)
        raise TimeoutError(f"QEMU does not listen at {path}")

    def _record(self, fifo):
        """What the terminal gets. Not a socket: one holds few hundred writes of
        a byte, and QEMU then repeats or loses some."""
        last = b""
        with open(self.serial_path, "wb", buffering=0) as log:
            while True:
                if select.select([fifo], [], [], 0.2)[0]:
                    got = os.read(fifo, 65536)
                    last = self._react(last + got)
                    log.write(got)
                elif self.process.poll() is not None:
                    break
        os.close(fifo)

    def _react(self, last):
        """What is left of the line's last words."""
        if self.act and self.awaited in last:
            self.act()
            self.act = None
        return last[-len(self.awaited):] if self.act else b""

    def when(self, words, act):
        """@act is called as soon as the serial line has said @words, by the thread
        that reads it, once. Before the machine starts; somebody types there."""
        self.awaited, self.act = words.encode(), act

    def send(self, data):
        """Type on the serial line. QUIRK(bochs-2.7): its UART takes a byte of the
        terminal's every 87 us, has room or not, and a guest with interrupts off keeps
        the hypervisor's away for 10 ms (arch/x86/vmx/run.c): there a byte at a time."""
        if self.name == "qemu":
            os.write(self.keyboard, data.encode())
            return
        for byte in data.encode():
            os.write(self.keyboard, bytes([byte]))
            time.sleep(KEY_SECONDS)

    def leave_menu(self, seconds):
        """Where QEMU counts instructions, GRUB's countdown is a thousand million
        of them: cut it short. (On Bochs it is over sooner than it could be.)"""
        if self.name == "qemu" and self.expect(MENU, seconds):
            self.send("\r")

    def _monitor_answer(self):
        answer = b""
        while not answer.endswith(PROMPT):
            part = self.monitor_sock.recv(4096)
            if not part:
                break
            answer += part
        return answer

    def monitor(self, command):
        """A command of QEMU's monitor; returns once it is done."""
        if not self.monitor_sock:
            self.monitor_sock = self._connect(self.sockets + "/monitor")
            self.monitor_sock.settimeout(30)
            self._monitor_answer()
        self.monitor_sock.sendall(command.encode() + b"\n")
        return self._monitor_answer().decode("utf-8", "replace")

    def screen(self, name="screen"):
        """A dump of the screen, kept as NAME.ppm beside the log."""
        path = os.path.join(self.folder, name + ".ppm")
        self.monitor(f"screendump {path}")
        return Screen(path)

    def said_itself(self):
        """The emulator, not the machine."""
        with open(os.path.join(self.folder, "emulator.log"), errors="replace",
                  encoding="utf-8") as f:
            return f.read()

    def died(self):
        """By a bug of the emulator. QUIRK(tcg-7.2): it may abort."""
        return ABORTED.search(self.said_itself())

    def fate(self):
        """What became of the emulator, and its last words."""
        status = self.process.poll()
        words = self.said_itself().splitlines()[-LAST_WORDS:]
        state = "runs" if status is None else f"ended with {status}"
        return [f"the emulator {state} after {self.clock():.0f} s of its own, "
                f"{time.monotonic() - self.began:.0f} s in all", *words]

    def screen_with(self, pattern, seconds, name="screen"):
        """The same, once its text has @pattern or the time is over."""
        end = self.clock() + seconds
        while True:
            shown = self.screen(name)
            if re.search(pattern, shown.text()) or self.clock() > end:
                return shown
            time.sleep(1)

    def tail(self):
        """What a failed test shows: the emulator's fate, the log's last lines, and
        before them the hypervisor's errors anywhere in it, which guests' lines push
        out."""
        lines = self.text().splitlines()
        reports = [line[:REPORT_COLUMNS] for line in lines if REPORT.search(line)]
        return "\n".join(["    = " + line[-TAIL_COLUMNS:] for line in self.fate()] +
                         ["    ! " + line for line in reports[:REPORT_LINES]] +
                         ["    | " + line[-TAIL_COLUMNS:] for line in lines[-TAIL_LINES:]])
