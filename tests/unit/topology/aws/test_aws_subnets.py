"""How the network of a site is cut: nothing overlaps, nothing is outside, and nothing moves later."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.errors import UsageError
from relight.topology.aws.subnets import plan_subnets

ZONES = tuple(f"us-east-1{letter}" for letter in "abcdef")
networks = st.builds(
    lambda prefix, where: str(IPv4Network(((10 << 24) + (where << (32 - prefix)) % (1 << 24), prefix))),
    st.integers(16, 20),
    st.integers(0, 15),
)


@given(networks, st.integers(1, 6))
def test_subnets_are_inside_the_network_and_overlap_nowhere(cidr: str, count: int) -> None:
    plan = plan_subnets(cidr, ZONES[:count])
    parts = [IPv4Network(each) for subnet in plan for each in (subnet.private, subnet.public)]
    assert all(part.subnet_of(IPv4Network(cidr)) for part in parts)
    assert not any(one.overlaps(other) for one, other in combinations(parts, 2))


@given(networks, st.integers(1, 6))
def test_each_zone_has_its_subnets_in_order_and_of_one_size(cidr: str, count: int) -> None:
    plan = plan_subnets(cidr, ZONES[:count])
    assert tuple(subnet.zone for subnet in plan) == ZONES[:count]
    assert len({subnet.room for subnet in plan}) == 1
    assert all(16 <= IPv4Network(subnet.public).prefixlen <= 28 for subnet in plan)  # as VPC allows


@given(networks, st.integers(1, 5))
def test_a_zone_that_is_appended_moves_no_other(cidr: str, count: int) -> None:
    assert plan_subnets(cidr, ZONES[: count + 1])[:count] == plan_subnets(cidr, ZONES[:count])


@given(networks)
def test_private_subnets_have_most_of_the_room(cidr: str) -> None:
    (subnet,) = plan_subnets(cidr, ZONES[:1])
    assert subnet.room == IPv4Network(cidr).num_addresses // 8 - 5


@pytest.mark.parametrize(
    ("cidr", "zones"),
    [
        ("10.0.0.0/15", ZONES[:2]),
        ("10.0.0.0/21", ZONES[:2]),
        ("10.0.0.0/16", ()),
        ("10.0.0.0/16", (*ZONES, "us-east-1g")),
        ("10.0.0.0/16", (ZONES[0], ZONES[0])),
    ],
)
def test_a_network_that_no_site_may_have_is_refused(cidr: str, zones: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        plan_subnets(cidr, zones)
