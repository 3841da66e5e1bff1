"""What a process may use, what goes with it when it ends, and what stays."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from relight.plan import LIMITS, SCRATCH, Limits, Process, Progress
from relight.supervisor import Supervisor, keeper


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    yield (made := Supervisor(tmp_path / "state", grace=timedelta(seconds=0.3)))
    made.stop("r", "s")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "relight-scratch"
    folder.mkdir(mode=0o700)
    (folder / "secret").write_text("hunter2")
    return folder


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def found(supervisor: Supervisor) -> Process:
    process = supervisor.find("r", "s")
    assert process is not None
    return process


def ended(supervisor: Supervisor) -> Process:
    until(lambda: not found(supervisor).running)
    return found(supervisor)


def is_alive(pid: int) -> bool:
    return keeper.start_ticks(pid) is not None


def shell(supervisor: Supervisor, script: str, environment: dict[str, str]) -> None:
    supervisor.start("r", "s", ("sh", "-c", script), environment)


def test_the_keeper_and_the_language_have_the_same_names() -> None:
    assert (keeper.LIMITS, keeper.SCRATCH) == (LIMITS, SCRATCH)
    assert set(Limits.model_fields) == {*keeper._RESOURCES, "niceness"}


def test_limits_hold_for_the_command_and_not_for_its_keeper(supervisor: Supervisor) -> None:
    limits = Limits(cpu_seconds=7, memory=2**30, open_files=64, file_size=2**20, niceness=5)
    shell(
        supervisor,
        "ulimit -t; ulimit -v; ulimit -n; nice; ulimit -H -t; nice -n 0 sh -c 'ulimit -n'",
        limits.environment(),
    )
    niceness = str(min(os.nice(0) + 5, 19))
    assert ended(supervisor).output.split() == ["7", str(2**20), "64", niceness, "12", "64"]


def test_a_limit_above_the_hard_limit_is_the_hard_limit(supervisor: Supervisor) -> None:
    shell(supervisor, "ulimit -n", Limits(open_files=2**40).environment())
    assert int(ended(supervisor).output) <= 2**40


def test_who_uses_up_its_processor_time_is_ended(supervisor: Supervisor) -> None:
    shell(supervisor, "while :; do :; done", Limits(cpu_seconds=1).environment())
    assert ended(supervisor).exit_status == -signal.SIGXCPU


def test_limits_that_cannot_be_read_start_nothing(supervisor: Supervisor, tmp_path: Path) -> None:
    shell(supervisor, f"touch {tmp_path}/effect", {LIMITS: "{"})
    process = ended(supervisor)
    assert (process.exit_status, "limits" in process.output) == (126, True)
    assert not (tmp_path / "effect").exists()


def test_progress_and_artifacts_are_found(supervisor: Supervisor) -> None:
    shell(supervisor, 'echo "::progress 0.5 half"; echo kept > $RELIGHT_ARTIFACTS/list', {})
    process = ended(supervisor)
    assert process.progress == Progress(note="half", fraction=0.5)
    assert process.artifacts is not None
    assert (process.artifacts / "list").read_text() == "kept\n"
    assert process.artifacts.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("how", ["ends", "is stopped", "is killed"])
def test_a_scratch_folder_goes_with_its_process_and_so_does_what_that_left_running(
    supervisor: Supervisor, scratch: Path, how: str
) -> None:
    script = "setsid sleep 60 & echo $!; " + ("sleep 0.2" if how == "ends" else "sleep 60")
    shell(supervisor, script, {SCRATCH: str(scratch)})
    until(lambda: found(supervisor).output.endswith("\n"))
    left = int(found(supervisor).output)
    if how == "is stopped":
        supervisor.stop("r", "s")
    elif how == "is killed":
        os.kill(parent_of(left), signal.SIGKILL)
    ended(supervisor)
    assert not scratch.exists()
    assert not is_alive(left)


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_only_a_folder_that_was_made_for_it_is_removed(supervisor: Supervisor, tmp_path: Path) -> None:
    others = [tmp_path / "precious", tmp_path / "relight-but-open"]
    for folder in others:
        folder.mkdir(mode=0o755 if "open" in folder.name else 0o700)
    link = tmp_path / "relight-link"
    link.symlink_to(others[0])
    for folder in (*others, link):
        shell(supervisor, "true", {SCRATCH: str(folder)})
        ended(supervisor)
    assert all(folder.is_dir() for folder in others)


def test_stop_ends_what_has_left_the_group_too(supervisor: Supervisor) -> None:
    # The middle one ends at once, so that the last is an orphan of another session.
    shell(supervisor, "sh -c 'setsid sleep 60 & echo $!'; sleep 60", {})
    until(lambda: found(supervisor).output.endswith("\n"))
    left = int(found(supervisor).output)
    supervisor.stop("r", "s")
    ended(supervisor)
    assert not is_alive(left)


def test_a_daemon_that_a_command_left_behind_stays_when_the_command_ends_by_itself(
    supervisor: Supervisor,
) -> None:
    shell(supervisor, "setsid sleep 60 >/dev/null 2>&1 & echo $!", {})
    left = int(ended(supervisor).output)
    try:
        assert is_alive(left)
    finally:
        os.kill(left, signal.SIGKILL)


def test_of_many_starts_only_the_last_keep_their_output(supervisor: Supervisor, tmp_path: Path) -> None:
    for attempt in range(1, 13):
        supervisor.start("r", "s", ("echo", str(attempt)), {}, attempt=attempt)
        assert ended(supervisor).output == f"{attempt}\n"
    kept = sorted(int(path.read_text()) for path in (tmp_path / "state/r/s").glob("*/output"))
    assert kept == list(range(3, 13))
    assert len(list((tmp_path / "state/r/s").glob("*/exit"))) == 12
