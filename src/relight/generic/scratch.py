"""Private folders in memory, for what a process must be given and no disk may hold.

A folder goes with its process: the process removes it when it ends, the supervisor's keeper where it was
killed. Where all of them were killed at once, the next `sweep` of whichever step does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

from relight.errors import Refused

PREFIX = "relight-ansible-"
CLAIMED = "private"  # made in the folder by the process that it is for, once it holds the lock
_PLACES = (Path("/dev/shm"),)  # noqa: S108 (a folder of our own, mode 0700, is made in it)
_IN_MEMORY = ("tmpfs", "ramfs")
_UNCLAIMED_SECONDS = 60.0  # between the making of a folder and its process that locks it: usually 0.1 s


def make_scratch(*, allow_disk: bool) -> Path:
    """A new folder of mode 0700, in memory. Raise Refused where there is none, unless a disk is allowed."""
    for place in _PLACES:
        if file_system_of(place) in _IN_MEMORY and os.access(place, os.W_OK):
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    if not allow_disk:
        raise Refused(
            f"there is no tmpfs at {' or '.join(map(str, _PLACES))} to keep secrets in",
            "mount one (mount -t tmpfs none /dev/shm), or say secrets_on_disk in the step",
        )
    return Path(tempfile.mkdtemp(prefix=PREFIX))


def sweep() -> None:
    """Remove every folder of ours that no process holds any more."""
    for place in {*_PLACES, Path(tempfile.gettempdir())}:
        if place.is_dir():
            for folder in place.glob(f"{PREFIX}*"):
                if _is_left_behind(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _is_left_behind(folder: Path) -> bool:
    try:
        found = folder.lstat()
        young = time.time() - found.st_ctime < _UNCLAIMED_SECONDS
        if found.st_uid != os.getuid() or (young and not (folder / CLAIMED).exists()):
            return False
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False  # gone in this moment, or not a folder: nothing of ours
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def file_system_of(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """The type of the file system that holds a folder, as "tmpfs"; None where there is no such folder."""
    if not path.is_dir():
        return None
    kind, longest = None, -1
    for line in mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        _, at, this_kind, *_ = line.split(" ")
        # Of two mounts at one place the later covers the earlier.
        if path.resolve().is_relative_to(at.replace("\\040", " ")) and len(at) >= longest:
            kind, longest = this_kind, len(at)
    return kind
