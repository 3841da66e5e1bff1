"""Private folders in memory, and that none is left behind."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from relight.errors import Refused
from relight.generic import scratch


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands in for /dev/shm."""
    place = tmp_path / "shm"
    place.mkdir()
    monkeypatch.setattr(scratch, "_PLACES", (place,))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    return place


def test_a_folder_is_private_and_in_memory() -> None:
    made = scratch.make_scratch(allow_disk=False)
    try:
        assert scratch.file_system_of(made) == "tmpfs"
        assert made.stat().st_mode & 0o777 == 0o700
    finally:
        made.rmdir()


def test_without_memory_it_is_refused_unless_a_disk_is_allowed(
    memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "_IN_MEMORY", ())
    with pytest.raises(Refused, match=r"no tmpfs .*secrets_on_disk"):
        scratch.make_scratch(allow_disk=False)
    made = scratch.make_scratch(allow_disk=True)
    assert made.stat().st_mode & 0o777 == 0o700
    made.rmdir()


def test_the_later_of_two_mounts_at_a_place_counts_and_the_longer_path(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    there = tmp_path / "with space"
    there.mkdir()
    escaped = str(there).replace(" ", "\\040")
    mounts.write_text(
        f"d / ext4 rw 0 0\nd {escaped} ramfs rw 0 0\nd {escaped} tmpfs rw 0 0\nd / xfs rw 0 0\n"
    )
    assert scratch.file_system_of(there, mounts) == "tmpfs"
    assert scratch.file_system_of(tmp_path, mounts) == "xfs"
    assert scratch.file_system_of(tmp_path / "missing", mounts) is None


def test_only_what_nobody_holds_any_more_is_swept_away(memory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left, held, foreign = (memory / name for name in ("relight-ansible-1", "relight-ansible-2", "other"))
    for folder in (left, held, foreign):
        folder.mkdir()
        (folder / "call.json").write_text("{}")
    (memory / "relight-ansible-link").symlink_to(foreign)
    holder = os.open(held, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    scratch.sweep()
    assert left.exists(), "so young a folder may belong to a process that is being started"
    later = time.time() + 61
    monkeypatch.setattr("time.time", lambda: later)
    scratch.sweep()
    assert not left.exists()
    assert held.exists()
    assert (foreign / "call.json").exists()
    os.close(holder)
    scratch.sweep()
    assert not held.exists()


def test_what_was_claimed_and_let_go_is_swept_away_at_once(memory: Path) -> None:
    left = memory / "relight-ansible-1"
    (left / scratch.CLAIMED).mkdir(parents=True)
    holder = os.open(left, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    scratch.sweep()
    assert left.exists()
    os.close(holder)
    scratch.sweep()
    assert not left.exists()
