"""A program never lowers a pool of an active site below what was decided for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relight.errors import Refused, UsageError
from relight.estate import AwsSite, Estate, load_estate
from relight.situation import Intent
from relight.topology import full_sizes, quiet_sizes, sizes_of
from relight.topology.sizing import read_sizes
from rig.files import EXAMPLES

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ESTATES = {path.stem: load_estate(path) for path in EXAMPLES}
BURST, PAIR = ESTATES["cloud-burst"], ESTATES["active-passive"]


def decided(
    pools: dict[str, dict[str, int]],
    *,
    active: bool = True,
    site: str = "oregon",
    quiet: tuple[str, ...] = (),
) -> Intent:
    return Intent(
        site=site,
        epoch=3,
        active=active,
        pools=pools,
        quiet=quiet,
        changed_by="run-1/grow",
        changed_at=NOW,
    )


def smaller(estate: Estate, site: str, pool: str, nodes: int) -> Estate:
    """The estate of an old checkout, in which a pool's first rung gave less."""
    declared = estate.sites[site]
    assert isinstance(declared, AwsSite)
    rungs = (
        declared.pools[pool].rungs[0].model_copy(update={"nodes": nodes}),
        *declared.pools[pool].rungs[1:],
    )
    pools = {**declared.pools, pool: declared.pools[pool].model_copy(update={"rungs": rungs, "nodes": nodes})}
    return estate.model_copy(
        update={"sites": {**estate.sites, site: declared.model_copy(update={"pools": pools})}}
    )


def test_in_quiet_times_a_fifth_of_the_standby_runs_and_in_an_incident_all_of_it() -> None:
    assert quiet_sizes(PAIR, "oregon", NOW) == {"train": {"reservation": 2}, "serve": {"reservation": 1}}
    assert full_sizes(PAIR, "oregon", NOW) == {"train": {"reservation": 10}, "serve": {"reservation": 4}}
    assert quiet_sizes(PAIR, "ohio", NOW) == {"train": {"reservation": 10}, "serve": {"reservation": 4}}


def test_active_sites_hold_their_share_and_a_half() -> None:
    estate = ESTATES["active-active"]
    assert all(quiet_sizes(estate, site, NOW) == {"serve": {"reservation": 9}} for site in estate.sites)


def test_a_burst_climbs_the_rungs_and_a_block_out_of_its_dates_gives_nothing() -> None:
    assert full_sizes(BURST, "ohio", NOW) == {"train": {"capacity-block": 8, "on-demand": 2, "spot": 0}}
    later = datetime(2027, 3, 1, tzinfo=UTC)
    assert full_sizes(BURST, "ohio", later) == {"train": {"capacity-block": 0, "on-demand": 10, "spot": 0}}
    assert quiet_sizes(BURST, "ohio", NOW) == {"train": {"capacity-block": 0, "on-demand": 0, "spot": 0}}


def test_what_was_decided_stands_above_quiet_sizes_and_above_the_config() -> None:
    intent = decided({"train": {"reservation": 10}})
    sizes = sizes_of(PAIR, "oregon", intent, NOW, {"train": 1, "serve": 2})
    assert sizes == {"train": {"reservation": 10}, "serve": {"reservation": 2}}


def test_the_config_of_a_stack_holds_quiet_sizes() -> None:
    assert sizes_of(PAIR, "oregon", None, NOW, {"train": 4})["train"] == {"reservation": 4}


@pytest.mark.parametrize(("pools", "said"), [({"train": 11}, "10 at most"), ({"tran": 1}, "pool tran")])
def test_a_config_that_no_pool_can_follow_is_refused(pools: dict[str, int], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        sizes_of(PAIR, "oregon", None, NOW, pools)
    assert said in str(caught.value)
    assert "Pulumi.oregon.yaml" in str(caught.value)


@pytest.mark.parametrize("pools", [2, [1], "train", {"train": "two"}, {"train": True}, {"train": 1.5}])
def test_a_config_that_is_no_table_of_sizes_is_told_as_such(pools: object) -> None:
    with pytest.raises(UsageError, match=r"relight:pools .*write it as \{train: 2, serve: 1\}"):
        read_sizes(pools)


def test_an_old_checkout_shrinks_nothing_and_says_why() -> None:
    old = smaller(PAIR, "oregon", "train", 4)
    with pytest.raises(Refused) as caught:
        sizes_of(old, "oregon", decided({"train": {"reservation": 10}, "bench": {"spot": 2}}), NOW)
    said = str(caught.value)
    assert "pool train has 10 nodes of reservation; the estate allows 4" in said
    assert "pool bench has 2 nodes, and is not declared" in said
    assert "epoch 3" in said


def test_a_standby_that_somebody_made_larger_is_not_shrunk_by_an_old_checkout_either() -> None:
    old = smaller(PAIR, "oregon", "train", 4)
    with pytest.raises(Refused):
        sizes_of(old, "oregon", decided({"train": {"reservation": 10}}, active=False), NOW)


@pytest.mark.parametrize("was", [{"reservation": 1}, {"reservation": 5}, {"renamed": 2}])
def test_a_standby_that_was_set_back_follows_the_estate(was: dict[str, int]) -> None:
    back = decided({"train": was, "removed": {"spot": 1}}, active=False, quiet=("train", "removed"))
    assert sizes_of(PAIR, "oregon", back, NOW)["train"] == {"reservation": 2}


def test_a_standby_that_somebody_set_to_nothing_stays_so() -> None:
    nothing = decided({"train": {"reservation": 0}}, active=False)
    assert sizes_of(PAIR, "oregon", nothing, NOW)["train"] == {"reservation": 0}


def test_what_always_works_follows_the_estate_upwards_only() -> None:
    home = decided({"train": {"reservation": 8}}, quiet=("train",), site="ohio")
    assert sizes_of(PAIR, "ohio", home, NOW)["train"] == {"reservation": 10}
    with pytest.raises(Refused):
        sizes_of(smaller(PAIR, "ohio", "train", 6), "ohio", home, NOW)


@given(
    st.integers(1, 20),
    st.dictionaries(st.sampled_from(["reservation", "spot", "gone"]), st.integers(0, 20)),
    st.booleans(),
)
def test_an_active_pool_is_given_what_was_decided_or_nothing_is_done(
    room: int, sizes: dict[str, int], active: bool
) -> None:
    estate = smaller(PAIR, "oregon", "train", room)
    try:
        given_now = sizes_of(estate, "oregon", decided({"train": sizes}, active=active), NOW)["train"]
    except Refused:
        assert sizes != {"reservation": min(room, sizes.get("reservation", 0))}
    else:
        assert sum(given_now.values()) == sum(sizes.values())
        assert all(0 <= nodes <= room for nodes in given_now.values())
