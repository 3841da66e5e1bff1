"""What is tried of schedulers: do they answer, and would there be room."""

from __future__ import annotations

from relight.workload import Drain, MakeRoom, Scheduler, Start, Stop
from relight.workload.fake import FakeScheduler
from relight.workload.preflight import needs, preflight
from rig.estates import an_estate
from rig.preflights import failing, outcomes

ROOM = "south has room for the work of the other site"


class World:
    """North runs digits and app; south the notebooks, which may be stopped."""

    def __init__(self, gpus: int = 32) -> None:
        self.sites = {"north": FakeScheduler(), "south": FakeScheduler(gpus)}
        for site, workload, count in (
            ("north", "digits", 16),
            ("north", "app", 4),
            ("south", "notebooks", 24),
        ):
            self.sites[site].start(workload, token="t", epoch=1, gpus=count, point=None, folder=None)

    def scheduler(self, site: str) -> Scheduler:
        return self.sites[site]


def test_schedulers_that_answer_and_have_room_pass() -> None:
    said = outcomes(preflight(an_estate(), World()))
    assert len(said) == 4
    assert said["the scheduler of north answers"] == "app, digits runs there"
    assert said[ROOM] == "20 GPUs would be needed, 8 are free and 24 may be freed"
    assert not [text for text in said.values() if text.startswith("!")]


def test_a_site_that_is_too_small_is_found_before_the_other_one_dies() -> None:
    world = World(gpus=24)
    world.sites["south"].stop("notebooks")
    world.sites["south"].gpus = 12
    found = failing(preflight(an_estate(), world))
    assert set(found) == {ROOM}
    assert "12 are free and 0 may be freed" in found[ROOM]


def test_work_that_must_not_be_stopped_gives_no_room() -> None:
    declared = an_estate().model_dump(mode="json", by_alias=True)["workloads"]
    declared["notebooks"]["may_be_stopped"] = False
    estate = an_estate(workloads=declared)
    assert ROOM in failing(preflight(estate, World()))


def test_what_runs_there_already_needs_no_more_room() -> None:
    world = World()
    world.sites["south"].stop("notebooks")
    world.sites["south"].start("digits", token="t", epoch=2, gpus=16, point=None, folder=None)
    world.sites["south"].start("app", token="t", epoch=2, gpus=4, point=None, folder=None)
    assert outcomes(preflight(an_estate(), world))[ROOM].startswith("0 GPUs would be needed")


def test_a_silent_agent_fails_what_is_asked_of_it() -> None:
    world = World()
    world.sites["south"].reachable = False
    assert set(failing(preflight(an_estate(), world))) == {ROOM, "the scheduler of south answers"}


def test_steps_need_their_schedulers_but_not_one_that_may_be_away() -> None:
    estate = an_estate()
    assert set(needs([MakeRoom(site="south", gpus=8)], estate)) == {"scheduler:south", "room:south"}
    assert set(needs([Start(site="south", workload="app", epoch=0)], estate)) == {"scheduler:south"}
    assert set(needs([Drain(site="north", workload="app")], estate)) == {"scheduler:north"}
    stop = Stop(site="north", workload="app")
    assert set(needs([stop], estate)) == {"scheduler:north"}
    assert not set(needs([stop.model_copy(update={"if_reachable": True})], estate))
