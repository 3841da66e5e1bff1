"""What a name answers, worked out and refused before an engine starts."""

from __future__ import annotations

from typing import Any

import pytest

from relight.errors import UsageError
from relight.topology.outside.answers import Name, names_of
from rig.linked import RECORD, a_linked_estate

TARGETS = {"north": "192.0.2.1", "south": "192.0.2.2"}


def the_name(record: dict[str, Any], **changes: Any) -> Name:
    traffic = {"kind": "route53", "zone": "example.net.", "records": {"chat": RECORD | record}}
    estate = a_linked_estate(traffic=traffic, **changes)
    assert estate.traffic
    (name,) = names_of(estate, estate.traffic)
    return name


def test_failover_begins_where_the_workload_runs() -> None:
    chat = {"kind": "inference", "runs_on": "south"}
    assert [answer.site for answer in the_name({}).answers] == ["north", "south"]
    assert [answer.site for answer in the_name({}, workloads={"chat": chat}).answers] == ["south", "north"]


def test_failover_climbs_the_whole_ladder() -> None:
    ladder = {"kind": "cloud-burst", "primary": "north", "ladder": ["south", "east"]}
    name = the_name({"targets": {"east": "192.0.2.3", **TARGETS}}, topology=ladder)
    assert [answer.site for answer in name.answers] == ["north", "south", "east"]


def test_weights_are_those_of_an_active_active_estate() -> None:
    topology = {"kind": "active-active", "sites": ["north", "south"], "weights": {"south": 30}}
    answers = the_name({"policy": "weighted"}, topology=topology).answers
    assert {answer.site: answer.weight for answer in answers} == {"north": 100, "south": 30}


def test_elsewhere_everything_goes_to_the_working_site() -> None:
    answers = the_name({"policy": "weighted"}).answers
    assert {answer.site: answer.weight for answer in answers} == {"north": 100, "south": 0}


def test_latency_is_measured_to_the_sites_regions() -> None:
    answers = the_name({"policy": "latency"}).answers
    assert [answer.region for answer in answers] == ["eu-north-1", "eu-south-1"]


def test_addresses_make_an_a_record_and_host_names_an_alias() -> None:
    hosts = {"north": "a.example.org.", "south": "b.example.org"}
    assert the_name({}).type == "A"
    name = the_name({"targets": hosts})
    assert (name.type, [answer.target for answer in name.answers]) == (
        "CNAME",
        ["a.example.org", "b.example.org"],
    )


@pytest.mark.parametrize(
    ("record", "seconds"),
    [({}, 15), ({"ttl": "20s"}, 20)],
    ids=["derived from the RTO of 15 min", "declared"],
)
def test_the_ttl_is_the_declared_one_or_follows_the_objective(record: dict[str, Any], seconds: int) -> None:
    assert the_name(record).ttl_seconds == seconds


@pytest.mark.parametrize(
    ("record", "says"),
    [
        (
            {"name": "example.net.", "targets": {"north": "a.example.org", "south": "b.example.org"}},
            "the zone itself",
        ),
        ({"targets": {"north": "192.0.2.1", "south": "b.example.org"}}, "some targets are addresses"),
        (
            {"targets": {"north": "10.0.0.1", "south": "192.0.2.2"}},
            "10.0.0.1 is not reached from the internet",
        ),
        ({"name": "chat.example.org."}, "is not in example.net."),
        ({"serves": "nobody"}, 'no workload "nobody"'),
        ({"targets": {"north": "192.0.2.1"}}, "the site south has no address"),
        ({"targets": TARGETS | {"east": "192.0.2.3"}}, "work never goes to east"),
        ({"targets": TARGETS | {"moon": "192.0.2.3"}}, 'no site "moon"'),
        ({"policy": "latency", "targets": {"east": "192.0.2.3"}}, "regions of AWS, and east is in none"),
    ],
)
def test_what_cannot_be_answered_is_refused(record: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        the_name(record)


def test_host_names_cannot_climb_a_ladder_of_three() -> None:
    ladder = {"kind": "cloud-burst", "primary": "north", "ladder": ["south", "east"]}
    hosts = {site: f"{site}.example.org" for site in ("north", "south", "east")}
    with pytest.raises(UsageError, match="no alias leads to"):
        the_name({"targets": hosts}, topology=ladder)


def test_every_fault_is_told_at_once_with_its_place() -> None:
    with pytest.raises(UsageError) as raised:
        the_name({"name": "chat.example.org.", "targets": {"north": "127.0.0.1", "south": "x.example.org"}})
    assert [reason.path for reason in raised.value.reasons] == [
        "traffic.records.chat.name",
        "traffic.records.chat.targets",
        "traffic.records.chat.targets.north",
    ]
