"""What a survey asks the schedulers."""

from __future__ import annotations

import pytest

from relight.errors import Unreachable
from relight.workload import Running, Scheduler
from relight.workload.fake import FakeScheduler
from relight.workload.probes import probes
from rig.estates import an_estate


class World:
    def __init__(self) -> None:
        self.sites = {"north": FakeScheduler(), "south": FakeScheduler()}

    def scheduler(self, site: str) -> Scheduler:
        return self.sites[site]


def test_each_site_is_asked_what_is_free_and_what_has_not_ended() -> None:
    world = World()
    world.sites["north"].reachable = False
    for name, state in (("b", "draining"), ("a", "running"), ("c", "ended")):
        world.sites["south"].put(
            Running.model_validate({"workload": name, "token": "t", "state": state, "gpus": 4})
        )
    asked = {probe.path: probe.ask for probe in probes(an_estate(), world)}
    assert set(asked) == {("sites", s, what) for s in world.sites for what in ("free_gpus", "running")}
    assert asked["sites", "south", "free_gpus"]() == 24
    assert asked["sites", "south", "running"]() == ("a", "b")
    with pytest.raises(Unreachable):
        asked["sites", "north", "running"]()
