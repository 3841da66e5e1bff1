"""RPO as it stands: from points that would outlive the site, and from nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from relight.control import Exposure, exposures
from relight.situation import Known, PointSummary, SiteSituation, Situation, Unknown, WorkloadSituation
from rig.estates import LOST_AT, NOW, a_point, a_situation, an_estate, opinions

Points = Known[tuple[PointSummary, ...]] | Unknown
ESTATE = an_estate()


def exposed(situation: Situation) -> Exposure:
    (exposure,) = exposures(ESTATE, situation)
    return exposure


def with_points(**points: Points) -> Situation:
    digits = a_situation(ESTATE).workloads["digits"]
    return a_situation(
        ESTATE, workloads={"digits": WorkloadSituation(authority=digits.authority, points=points)}
    )


def test_a_lost_site_is_counted_from_when_it_was_last_seen_up() -> None:
    exposure = exposed(a_situation(ESTATE))
    assert exposure.counted_to == LOST_AT
    assert exposure.store == "south"
    assert exposure.age == timedelta(seconds=10)
    assert exposure.steps == 10  # 130 as it was last seen, less 120
    assert exposure.gpu_hours == pytest.approx(16 * 10 / 3600)
    assert exposure.is_met


def test_a_healthy_site_is_counted_to_now() -> None:
    up = SiteSituation(opinions=opinions("north", (True, True, True)))
    situation = a_situation(ESTATE)
    exposure = exposed(situation.model_copy(update={"sites": situation.sites | {"north": up}}))
    assert exposure.counted_to == NOW
    assert exposure.age == timedelta(seconds=30)


def test_points_that_die_with_the_site_save_nobody() -> None:
    exposure = exposed(
        with_points(north=Known(value=(a_point(130, age=0),)), south=Known(value=(a_point(60, age=400),)))
    )
    assert exposure.point is not None
    assert exposure.point.step == 60
    assert not exposure.is_met


def test_a_newer_epoch_counts_before_more_steps() -> None:
    points = (a_point(200, epoch=1, age=50), a_point(100, epoch=2, age=5))
    exposure = exposed(with_points(north=Unknown(reason="x"), south=Known(value=points)))
    assert exposure.point == points[1]


@pytest.mark.parametrize(
    ("south", "reason"),
    [
        (Unknown(reason="connection refused"), "south: connection refused"),
        (Known(value=()), "no point in south"),
    ],
)
def test_what_cannot_be_seen_is_no_point(south: Points, reason: str) -> None:
    exposure = exposed(with_points(north=Known(value=(a_point(130),)), south=south))
    assert exposure.age is None
    assert not exposure.is_met
    assert exposure.reason == reason
