"""Who a controller is: a name that tells whether that very process still lives.

A lease protects against a controller that nobody can ask. One that ran on this machine can be asked: if no
process has its number and its start time, it is gone, and a `relight resume` need not wait for the lease.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")


def this_holder() -> str:
    """The name of this process: "host/pid/start time/boot/namespace"."""
    return "/".join((socket.gethostname(), str(os.getpid()), _start_time(os.getpid()), _boot(), _namespace()))


def is_gone(holder: str) -> bool:
    """Whether a holder is certainly gone; False where that cannot be told from here."""
    host, pid, start_time, boot, namespace = (holder.split("/") + [""] * 5)[:5]
    if host != socket.gethostname() or not pid.isdigit() or not boot:
        return False
    if boot != _boot():
        return True  # the machine was started anew since
    if namespace != _namespace():
        return False  # in another container, process numbers mean other processes
    return _start_time(int(pid)) != start_time


def _start_time(pid: int) -> str:
    """Clock ticks after boot at which a process started (proc(5), field 22); "gone" without one."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "gone"
    # The second field, the command, may hold spaces and brackets; state is the first after it.
    fields = stat.rpartition(")")[2].split()
    return "gone" if fields[0] in "ZX" else fields[19]


def _namespace() -> str:
    """The namespace that process numbers belong to."""
    try:
        return str(Path("/proc/self/ns/pid").readlink()).strip("pid:[]")
    except OSError:
        return ""


def _boot() -> str:
    try:
        return _BOOT.read_text(encoding="ascii").strip()[:8]
    except OSError:
        return ""
