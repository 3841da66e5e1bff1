"""Whether a site on premises has a stack, and what makes one impossible."""

from __future__ import annotations

from typing import Any

import pytest

from relight.errors import UsageError
from relight.estate import Estate
from relight.topology.billing import billing_of
from relight.topology.frame import Frame, SiteArgs
from relight.topology.metal import Site
from relight.topology.policy import violations
from rig.premises import GATEWAY, GOOGLE, an_estate_on_premises, on_google, the_graph

WITH_KEY = GATEWAY | {"preshared_key": "env:OOB_KEY"}


@pytest.mark.parametrize("estate", [an_estate_on_premises(), on_google()], ids=["aws", "gcp"])
def test_no_pool_is_sized_and_one_provider_makes_everything(estate: Estate) -> None:
    graph = the_graph(estate)
    assert graph.outputs["pools"] == {}
    made = [each for each in graph.resources if each.type.startswith(("aws:", "gcp:"))]
    assert len({each.provider for each in made}) == 1
    assert all(each.provider for each in made)


@pytest.mark.parametrize("estate", [an_estate_on_premises(), on_google()], ids=["aws", "gcp"])
def test_every_rule_is_kept_and_only_the_way_in_costs_by_the_hour(estate: Estate) -> None:
    graph = the_graph(estate)
    assert violations(graph, estate, "north") == ()
    billed = [
        billing_of(each.type, each.inputs) for each in graph.resources if each.type[:4] in ("aws:", "gcp:")
    ]
    assert None not in billed
    hourly = {row.note for row in billed if row and row.asleep and row.way == "by the hour"}
    assert all("key" in note or "connection" in note or "tunnel" in note for note in hourly)


def test_a_site_for_which_no_cloud_holds_anything_has_no_stack() -> None:
    with pytest.raises(UsageError, match="has no stack"):
        the_graph(an_estate_on_premises(None))


def test_a_site_of_another_kind_is_refused() -> None:
    with pytest.raises(UsageError, match="no site of own nodes"):
        Site("south", SiteArgs(Frame(an_estate_on_premises(), "south"), {}))


def test_an_out_of_band_network_without_a_router_is_refused() -> None:
    with pytest.raises(UsageError, match=r"nothing leads to 10\.99\.0\.0/24"):
        the_graph(an_estate_on_premises(gateway=None))


@pytest.mark.parametrize("site", [{"networks": ["100.64.0.0/16"]}, {"out_of_band": "100.64.0.16/28"}])
def test_a_site_that_uses_the_access_network_inside_is_refused(site: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="overlaps"):
        the_graph(an_estate_on_premises(**site))


def test_tunnels_of_google_cloud_need_a_key() -> None:
    with pytest.raises(UsageError, match="have no key"):
        the_graph(an_estate_on_premises(GOOGLE))


@pytest.mark.parametrize("key", ["short", "0begins.with.nought", "has spaces in it", "x" * 65])
def test_a_key_that_aws_would_not_take_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(UsageError, match="does not take the key behind env:OOB_KEY") as refused:
        the_graph(an_estate_on_premises(gateway=WITH_KEY), key)
    assert key not in str(refused.value)
