"""Detached processes, with real ones: starts, ends, crashes of everybody around them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from relight.errors import Conflict, Refused, RelightError, UsageError
from relight.plan import GRACE, Process
from relight.supervisor import Supervisor, keeper

SLEEP = ("sleep", "60")


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "state"
    for started in (tmp_path / "state").glob("*/*/attempt-*/started"):
        record = json.loads(started.read_bytes())
        for pid, began in (record.get("command", (0, 0)), record.get("keeper", (0, 0))):
            if pid and keeper.start_ticks(pid) == began:
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def supervisor(folder: Path) -> Supervisor:
    return Supervisor(folder, grace=timedelta(seconds=0.3))


def until(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


def found(supervisor: Supervisor, step: str = "s") -> Process:
    process = supervisor.find("r", step)
    assert process is not None
    return process


def ended(supervisor: Supervisor, step: str = "s") -> Process:
    until(lambda: not found(supervisor, step).running)
    return found(supervisor, step)


def pids(folder: Path, attempt: int = 1) -> tuple[int, int]:
    record = json.loads((folder / f"r/s/attempt-{attempt}/started").read_bytes())
    return record["keeper"][0], record["command"][0]


def test_a_process_that_ended_leaves_its_exit_status_and_its_output(supervisor: Supervisor) -> None:
    assert supervisor.find("r", "s") is None
    supervisor.start("r", "s", ("sh", "-c", "echo out; echo err >&2; exit 7"), {})
    assert ended(supervisor) == Process(running=False, exit_status=7, output="out\nerr\n", attempt=1)


def test_a_signal_is_a_negative_exit_status(supervisor: Supervisor) -> None:
    supervisor.start("r", "s", ("sh", "-c", "kill -9 $$"), {})
    assert ended(supervisor).exit_status == -9


@pytest.mark.parametrize(("command", "status"), [("no-such-command", 127), ("/etc/hostname", 126)])
def test_a_command_that_cannot_run_ends_as_shells_say_it(
    supervisor: Supervisor, command: str, status: int
) -> None:
    supervisor.start("r", "s", (command,), {})
    process = ended(supervisor)
    assert process.exit_status == status
    assert command in process.output


def test_environment_and_folder_reach_the_command_and_nothing_else_of_the_controller_does(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLOUD_SECRET", "of the controller")
    supervisor.start(
        "r", "s", ("sh", "-c", "pwd; echo $GIVEN-$CLOUD_SECRET"), {"GIVEN": "yes"}, str(tmp_path)
    )
    assert ended(supervisor).output == f"{tmp_path}\nyes-\n"


def test_no_value_of_the_environment_is_on_disk_or_in_a_process_list(
    supervisor: Supervisor, folder: Path
) -> None:
    supervisor.start("r", "s", SLEEP, {"TOKEN": "hunter2-hunter2"})
    for pid in pids(folder):
        assert b"hunter2" not in Path(f"/proc/{pid}/cmdline").read_bytes()
    for path in folder.rglob("*"):
        assert not path.is_file() or b"hunter2" not in path.read_bytes()
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_second_start_is_refused_while_the_first_runs(supervisor: Supervisor, folder: Path) -> None:
    supervisor.start("r", "s", SLEEP, {})
    with pytest.raises(Refused, match="still runs"):
        Supervisor(folder).start("r", "s", SLEEP, {}, attempt=2)
    assert found(supervisor).attempt == 1
    assert len(list((folder / "r/s").glob("attempt-*"))) == 1


def test_after_one_that_ended_a_new_attempt_starts_anew_and_the_old_one_is_kept(
    supervisor: Supervisor, folder: Path
) -> None:
    for attempt in (1, 2):
        supervisor.start("r", "s", ("sh", "-c", f"echo {attempt}"), {}, attempt=attempt)
        process = ended(supervisor)
        assert (process.output, process.attempt) == (f"{attempt}\n", attempt)
    assert (folder / "r/s/attempt-1/output").read_text() == "1\n"


def test_of_many_controllers_that_start_at_once_one_does(supervisor: Supervisor, folder: Path) -> None:
    refused: list[RelightError] = []

    def start() -> None:
        try:
            Supervisor(folder).start("r", "s", ("sh", "-c", f"echo x >> {folder}/effects; sleep 60"), {})
        except (Refused, Conflict) as refusal:
            refused.append(refusal)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 7
    until((folder / "effects").exists)
    assert (folder / "effects").read_text() == "x\n"


def test_a_process_survives_the_kill_of_its_controller_and_of_its_group_and_another_finds_it(
    supervisor: Supervisor, folder: Path
) -> None:
    program = (
        "import sys, time; from pathlib import Path; from relight.supervisor import Supervisor\n"
        "Supervisor(Path(sys.argv[1])).start('r', 's', ('sh', '-c', 'sleep 0.5; echo done'), {})\n"
        "print('started', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE, start_new_session=True
    ) as controller:
        assert controller.stdout
        assert controller.stdout.readline() == b"started\n"
        os.killpg(controller.pid, signal.SIGKILL)
    assert found(supervisor).running
    assert ended(supervisor) == Process(running=False, exit_status=0, output="done\n", attempt=1)


def test_a_start_that_was_cut_off_before_it_happened_never_was(supervisor: Supervisor, folder: Path) -> None:
    cut_off = folder / "r/s/attempt-1"
    cut_off.mkdir(parents=True)
    keeper.write_once(cut_off / "intent", {"command": ["x"], "environment": [], "attempt": 1})
    assert supervisor.find("r", "s") is None
    supervisor.start("r", "s", ("true",), {}, attempt=2)
    assert ended(supervisor).attempt == 2
    # Its keeper, held up until now, must not run the command after all.
    late = subprocess.run(
        [sys.executable, "-I", "-S", keeper.__file__, cut_off, "1", "touch", folder / "late"], check=False
    )
    assert late.returncode == keeper.LOST
    time.sleep(0.1)
    assert not (folder / "late").exists()
    assert found(supervisor).attempt == 2


def test_a_start_that_was_cut_off_and_came_through_after_all_is_not_started_twice(
    supervisor: Supervisor, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    supervisor.start("r", "s", SLEEP, {})
    # To the next controller it looks as if it never happened, until it tries to declare it void.
    monkeypatch.setattr(Supervisor, "_last", lambda *_: None)
    with pytest.raises(Conflict, match="came through after all"):
        Supervisor(folder).start("r", "s", SLEEP, {}, attempt=2)
    monkeypatch.undo()
    assert (found(supervisor).running, found(supervisor).attempt) == (True, 1)


def test_a_start_that_was_cut_off_leaves_the_one_before_it_to_be_found(
    supervisor: Supervisor, folder: Path
) -> None:
    supervisor.start("r", "s", ("false",), {})
    assert ended(supervisor).exit_status == 1
    (folder / "r/s/attempt-2").mkdir()
    assert (found(supervisor).exit_status, found(supervisor).attempt) == (1, 1)


def test_a_pid_that_another_program_was_given_is_not_mistaken(supervisor: Supervisor, folder: Path) -> None:
    supervisor.start("r", "s", ("true",), {})
    ended(supervisor)
    with subprocess.Popen(SLEEP) as other:
        began = keeper.start_ticks(other.pid)
        assert began is not None
        place = folder / "r/s/attempt-1"
        (place / "exit").unlink()
        for reused in (
            {"keeper": [other.pid, began - 1], "command": [other.pid, began - 1], "boot": keeper.boot_id()},
            {"keeper": [other.pid, began], "command": [other.pid, began], "boot": "another boot"},
        ):
            (place / "started").write_text(json.dumps(reused))
            assert found(supervisor) == Process(running=False, exit_status=None, output="", attempt=1)
            supervisor.stop("r", "s")
            time.sleep(0.05)
            assert other.poll() is None
        other.kill()


def test_while_a_command_outlives_its_killed_keeper_it_still_runs_and_can_be_stopped(
    supervisor: Supervisor, folder: Path
) -> None:
    supervisor.start("r", "s", ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"), {})
    until(lambda: found(supervisor).output == "ready\n")
    os.kill(pids(folder)[0], signal.SIGKILL)
    until(lambda: keeper.start_ticks(pids(folder)[0]) is None)
    assert found(supervisor).running
    supervisor.stop("r", "s")
    time.sleep(0.35)
    assert found(supervisor).running
    supervisor.stop("r", "s")
    process = ended(supervisor)
    assert process.exit_status is None, "nobody saw how it ended"
    supervisor.start("r", "s", ("true",), {}, attempt=2)
    assert ended(supervisor).exit_status == 0


def test_stop_ends_the_whole_group_with_term(supervisor: Supervisor, folder: Path) -> None:
    supervisor.start("r", "s", ("sh", "-c", "sleep 60 & echo $!; wait"), {})
    until(lambda: found(supervisor).output != "")
    began = time.monotonic()
    supervisor.stop("r", "s")
    assert time.monotonic() - began < 0.2, "stop waits"
    assert ended(supervisor).exit_status == -signal.SIGTERM
    until(lambda: keeper.start_ticks(int(found(supervisor).output)) is None)
    supervisor.stop("r", "s")
    supervisor.stop("r", "never-started")


def test_who_ignores_term_is_killed_after_the_grace_without_another_call(supervisor: Supervisor) -> None:
    supervisor.start("r", "s", ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"), {})
    until(lambda: found(supervisor).output == "ready\n")
    supervisor.stop("r", "s")
    assert found(supervisor).running
    assert ended(supervisor).exit_status == -signal.SIGKILL


def test_a_flood_of_output_is_cut_down_to_its_end(tmp_path: Path) -> None:
    output = os.open(tmp_path / "output", os.O_RDWR | os.O_CREAT | os.O_APPEND)
    os.write(output, b"x" * keeper.OUTPUT_BYTES + b"the end\n")
    keeper._cut(output)
    os.write(output, b"and more\n")
    os.close(output)
    kept = (tmp_path / "output").read_bytes()
    assert kept.startswith(b"[earlier output was dropped]\nx")
    assert kept.endswith(b"the end\nand more\n")
    assert len(kept) < keeper.KEPT_BYTES + 100


def test_what_is_shown_is_the_last_64_kib(supervisor: Supervisor) -> None:
    supervisor.start("r", "s", ("sh", "-c", "head -c 200000 /dev/zero | tr '\\0' a; echo end"), {})
    shown = ended(supervisor).output
    assert len(shown) == 64 * 1024
    assert shown.endswith("aend\n")


def test_what_cannot_be_started_says_why(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no folder"):
        supervisor.start("r", "s", ("true",), {}, str(tmp_path / "missing"))
    with pytest.raises(UsageError, match="cannot be passed on"):
        supervisor.start("r", "s", ("true",), {"A=B": "c"})
    with pytest.raises(UsageError, match="not the name"):
        supervisor.start("..", "s", ("true",), {})
    assert supervisor.find("r", "s") is None


def test_a_process_that_was_started_with_a_longer_grace_gets_it(supervisor: Supervisor) -> None:
    finishes = "trap 'sleep 0.8; echo finished; exit 5' TERM; echo ready; while :; do sleep 0.05; done"
    supervisor.start("r", "s", ("sh", "-c", finishes), {GRACE: "20"})
    until(lambda: "ready" in found(supervisor).output)
    supervisor.stop("r", "s")
    assert ended(supervisor).exit_status == 5
    assert "finished" in found(supervisor).output
