"""The knob: from `provision.scale-pool` being attempted to the engine's call, beside the bare Automation API.

Both set one pool of a stack on the stand-in cloud, in turns, with the real engine. Bare is a Python of its
own that selects the stack and calls `up` with the pool's targets. Ours is from the handler's first look: the
intent is decided, the update's process started, the pool's resources looked up, and then the engine is asked
first what else would change, which bare does not ask. A `pulumi` in front of the real one writes down when it
is called for what. Needs the `pulumi` command on PATH.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.table import row
from relight.plan import Done
from relight.provision import ScalePool
from relight.provision.scaling import ScalePoolHandler
from relight.supervisor import Supervisor

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from rig.standin.site import POOL, STACK, StandinContext, StandinSite, StandinWorld, play, urn_of

TIMES = 5
_SHIM = """#!/bin/sh
echo "$(date +%s.%N) $*" >> {calls}
exec {pulumi} "$@"
"""
_BARE = """
import sys
from pulumi.automation import create_or_select_stack
create_or_select_stack(sys.argv[1], work_dir=sys.argv[2]).up(target=sys.argv[3:])
"""


class Calls:
    """When the engine was called, as the shim wrote it down."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "calls"
        pulumi = shutil.which("pulumi")
        shim = folder / "bin" / "pulumi"
        shim.parent.mkdir()
        shim.write_text(_SHIM.format(calls=self._path, pulumi=pulumi), encoding="utf-8")
        shim.chmod(0o755)
        beside = str(Path(pulumi or "").parent)
        os.environ["PATH"] = os.pathsep.join((str(shim.parent), beside, os.environ["PATH"]))

    def first_since(self, began: float) -> float:
        """Seconds from `began` until the engine was first asked to plan or to do something."""
        for line in self._path.read_text(encoding="utf-8").splitlines():
            at, _, arguments = line.partition(" ")
            if float(at) >= began and {"preview", "up"} & set(arguments.split()[:3]):
                return float(at) - began
        raise AssertionError("the engine was not called")


def bare(site: StandinSite, calls: Calls, nodes: int) -> tuple[float, float]:
    site.want(pools={POOL: {"own-metal": nodes, "spot": 0}})
    targets = [urn_of(f"{POOL}-own-metal"), urn_of(f"{POOL}-spot")]
    began = time.time()
    subprocess.run(
        [sys.executable, "-c", _BARE, STACK, str(site.project), *targets],
        env={**os.environ, **site.environment, **site.secrets},
        check=True,
    )
    return calls.first_since(began), time.time() - began


def ours(site: StandinSite, calls: Calls, nodes: int) -> tuple[float, float]:
    site.want(pools={POOL: {"own-metal": nodes, "spot": 0}})
    world = StandinWorld(site)
    world.pools.pools[POOL] = {"own-metal": nodes, "spot": 0}
    context = StandinContext(Supervisor(site.folder / "processes"), step=f"knob-{time.monotonic_ns()}")
    spec = ScalePool(site=STACK, pool=POOL, sizes={"own-metal": nodes, "spot": 0}, epoch=1)
    began = time.time()
    outcome = play(ScalePoolHandler(world), spec, context)
    assert isinstance(outcome, Done), outcome
    return calls.first_since(began), time.time() - began


def main() -> None:
    if shutil.which("pulumi") is None:
        row("the `pulumi` command is not on PATH", "skipped", "https://www.pulumi.com/docs/install/")
        return
    with tempfile.TemporaryDirectory() as folder:
        calls = Calls(Path(folder))
        site = StandinSite(Path(folder) / "site")
        site.stacks().up(STACK)
        sides = {"bare": bare, "ours": ours}
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
        for turn in range(TIMES):
            for place, (name, turn_knob) in enumerate(sides.items()):
                taken[name].append(turn_knob(site, calls, 1 + (2 * turn + place) % 4))
        for what, place in (("knob turned to engine call", 0), ("knob turned to size changed", 1)):
            medians = {name: statistics.median(run[place] for run in runs) for name, runs in taken.items()}
            over = medians["ours"] - medians["bare"]
            goal = "at most 1 s over" if place == 0 else "with a preview of what else would change"
            row(f"{what}: bare Automation API", f"{medians['bare']:.2f} s")
            row(f"{what}: scale-pool", f"{medians['ours']:.2f} s", f"{over:+.2f} s, {goal}")


if __name__ == "__main__":
    main()
