"""A controller that sees to many detached processes, in a module that a process of its own can import."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from relight.errors import Conflict
from relight.supervisor import Supervisor

COUNT = 60
_SCRIPT = 'echo {step} >> {effects}/{step}; echo "::progress 0.5 half"; sleep {seconds}; exit {status}'


def see_to_it(folder: Path, effects: Path) -> None:
    """What a controller does for each step: look, and start what was never started."""
    supervisor = Supervisor(folder)

    def look(number: int) -> None:
        step = f"s{number}"
        if supervisor.find("run", step) is not None:
            return
        # Of three one ends well, one badly, and one runs on.
        seconds, status = ((0, 0), (0, 3), (60, 0))[number % 3]
        script = _SCRIPT.format(step=step, effects=effects, seconds=seconds, status=status)
        try:
            supervisor.start("run", step, ("sh", "-c", script), {})
        except Conflict:
            look(number)  # the dead one's start came through in this moment

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(look, range(COUNT)))
