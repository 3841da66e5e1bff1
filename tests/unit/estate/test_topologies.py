"""What the topologies mean, in numbers."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from relight.estate import ActiveActive, ActivePassive, CloudBurst, PilotLight, ttl_of

NODES = st.integers(1, 10_000)
SITES = ("a", "b", "c", "d", "e", "f")


def active_active(n: int) -> ActiveActive:
    return ActiveActive(kind="active-active", sites=SITES[:n])


@given(NODES, st.integers(2, 6))
def test_of_active_sites_one_may_die_and_the_others_hold_all_the_work(nodes: int, n: int) -> None:
    topology = active_active(n)
    held = topology.quiet_nodes("a", nodes)
    assert held * (n - 1) >= nodes * n
    assert (held - 1) * (n - 1) < nodes * n  # and not a node more than that


@given(NODES, st.floats(0.01, 1))
def test_a_standby_runs_its_share_rounded_up_and_its_primary_everything(nodes: int, share: float) -> None:
    topology = ActivePassive(kind="active-passive", primary="a", standby="b", standby_share=share)
    assert topology.quiet_nodes("a", nodes) == topology.full_nodes("b", nodes) == nodes
    assert 1 <= topology.quiet_nodes("b", nodes) <= nodes
    assert topology.quiet_nodes("b", nodes) >= nodes * share - 1e-6


def test_twenty_percent_and_thirty_minutes_are_what_active_passive_means_if_nobody_says_otherwise() -> None:
    topology = ActivePassive(kind="active-passive", primary="a", standby="b")
    assert topology.quiet_nodes("b", 10) == 2
    assert topology.full_within == timedelta(minutes=30)


def test_a_pilot_light_has_no_nodes_and_two_hours() -> None:
    topology = PilotLight(kind="pilot-light", primary="a", standby="b")
    assert (topology.quiet_nodes("a", 10), topology.quiet_nodes("b", 10)) == (10, 0)
    assert topology.full_within == timedelta(hours=2)


def test_a_burst_climbs_its_ladder_and_promises_no_time() -> None:
    topology = CloudBurst(kind="cloud-burst", primary="hall", ladder=("a", "b"))
    assert topology.members == ("hall", "a", "b")
    assert topology.successor("hall") == "a"
    assert topology.successor("b") == "hall"
    assert topology.full_within is None
    assert [topology.quiet_nodes(site, 10) for site in topology.members] == [10, 0, 0]


@given(st.integers(2, 6))
def test_work_that_runs_at_one_site_goes_around_the_circle(n: int) -> None:
    topology = active_active(n)
    site, seen = "a", []
    for _ in range(n):
        site = topology.successor(site)
        seen.append(site)
    assert set(seen) == set(topology.sites)
    assert site == "a"


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=2)))
def test_the_ttl_is_a_small_part_of_the_rto_and_within_what_resolvers_obey(rto: timedelta) -> None:
    ttl = ttl_of(rto)
    assert timedelta(seconds=10) <= ttl <= timedelta(seconds=60)
    assert ttl <= max(rto / 60, timedelta(seconds=10))
