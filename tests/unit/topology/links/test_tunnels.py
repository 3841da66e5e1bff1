"""Counting tunnels, and planning the addresses inside them."""

from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.errors import UsageError
from relight.topology.links.tunnels import MOST_TUNNELS, TUNNEL_BYTES_PER_SECOND, insides, tunnels_for

_RATES = st.integers(min_value=1, max_value=MOST_TUNNELS // 2 * TUNNEL_BYTES_PER_SECOND)
_GROUPS = st.sampled_from([2, 4])
_NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,8}", fullmatch=True), unique=True, min_size=1, max_size=30)
_RESERVED_BY_AWS = [IPv4Network(f"169.254.{n}.0/30") for n in range(6)] + [IPv4Network("169.254.169.252/30")]


@given(_RATES, _GROUPS)
def test_half_of_the_tunnels_carry_the_rate(rate: int, group: int) -> None:
    assert tunnels_for(rate, group) // 2 * TUNNEL_BYTES_PER_SECOND >= rate


@given(_RATES, _GROUPS)
def test_one_group_fewer_would_not_carry_it(rate: int, group: int) -> None:
    fewer = tunnels_for(rate, group) - group
    assert fewer == 0 or fewer / 2 * TUNNEL_BYTES_PER_SECOND < rate


@given(_RATES, _GROUPS)
def test_tunnels_come_in_whole_groups(rate: int, group: int) -> None:
    assert tunnels_for(rate, group) % group == 0


@given(_RATES, _RATES)
def test_more_bandwidth_never_means_fewer_tunnels(one: int, other: int) -> None:
    assert tunnels_for(min(one, other)) <= tunnels_for(max(one, other))


def test_more_than_the_cloud_allows_is_refused_with_what_to_write() -> None:
    with pytest.raises(UsageError, match=r"32 Gbit/s need 52 tunnels.*write 30Gbit/s or less"):
        tunnels_for(32 * 125_000_000)


@given(_NAMES, st.integers(min_value=1, max_value=MOST_TUNNELS))
def test_no_two_tunnels_of_an_estate_share_addresses(names: list[str], count: int) -> None:
    cidrs = [inside.cidr for name in names for inside in insides(name, names, count)]
    assert len(set(cidrs)) == len(names) * count


@given(_NAMES)
def test_no_address_is_one_that_a_cloud_keeps_for_itself(names: list[str]) -> None:
    planned = [IPv4Network(inside.cidr) for name in names for inside in insides(name, names, MOST_TUNNELS)]
    assert not any(cidr.overlaps(reserved) for cidr in planned for reserved in _RESERVED_BY_AWS)
    assert all(cidr.subnet_of(IPv4Network("169.254.0.0/16")) for cidr in planned)


@given(_NAMES, st.integers(min_value=0, max_value=29))
def test_a_link_that_is_declared_later_moves_no_earlier_one(names: list[str], at: int) -> None:
    some = names[: at % len(names) + 1]
    assert [insides(name, some, 4) for name in some] == [insides(name, names, 4) for name in some]


def test_either_end_has_its_own_address() -> None:
    (inside,) = insides("a", ["a"], 1)
    assert [str(host) for host in IPv4Network(inside.cidr).hosts()] == [inside.first, inside.second]
