# SPDX-License-Identifier: BSD-2-Clause
"""The consoles, as a person uses them: the manifest that `make run` and the USB
stick have, keys typed on the serial line, the hint on the screen."""
import os
import re
import time

from harness import image
from harness.machine import ROOT, Machine
from system import _linux
from system._linux import step

SWITCH = "\x1d"  # Ctrl-]
UP_SECONDS = 240
SECONDS = 40
WELCOME_ENDS = r"Ctrl-\] shows the next console\."
LIST = "log, linux, box, all"
ENDED = r"log, linux, box \(ended: [^)]*\), all"


def banner(name, consoles=LIST):
    return rf"--- console: {name} --- Ctrl-\] switches: {consoles} ---"


def switch_to(results, m, name, consoles=LIST):
    m.send(SWITCH)
    step(results, m, f"console.switches_to_{name}", banner(name, consoles), SECONDS)


def shell_answers(results, m, name):
    """What the shell computes was not typed, so it is no echo."""
    m.send("echo $((6*7)) by $(hostname)\r")
    host = {"linux": "privileged", "box": "isolated"}[name]
    step(results, m, f"console.{name}_shell", rf"42 by {host}\s", SECONDS)


def cycle(results, m):
    """From the privileged guest's console once around."""
    switch_to(results, m, "box")
    step(results, m, "console.box_shows_what_it_said", WELCOME_ENDS, UP_SECONDS)
    m.send("\r")
    step(results, m, "console.box_prompt", r"isolated:\S*# ", SECONDS)
    shell_answers(results, m, "box")
    switch_to(results, m, "all")
    m.send("echo to $(hostname)\r")
    step(results, m, "console.all_names_who_speaks",
         r"\[linux\] to privileged", SECONDS)
    switch_to(results, m, "log")
    step(results, m, "console.log_shows_the_log",
         r"\[\d+\.\d+ \d+[^]]*\] vm: guest box starts", SECONDS)
    switch_to(results, m, "linux")


def by_program(results, m):
    """bh-console on the privileged guest's own console, where Ctrl-] is taken."""
    m.send("bh-console box\r")
    step(results, m, "console.program_shows_box", r"--- box --- Ctrl-\\ leaves ---", SECONDS)
    step(results, m, "console.program_shows_history", r"42 by isolated\s", SECONDS)
    m.send("echo $((6*8)) by $(hostname)\r")
    step(results, m, "console.program_types", r"48 by isolated\s", SECONDS)
    m.send("\x1c")
    step(results, m, "console.program_leaves", r"privileged:\S*# ", SECONDS)
    shell_answers(results, m, "linux")


def box_powers_off(results, m):
    """It ends alone: the others go on."""
    switch_to(results, m, "box")
    m.send("poweroff\r")
    switch_to(results, m, "all")
    step(results, m, "console.box_powers_off", r"vm: guest box powers off", SECONDS,
         0)
    switch_to(results, m, "log", ENDED)
    m.send("?")
    step(results, m, "console.log_names_its_keys", r"console: keys here: .*s what guests", SECONDS)
    switch_to(results, m, "linux", ENDED)
    shell_answers(results, m, "linux")
    m.send("bh-console\r")
    step(results, m, "console.program_says_what_ended",
         r"box +isolated guest, ended: it powered off", SECONDS)


def console(results, folder):
    with open(os.path.join(ROOT, "boot/bulkhead.conf")) as f:
        conf = f.read()
    disk = image.make(folder, conf, _linux.payload())
    with Machine("qemu", disk, folder, cores=_linux.QEMU_CORES, memory=1536,
                 timeout=UP_SECONDS * 2,
                 person=True) as m:
        step(results, m, "console.hint_in_the_log",
             rf"console: Ctrl-\] switches consoles: {LIST}", UP_SECONDS)
        step(results, m, "console.starts_on_linux", banner("linux"), SECONDS)
        step(results, m, "console.privileged_up", WELCOME_ENDS, UP_SECONDS)
        m.send("\r")
        step(results, m, "console.linux_prompt", r"privileged:\S*# ", SECONDS)
        shell_answers(results, m, "linux")
        cycle(results, m)
        by_program(results, m)
        box_powers_off(results, m)
        results.check("TEST up" not in m.text(), "console.no_test_marker",
                      "the guests that users get speak of tests")
        m.send("poweroff\r")
        step(results, m, "console.linux_powers_off", r"reboot: Power down", SECONDS)
        results.check(m.wait_end(30), "console.machine_is_off", "it still runs")


def press(results, m, key, name, pattern):
    """A key of the PC's own keyboard."""
    m.monitor(f"sendkey {key}")
    step(results, m, f"keyboard.{name}", pattern, SECONDS)


def screen_shows(results, m, name, pattern):
    """Within some seconds: it is drawn a little after the key."""
    for _ in range(20):
        text = m.screen(name).text()
        if re.search(pattern, text):
            break
        time.sleep(0.5)
    results.check(re.search(pattern, text), f"keyboard.{name}",
                  f"the screen has no /{pattern}/:\n{text}")


def keyboard(results, folder):
    """As long as no guest has the PC's keyboard and screen, they are the
    hypervisor's: Ctrl-], the keys of the log, pages of the log."""
    consoles = "log, box, all"
    loop = {"name": "box", "kernel": "ends.elf", "memory": "16M", "cmdline": "loop"}
    bad = [{"name": f"bad{n}", "kernel": "nothing.elf", "memory": "16M"} for n in range(30)]
    disk = image.make(folder, image.manifest([loop, *bad]),
                      {"ends.elf": os.path.join(image.BUILD, "tests/guest/ends.elf")})
    with Machine("qemu", disk, folder, cores=2, memory=512, timeout=UP_SECONDS,
                 person=True) as m:
        step(results, m, "keyboard.box_starts", r"vm: guest box starts", UP_SECONDS)
        m.monitor("sendkey pgup")
        screen_shows(results, m, "page_up", r"--- the log, \d+ lines back --- PgUp, PgDn ---")
        m.monitor("sendkey pgup")
        screen_shows(results, m, "first_page", r"init: Bulkhead \S+, started by")
        for _ in range(3):
            m.monitor("sendkey pgdn")
        screen_shows(results, m, "page_down", r"vm: guest box starts")
        press(results, m, "shift-slash", "question", r"console: keys here: ")
        for name in ("log", "box"):
            press(results, m, "ctrl-bracket_right", f"switches_to_{name}",
                  banner(name, consoles))


def tests():
    return [("console", console), ("keyboard", keyboard)]
