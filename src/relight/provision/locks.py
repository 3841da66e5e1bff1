"""Whether the update that holds a stack's lock still lives."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from relight.provision.port import Lock

_SLACK_SECONDS = 2.0  # clock ticks and the lock's own time are rounded


def is_alive(
    lock: Lock, here: str | None = None, began: Callable[[int], datetime | None] | None = None
) -> bool | None:
    """Whether the process that took the lock runs; None: it ran on another machine, nobody can tell here.

    A process that began after the lock was taken has only been given the same pid.
    """
    if lock.host != (here or socket.gethostname()):
        return None
    start = (began or began_at)(lock.pid)
    return start is not None and (start - lock.since).total_seconds() <= _SLACK_SECONDS


def began_at(pid: int) -> datetime | None:
    """When a live process began; None: there is none, or a zombie (proc(5), fields 3 and 22)."""
    try:
        content = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = content[content.rindex(b")") + 2 :].split()
    if fields[0] in b"ZXx":
        return None
    uptime = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return datetime.fromtimestamp(boot + uptime, UTC)
