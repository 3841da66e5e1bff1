"""Many detached processes, and a controller that is killed while it starts them."""

from __future__ import annotations

import os
import signal
import time
from datetime import timedelta
from pathlib import Path

import pytest

from relight.supervisor import Supervisor
from rig.crowd import COUNT, see_to_it
from rig.killing import SPAWN
from rig.sites import wait_until

pytestmark = pytest.mark.story


def test_of_many_processes_each_is_found_and_none_is_started_twice(tmp_path: Path) -> None:
    folder, effects = tmp_path / "state", tmp_path / "effects"
    effects.mkdir()
    controller = SPAWN.Process(target=see_to_it, args=(folder, effects))
    controller.start()
    wait_until("half of them began", lambda: len(list(effects.iterdir())) >= COUNT // 2)
    assert controller.pid
    os.kill(controller.pid, signal.SIGKILL)
    controller.join()
    assert controller.exitcode == -signal.SIGKILL, "it was through before it was killed"
    assert len(list(folder.glob("run/*/attempt-1/started"))) < COUNT, "the kill came too late"

    see_to_it(folder, effects)
    supervisor = Supervisor(folder, grace=timedelta(seconds=1))
    try:
        wait_until("each began", lambda: len(list(effects.iterdir())) == COUNT)
        wait_until("two of three ended", lambda: sum(states(supervisor)) == COUNT // 3)
        began = time.monotonic()
        found = [supervisor.find("run", f"s{number}") for number in range(COUNT)]
        assert time.monotonic() - began < 1
        for number, process in enumerate(found):
            assert process is not None
            assert process.exit_status == (0, 3, None)[number % 3]
            assert process.progress is not None
            assert process.progress.fraction == 0.5
        assert all(path.read_text() == f"{path.name}\n" for path in effects.iterdir()), "one ran twice"
    finally:
        for number in range(COUNT):
            supervisor.stop("run", f"s{number}")
        wait_until("nothing runs any more", lambda: not any(states(supervisor)))


def states(supervisor: Supervisor) -> list[bool]:
    """Whether each runs."""
    found = (supervisor.find("run", f"s{number}") for number in range(COUNT))
    return [process is not None and process.running for process in found]
