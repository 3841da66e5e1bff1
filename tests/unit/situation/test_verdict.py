"""A quorum concludes that a site is lost only when nobody can still see it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.situation import Opinion, SiteSituation, Verdict, conclude

NOW = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def seen(*ups: bool, capability: str = "compute") -> tuple[Opinion, ...]:
    return tuple(
        Opinion(
            observer=f"o{number}",
            site="north",
            capability=capability,
            up=up,
            since=NOW,
            last_up=NOW - timedelta(seconds=number),
            progress={"digits": 100 + number},
        )
        for number, up in enumerate(ups)
    )


@pytest.mark.parametrize(
    ("ups", "observers", "verdict"),
    [
        ((True, True, True), 3, "healthy"),
        ((True, True, False), 3, "healthy"),
        ((True, True), 3, "healthy"),
        ((False, False, False), 3, "lost"),
        ((False, False), 3, "lost"),
        ((False, False, True), 3, "suspect"),
        ((True, False), 3, "suspect"),
        ((False,), 3, "unknown"),
        ((True,), 3, "unknown"),
        ((), 3, "unknown"),
        ((), 0, "unknown"),
        ((False,), 1, "lost"),
        ((True,), 1, "healthy"),
        ((False, False), 4, "unknown"),
        ((False, False, False), 4, "lost"),
        ((True, True, False, False), 4, "suspect"),
        ((False, False, False, False, True), 5, "suspect"),
    ],
)
def test_the_verdict_follows_from_what_a_majority_sees(
    ups: tuple[bool, ...], observers: int, verdict: Verdict
) -> None:
    assert conclude(seen(*ups), observers) == verdict


looks = st.lists(st.booleans(), max_size=9)


@given(looks, st.integers(0, 5))
def test_no_site_is_lost_while_one_observer_sees_it_up(ups: list[bool], silent: int) -> None:
    verdict = conclude(seen(*ups), len(ups) + silent)
    if any(ups):
        assert verdict != "lost"
    if verdict == "lost":
        assert len(ups) > (len(ups) + silent) / 2


@given(looks, st.integers(0, 5))
def test_the_order_of_the_opinions_makes_no_difference(ups: list[bool], silent: int) -> None:
    opinions = seen(*ups)
    assert conclude(opinions, len(ups) + silent) == conclude(reversed(opinions), len(ups) + silent)


@given(looks, st.integers(1, 5))
def test_an_observer_that_saw_it_down_and_falls_silent_never_makes_a_site_lost(
    ups: list[bool], silent: int
) -> None:
    count = len(ups) + silent
    before = conclude(seen(*ups), count)
    if False in ups:
        fewer = list(ups)
        fewer.remove(False)
        if before != "lost":
            assert conclude(seen(*fewer), count) != "lost"


def test_a_silent_observer_counts_among_those_who_were_asked() -> None:
    site = SiteSituation(opinions=seen(False), silent_observers={"o1": "no answer", "o2": "no answer"})
    assert site.verdict() == "unknown"
    assert SiteSituation(opinions=seen(False)).verdict() == "lost"


def test_each_capability_has_a_verdict_of_its_own() -> None:
    site = SiteSituation(opinions=seen(True, True, True) + seen(False, False, False, capability="storage"))
    assert site.verdict("compute") == "healthy"
    assert site.verdict("storage") == "lost"
    assert site.verdict("power") == "unknown"


def test_a_site_is_lost_since_anybody_last_saw_it_up() -> None:
    assert SiteSituation(opinions=seen(False, False, False)).lost_since() == NOW
    assert SiteSituation(opinions=seen(True, True, True)).lost_since() is None
    assert SiteSituation().lost_since() is None


def test_the_last_step_is_the_furthest_that_anybody_heard_of() -> None:
    site = SiteSituation(opinions=seen(False, False, False))
    assert site.last_step("digits") == 102
    assert site.last_step("other") is None
