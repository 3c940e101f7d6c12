# SPDX-License-Identifier: BSD-2-Clause
"""QEMU's debugger stub, by the remote serial protocol of GDB (its manual,
appendix E): stop the machine at an address, look at it and change it."""
import os
import socket
import subprocess

from harness import image

TRAP = "T05"  # stopped by a breakpoint
RSP = 7  # numbers of x86-64 registers in the protocol
ELF = os.path.join(image.BUILD, "bulkhead.elf.debug")


def _output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def symbol(name):
    """The address of a function or variable of the hypervisor."""
    for line in _output("nm", ELF).splitlines():
        address, _, word = line.split(maxsplit=2)
        if word == name:
            return int(address, 16)
    raise KeyError(f"{ELF} has no {name}")


def body(name):
    """Where each call of a function comes by: behind its ENDBR64, which direct calls are
    led past (arch/x86/machine/text_patch.c)."""
    at = symbol(name)
    first = _output("objdump", "-d", f"--start-address={at}", f"--stop-address={at + 4}", ELF)
    return at + 4 if "endbr64" in first else at


def attach(machine):
    """A debugger at the stub of @machine, a QEMU with a person at it. It stands."""
    path = machine.sockets + "/debugger"
    if not os.path.exists(path):
        machine.monitor(f"gdbserver unix:{path},server=on,wait=off")
    return Gdb(path)


class Gdb:
    """A debugger that has just stopped the machine. `with Gdb(path) as gdb:`; at
    the end it lets go, and the machine runs on."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(30)
        self.sock.connect(path)
        self.buffer = b""
        # Single registers are for those who know the target's description
        self.command("qXfer:features:read:target.xml:0,1000")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        try:
            self.command("D")
        except OSError:
            pass  # the machine has ended
        self.sock.close()

    def _byte(self):
        if not self.buffer:
            self.buffer = self.sock.recv(4096)
            if not self.buffer:
                raise ConnectionError("the debugger stub has gone")
        byte, self.buffer = self.buffer[:1], self.buffer[1:]
        return byte

    def _send(self, text):
        data = text.encode()
        self.sock.sendall(b"$%s#%02x" % (data, sum(data) & 0xff))

    def _receive(self):
        while self._byte() != b"$":
            pass  # acknowledgements
        answer = b""
        while (byte := self._byte()) != b"#":
            answer += byte
        self._byte(), self._byte()  # the checksum; the socket loses nothing
        self.sock.sendall(b"+")
        return answer.decode()

    def command(self, text):
        self._send(text)
        answer = self._receive()
        while answer.startswith("T"):  # it tells of the stop as one attaches
            answer = self._receive()
        if not answer or answer.startswith("E"):
            raise ValueError(f"the debugger stub refuses {text}: {answer}")
        return answer

    def run_to(self, address, seconds):
        """Let the machine run until a core is about to execute @address. The
        later commands are about that core."""
        self.command(f"Z0,{address:x},1")
        self.sock.settimeout(seconds)
        self._send("c")
        while not self._receive().startswith(TRAP):
            pass
        self.sock.settimeout(30)
        self.command(f"z0,{address:x},1")

    def register(self, number):
        return int.from_bytes(bytes.fromhex(self.command(f"p{number:x}")), "little")

    def set_register(self, number, value):
        self.command(f"P{number:x}={value.to_bytes(8, 'little').hex()}")

    def word(self, address):
        return int.from_bytes(bytes.fromhex(self.command(f"m{address:x},8")), "little")

    def set_word(self, address, value):
        self.command(f"M{address:x},8:{value.to_bytes(8, 'little').hex()}")
