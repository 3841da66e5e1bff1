"""Situations that nobody has seen: what the observers, stores and names would say."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from relight.app import CATALOGUE
from relight.control import (
    Project,
    Supposing,
    Supposition,
    described,
    make_plan,
    read_supposition,
    suppose,
    suppositions,
)
from relight.errors import UsageError
from relight.plan import Plan, Runbook, RunbookInput, as_runbook_page
from relight.situation import Known, Unknown
from rig.estates import NOW, an_estate

REPOSITORY = Path(__file__).parents[3]


def test_a_supposed_loss_is_seen_by_every_observer_and_nothing_of_the_site_answers() -> None:
    estate = an_estate()
    situation = suppose(estate, NOW, "north")
    assert situation.sites["north"].verdict() == "lost"
    assert situation.sites["north"].lost_since() == NOW
    assert situation.sites["south"].verdict() == "healthy"
    assert isinstance(situation.sites["north"].free_gpus, Unknown)
    assert isinstance(situation.workloads["digits"].points["north"], Unknown)
    assert len(situation.workloads["digits"].points_in("south")) == 2
    assert isinstance(situation.dns["app"].addresses["north"], Unknown)
    assert situation.dns["app"].addresses["south"] == Known(value="127.0.1.1")


def test_observers_that_stand_in_the_lost_site_are_silent_and_may_be_too_many() -> None:
    observers = {
        name: {"url": "http://127.0.0.1:7100", "site": site}
        for name, site in (("a", "north"), ("b", "north"), ("c", "south"))
    }
    estate = an_estate(observers=observers)
    situation = suppose(estate, NOW, "north")
    assert set(situation.sites["north"].silent_observers) == {"a", "b"}
    assert situation.sites["north"].verdict() == "unknown", "one of three is no majority"


def test_the_newest_supposed_point_is_one_checkpoint_old_and_as_large_as_is_said() -> None:
    points = suppose(an_estate(), NOW, "north", point_size=7).workloads["digits"].points_in("south")
    assert [NOW - point.sealed_at for point in points] == [timedelta(minutes=1), timedelta(seconds=30)]
    assert {point.size for point in points} == {7}


def test_work_that_is_away_runs_at_the_other_site_and_its_names_point_there() -> None:
    estate = an_estate()
    situation = suppose(estate, NOW, away="north")
    assert situation.active_site(estate, "digits") == "south"
    assert situation.sites["south"].running == Known(value=("app", "digits"))
    assert situation.sites["north"].free_gpus == Known(value=32)
    assert situation.dns["app"].addresses["north"] == Known(value="127.0.1.2")


def test_the_same_arguments_give_the_same_situation() -> None:
    estate = an_estate()
    for supposed in suppositions(estate):
        first, again = (suppose(estate, NOW, supposed.lost, away=supposed.away) for _ in range(2))
        assert first == again
        assert type(first).model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(
    ("text", "supposed"),
    [
        ("quiet", Supposition()),
        ("lost:north", Supposition(lost="north")),
        ("away:south", Supposition(away="south")),
    ],
)
def test_what_is_supposed_can_be_said(text: str, supposed: Supposition) -> None:
    assert read_supposition(text, an_estate()) == supposed


@pytest.mark.parametrize("text", ["", "lost", "lost:", "lost:west", "gone:north", "quiet:north"])
def test_what_cannot_be_supposed_is_refused_with_what_can(text: str) -> None:
    with pytest.raises(UsageError, match="nothing that can be supposed") as caught:
        read_supposition(text, an_estate())
    assert "lost:north" in caught.value.remedy


# Describing a runbook


def page(name: str, how: Supposing | None = None, **inputs: str) -> str:
    loaded = Project(REPOSITORY).runbook(name)
    return as_runbook_page(described(loaded, an_estate(), inputs, CATALOGUE, how or Supposing(NOW)))


@pytest.mark.parametrize(
    ("name", "inputs", "supposed"),
    [
        ("site-failover", {}, "- north is lost, and everything else is well."),
        ("site-failover", {"site": "south"}, "- south is lost while the work of north runs at the other"),
        ("site-failback", {}, "- the work of north runs at the other site, and everything is well."),
    ],
)
def test_a_runbook_is_described_in_the_situation_that_it_is_for(
    name: str, inputs: dict[str, str], supposed: str
) -> None:
    made = page(name, None, **inputs)
    assert supposed in made
    assert "| block |" not in made


def test_the_page_of_a_failover_names_the_two_people_of_a_doubtful_loss() -> None:
    assert "| 2 people | override:site-healthy:north | all work is where it belongs" in page("site-failover")


def test_the_page_stays_the_same_until_something_changes() -> None:
    later = Supposing(NOW + timedelta(days=400, seconds=1.5))
    for name in ("site-failover", "site-failback"):
        assert page(name) == page(name, later)
    assert page("site-failover") != page("site-failover", Supposing(NOW, point_size=10**9))


def test_a_point_of_a_size_makes_the_times_longer_and_says_so() -> None:
    made = page("site-failover", Supposing(NOW, point_size=36 * 10**9))
    assert "override:rto-missed:digits" in made
    assert "A point has " in made
    assert "the times are too short" in page("site-failover")


def test_the_page_names_the_command_that_makes_it() -> None:
    how = Supposing(NOW, Supposition(lost="north"), 2**30)
    wanted = "relight runbook doc site-failover -i site=north --point-size 1GiB --suppose lost:north"
    assert wanted in page("site-failover", how, site="north")


def test_a_runbook_that_breaks_in_some_situations_is_described_in_the_others() -> None:
    loaded = Project(REPOSITORY).runbook("site-failover")
    build = loaded.runbook.build

    def picky(estate: object, situation: object, inputs: object) -> Plan:
        if situation.sites["north"].verdict() == "healthy":  # type: ignore[attr-defined]
            raise KeyError("north")
        return build(estate, situation, inputs)  # type: ignore[arg-type]

    runbook = Runbook(name="site-failover", summary="s", build=picky, inputs=loaded.runbook.inputs)
    found = described(
        type(loaded)(runbook, loaded.path, loaded.source), an_estate(), {}, CATALOGUE, Supposing(NOW)
    )
    assert found.supposed[0].startswith("north is lost")


def test_an_input_without_choices_must_be_given() -> None:
    loaded = Project(REPOSITORY).runbook("site-failover")
    runbook = Runbook(
        name="x", summary="s", build=loaded.runbook.build, inputs={"node": RunbookInput("which")}
    )
    with pytest.raises(UsageError, match="inputs of x"):
        described(
            type(loaded)(runbook, loaded.path, loaded.source), an_estate(), {}, CATALOGUE, Supposing(NOW)
        )


def test_the_supposed_plan_is_the_one_that_would_be_made() -> None:
    estate = an_estate()
    loaded = Project(REPOSITORY).runbook("site-failover")
    made = make_plan(loaded, estate, suppose(estate, NOW, "north"), {"site": "north"}, CATALOGUE)
    assert described(loaded, estate, {"site": "north"}, CATALOGUE, Supposing(NOW)).plan == made
