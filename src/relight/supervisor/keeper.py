"""Keeps one process: starts it, waits for it, writes down how it ended.

Run as `python -I -S keeper.py FOLDER GRACE COMMAND…` with the command's own environment and working folder,
so it may use the standard library only. It leaves the caller's session, and its first process ends as soon as
the start is on disk (or lost); the keeper itself stays until the command ends. SIGTERM to the keeper asks the
command's group to end; GRACE seconds later, or once the command has ended, whatever it had started is killed,
even what left the group: the keeper adopts orphans (PR_SET_CHILD_SUBREAPER, prctl(2)).

In the environment: limits (see `relight.plan.Limits`), and a scratch folder that goes with the process.

In FOLDER: `started` (written once, by whoever comes first: the keeper with pids, or a supervisor that
declares a start void), `output`, `exit`.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import stat
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

STARTED, LOST, BROKEN = 0, 3, 4  # how the first process ends; anything else is Python's own
_SHORTEST_REDACTED = 4  # as relight.estate's secrets: shorter values would blank ordinary words
OUTPUT_BYTES = 16 * 2**20  # above this the output is cut down, looked at once a tick
KEPT_BYTES = 2**20  # to this many of its last bytes
LIMITS, REDACT, SCRATCH = "RELIGHT_LIMITS", "RELIGHT_REDACT", "RELIGHT_SCRATCH"  # as relight.plan has them
_TICK_SECONDS, _SHORT_TICK_SECONDS = 1.0, 0.05  # the short one while it is being stopped, or floods
_TRIES_TO_RECORD = 60  # one a second: a full disk may get space again
_WAITED_FOR = {signal.SIGCHLD, signal.SIGTERM}
_PR_SET_CHILD_SUBREAPER = 36
_CPU_MERCY_SECONDS = 5  # between SIGXCPU and SIGKILL
_ROUNDS_TO_KILL = 100  # what is being killed may be forking
_RESOURCES = {
    "cpu_seconds": resource.RLIMIT_CPU,
    "memory": resource.RLIMIT_AS,
    "open_files": resource.RLIMIT_NOFILE,
    "file_size": resource.RLIMIT_FSIZE,
}


def boot_id() -> str:
    """Which boot of the machine this is: pids and start times mean nothing in another."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def start_ticks(pid: int) -> int | None:
    """When a live process began, in clock ticks since boot (proc(5), field 22); None: dead or a zombie."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat[stat.rindex(b")") + 2 :].split()  # the name before it may hold anything
    return None if fields[0] in b"ZXx" else int(fields[19])


def write_once(path: Path, content: object) -> bool:
    """Write JSON durably under a name that nobody has; False: somebody had it, and theirs stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        with draft.open("x", encoding="utf-8") as file:
            json.dump(content, file)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def descendants(ancestor: int) -> dict[int, int]:
    """Every live process below one: its start time by its pid."""
    parents: dict[int, tuple[int, int]] = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal():
            with suppress(OSError):  # ended in this moment
                content = Path(entry.path, "stat").read_bytes()
                fields = content[content.rindex(b")") + 2 :].split()
                if fields[0] not in b"ZXx":
                    parents[int(entry.name)] = (int(fields[1]), int(fields[19]))
    found, above = {}, {ancestor}
    while above:
        above = {pid for pid, (parent, _) in parents.items() if parent in above}
        found.update({pid: parents[pid][1] for pid in above})
    return found


def signal_process(pid: int, began: int, number: signal.Signals) -> None:
    """Send a signal to this very process, and to nobody that was given its pid in between."""
    with suppress(ProcessLookupError, PermissionError):
        handle = os.pidfd_open(pid)
        try:
            if start_ticks(pid) == began:
                signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


def _limit(limits: dict[str, int]) -> None:
    """Hold this process to limits, as far as it may set them. Raise OSError, ValueError."""
    if SCRATCH in os.environ:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a dump would carry secrets to disk
    for name, kind in _RESOURCES.items():
        if name in limits:
            hardest = resource.getrlimit(kind)[1]
            mercy = _CPU_MERCY_SECONDS if name == "cpu_seconds" else 0
            hard = limits[name] + mercy
            hard = hard if hardest == resource.RLIM_INFINITY else min(hard, hardest)
            resource.setrlimit(kind, (min(limits[name], hard), hard))
    os.nice(limits.get("niceness", 0))


def _run(command: list[str], output: int, hold: int) -> NoReturn:
    """The child: become the command once the start is on disk; end without a trace if it never is."""
    os.setpgid(0, 0)
    if not os.read(hold, 1):
        os._exit(LOST)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored_by_python, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WAITED_FOR)
    try:
        _limit(json.loads(os.environ.get(LIMITS, "{}")))
    except (OSError, ValueError) as error:
        os.write(2, f"the limits cannot be set: {error}\n".encode(errors="replace"))
        os._exit(126)
    try:
        os.execvp(command[0], command)  # noqa: S606 (no shell is what we want)
    except OSError as error:
        os.write(2, f"{command[0]}: {error.strerror}\n".encode(errors="replace"))
        # As shells say it: 127 not found, 126 found but not to be run.
        os._exit(127 if isinstance(error, FileNotFoundError) else 126)


def _signal_group(leader: int, number: signal.Signals) -> None:
    # Nobody may be left, or only those that took another user's identity.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def _cut(output: int) -> bool:
    """Keep the end of an output that has grown too long; appending goes on behind it."""
    size = os.fstat(output).st_size
    if size <= OUTPUT_BYTES:
        return False
    end = os.pread(output, KEPT_BYTES, size - KEPT_BYTES)
    os.ftruncate(output, 0)
    os.write(output, b"[earlier output was dropped]\n" + end)
    return True


def _has_ended(child: int) -> bool:
    """Whether the command has; it is not reaped, orphans that were adopted and ended are."""
    while dead := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        if dead.si_pid == child:
            return True
        os.waitpid(dead.si_pid, 0)
    return False


def _wait(child: int, output: int, grace: float) -> int:
    """Wait for the command, ending it when asked to. Return its exit status, minus the signal if one did."""
    kill_at: float | None = None
    tick = _TICK_SECONDS
    while True:
        met = signal.sigtimedwait(_WAITED_FOR, tick)
        if _has_ended(child):
            break
        if met and met.si_signo == signal.SIGTERM and kill_at is None:
            _signal_group(child, signal.SIGTERM)
            kill_at = time.monotonic() + grace
        if kill_at is not None and time.monotonic() >= kill_at:
            _signal_group(child, signal.SIGKILL)
        flooded = _cut(output)
        tick = _SHORT_TICK_SECONDS if flooded or kill_at is not None else _TICK_SECONDS
    stopped = kill_at is not None
    if stopped:
        # Whoever of the group ignored TERM; the leader is not reaped yet, so the number is still its own.
        _signal_group(child, signal.SIGKILL)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if stopped or SCRATCH in os.environ:
        _kill_the_rest()
    _cut(output)
    return status


def _kill_the_rest() -> None:
    """Kill what the command has left behind, in whichever session."""
    for _ in range(_ROUNDS_TO_KILL):
        rest = descendants(os.getpid())
        if not rest:
            return
        for pid, began in rest.items():
            signal_process(pid, began, signal.SIGKILL)
        time.sleep(0.01)
        with suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def _remove_scratch() -> None:
    """Remove the folder that goes with the process, if it is one that was made for that."""
    scratch = os.environ.get(SCRATCH)
    if not scratch:
        return
    with suppress(OSError):
        found = os.lstat(scratch)
        if (
            Path(scratch).name.startswith("relight-")
            and stat.S_ISDIR(found.st_mode)
            and (found.st_uid, found.st_mode & 0o777) == (os.getuid(), 0o700)
        ):
            from shutil import rmtree  # noqa: PLC0415 (hundreds of keepers wait that never need it)

            rmtree(scratch, ignore_errors=True)


def _redact(output: int) -> None:
    """Blank the values of the names in REDACT in what was written: it outlives the process."""
    names = os.environ.get(REDACT, "").split(",")
    values = sorted({os.environb.get(name.encode(), b"") for name in names}, key=len, reverse=True)
    values = [value for value in values if len(value) >= _SHORTEST_REDACTED]
    if not values:
        return
    content = os.pread(output, os.fstat(output).st_size, 0)
    redacted = content
    for value in values:
        redacted = redacted.replace(value, b"[redacted]")
    if redacted != content:
        with suppress(OSError):
            os.ftruncate(output, 0)
            os.write(output, redacted)


def _record(path: Path, status: int) -> None:
    for _ in range(_TRIES_TO_RECORD):
        try:
            write_once(path, {"exit_status": status})
        except OSError:
            time.sleep(1)
        else:
            return


def _keep(folder: Path, grace: float, command: list[str], report: int) -> None:
    """The keeper: start, report, wait, record."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored by the caller, it would take the exit status away
    signal.pthread_sigmask(signal.SIG_BLOCK, _WAITED_FOR)
    output = os.open(folder / "output", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    hold, release = os.pipe()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    child = os.fork()
    if not child:
        os.close(release)
        _run(command, output, hold)
    with suppress(OSError):
        os.setpgid(child, child)  # here too: a stop may come before the child has got to it
    pids = {"keeper": [os.getpid(), start_ticks(os.getpid())], "command": [child, start_ticks(child)]}
    ours = write_once(folder / "started", {**pids, "boot": boot_id()})
    if ours:
        os.write(release, b"!")
    os.close(release)
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.write(report, bytes([STARTED if ours else LOST]))
    os.close(report)
    if ours:
        status = _wait(child, output, grace)
        _redact(output)
        _remove_scratch()
        _record(folder / "exit", status)


def main(folder: str, grace: str, *command: str) -> None:
    """Fork the keeper away and end with what it reports."""
    heard, report = os.pipe()
    if os.fork():
        os.close(report)
        said = os.read(heard, 1)
        os._exit(said[0] if said else BROKEN)
    os.close(heard)
    _keep(Path(folder), float(grace), list(command), report)


if __name__ == "__main__":
    main(*sys.argv[1:])
