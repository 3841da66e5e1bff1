"""Starts, finds and ends the processes of a sandbox, and nobody else's.

Each group of processes (one per site) is a process group, so that one signal reaches all of it at once. A
process is ours if it carries the sandbox's mark in its environment, which its children inherit: process ids
come round again, marks do not.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from relight.errors import RelightError
from relight.sandbox.layout import Layout, write_json

MARK = "RELIGHT_SANDBOX"
_PROC = Path("/proc")
_END_SECONDS = 5.0
_LOG_TAIL_BYTES = 2000
# Two cores are enough for all of it only if no process spreads over them; and sums stay the same bit for bit.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True)
class Started:
    """A process that the sandbox started; `began` is in clock ticks since the machine came up."""

    name: str
    group: str
    pid: int
    began: int


class Processes:
    """The processes of one sandbox, kept in `sandbox.json` so that another process finds them too."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._path = layout.folder / "sandbox.json"
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._group_ids: dict[str, int] = {}
        self._started: dict[str, Started] = {}

    @classmethod
    def find(cls, layout: Layout) -> Processes:
        """Those that another process has started. Raise RelightError if that cannot be known."""
        self = cls(layout)
        try:
            data = json.loads(self._path.read_bytes())
        except (OSError, ValueError) as error:
            raise RelightError(f"no processes are known in {layout.folder}: {error}") from None
        self._group_ids = data["groups"]
        self._started = {each["name"]: Started(**each) for each in data["processes"]}
        return self

    def launch(self, group: str, name: str, module: str, *arguments: str) -> None:
        """Start one process in a group, which it founds if there is none."""
        command = [sys.executable, "-P", "-m", f"relight.sandbox.{module}", str(self._layout.folder)]
        # Everything is on loopback, where no proxy has a place.
        inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
        environment = {**inherited, **_ONE_THREAD, MARK: self._layout.mark}
        with self._layout.log(name).open("ab") as log:
            child = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment,
                cwd=self._layout.folder,
                process_group=self._group_ids.get(group, 0),
            )
        self._children[child.pid] = child
        self._group_ids.setdefault(group, child.pid)
        seen = _look(child.pid)
        self._started[name] = Started(name, group, child.pid, seen.began if seen else 0)

    def save(self) -> None:
        """Write down what was started."""
        processes = [asdict(each) for each in self._started.values()]
        write_json(self._path, {"groups": self._group_ids, "processes": processes})

    def require_alive(self, name: str) -> None:
        """Raise RelightError with the end of its log if a process has ended."""
        started = self._started[name]
        if not _is_running(started.pid, started.began):
            raise RelightError(f"{name} ended by itself; its log ends with:\n{self.log_tail(name)}")

    def log_tail(self, name: str) -> str:
        """The end of a process's log."""
        with suppress(FileNotFoundError):
            return self._layout.log(name).read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        return ""

    def alive(self, *groups: str) -> tuple[int, ...]:
        """The ids of the processes of some groups, also of those that others of the group started."""
        return tuple(each.pid for each in self._members(*groups))

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group that was started and not ended."""
        return tuple(self._group_ids)

    def kill(self, *groups: str) -> None:
        """End every process of some groups at once, with SIGKILL; return when they are gone."""
        dying: dict[int, int] = {}
        for group in groups:
            members = self._members(group)
            # As long as one of ours is in the group, its id is nobody else's.
            if members:
                with suppress(ProcessLookupError):
                    os.killpg(self._group_ids[group], signal.SIGKILL)
            dying |= {each.pid: each.began for each in members}
        # One that is ending has no environment any more, but may still hold its sockets: wait for each by id.
        deadline = time.monotonic() + _END_SECONDS
        while self.alive(*groups) or any(_is_running(pid, began) for pid, began in dying.items()):
            if time.monotonic() > deadline:
                raise RelightError(
                    f"processes of {', '.join(groups)} do not end", "are they stuck in the kernel?"
                )
            time.sleep(0.005)
        self._forget(groups)

    def _members(self, *groups: str) -> tuple[_Seen, ...]:
        group_ids = {self._group_ids[group] for group in groups if group in self._group_ids}
        mark = f"{MARK}={self._layout.mark}".encode()
        seen = (_look(int(entry.name)) for entry in _PROC.iterdir() if entry.name.isdigit())
        return tuple(
            each for each in seen if each and each.group_id in group_ids and _has_mark(each.pid, mark)
        )

    def _forget(self, groups: tuple[str, ...]) -> None:
        ended = [each for each in self._started.values() if each.group in groups]
        for each in ended:
            del self._started[each.name]
            if child := self._children.pop(each.pid, None):
                child.wait(_END_SECONDS)
        for group in groups:
            self._group_ids.pop(group, None)
        self.save()


@dataclass(frozen=True)
class _Seen:
    pid: int
    group_id: int
    began: int


def _look(pid: int) -> _Seen | None:
    """A process as the kernel has it; None if it ended, reaped or not."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold anything
    state, group_id, began = fields[0], int(fields[2]), int(fields[19])
    return None if state in "ZX" else _Seen(pid, group_id, began)


def _is_running(pid: int, began: int) -> bool:
    seen = _look(pid)
    return seen is not None and seen.began == began


def _has_mark(pid: int, mark: bytes) -> bool:
    try:
        return mark in (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return False
