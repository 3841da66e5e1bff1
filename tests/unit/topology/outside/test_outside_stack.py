"""What the global stack declares, as a graph."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest

from relight.errors import UsageError
from relight.topology.frame import Frame
from relight.topology.graph import Graph, run_under_mocks
from relight.topology.outside import Outside, OutsideArgs
from relight.topology.policy import violations
from rig.linked import GOOGLE_OUTSIDE, RECORD, SITES, WITNESS, a_linked_estate, google_site

RECORD_SET = "aws:route53/record:Record"
CHECK = "aws:route53/healthCheck:HealthCheck"
RULE = "aws:route53recoverycontrol/safetyRule:SafetyRule"
GOOGLE_RECORD = "gcp:dns/recordSet:RecordSet"
ROUTE53 = {"kind": "route53", "zone": "example.net.", "records": {"chat": RECORD}}
CLOUD_DNS = ROUTE53 | {"kind": "cloud-dns"}
GOOGLE: dict[str, Any] = {
    "stacks": {"backend": "gs://state-of-rig", "owner": "ops", "outside": GOOGLE_OUTSIDE},
    "stores": {
        "points": {"kind": "s3", "bucket": "points-of-north", "region": "eu-north-1", "site": "north"},
        "witness": {"kind": "gcs", "bucket": "witness-of-rig", "location": "europe-north1", "managed": {}},
    },
}
ACTIVE = {"kind": "active-active", "sites": ["north", "south"]}


def graph_of(**changes: Any) -> Graph:
    estate = a_linked_estate(**changes)

    def program() -> None:
        for name, value in Outside("global", OutsideArgs(Frame(estate, "global"))).outputs.items():
            pulumi.export(name, value)

    graph = run_under_mocks(program, stack="global")
    assert violations(graph, estate, "global") == ()
    return graph


def traffic(record: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return ROUTE53 | {"records": {"chat": RECORD | (record or {})}} | more


def test_the_witness_is_made_even_where_no_name_is() -> None:
    graph = graph_of()
    assert graph.one("aws:s3/bucket:Bucket").inputs["bucket"] == "witness-of-rig"
    assert graph.outputs["stores"] == {"witness": "witness-of-rig"}
    assert graph.one("pulumi:providers:aws").inputs["region"] == "eu-west-1"


def test_a_store_of_a_site_is_left_to_that_site() -> None:
    points = {
        "kind": "s3",
        "bucket": "points-of-north",
        "region": "eu-north-1",
        "site": "north",
        "managed": {},
    }
    graph = graph_of(stores={"points": points, "witness": WITNESS})
    assert [bucket.inputs["bucket"] for bucket in graph.of("aws:s3/bucket:Bucket")] == ["witness-of-rig"]


def test_the_first_site_answers_until_its_check_fails() -> None:
    graph = graph_of(traffic=traffic())
    roles = {
        record.inputs["records"][0]: record.inputs["failoverRoutingPolicies"][0]["type"]
        for record in graph.of(RECORD_SET)
    }
    assert roles == {"192.0.2.1": "PRIMARY", "192.0.2.2": "SECONDARY"}
    assert all(
        record.inputs["healthCheckId"] and record.inputs["ttl"] == 15 for record in graph.of(RECORD_SET)
    )


def test_checks_ask_each_site_by_the_name_that_clients_use() -> None:
    health = {"path": "/ready", "interval_seconds": 30, "failures": 2}
    checks = graph_of(traffic=traffic({"health": health})).of(CHECK)
    assert {check.inputs["ipAddress"] for check in checks} == {"192.0.2.1", "192.0.2.2"}
    for check in checks:
        assert check.inputs["type"] == "HTTPS"
        assert check.inputs["enableSni"] is True
        assert check.inputs["fqdn"] == "chat.example.net"
        assert (check.inputs["resourcePath"], check.inputs["requestInterval"]) == ("/ready", 30)
        assert check.inputs["failureThreshold"] == 2


def test_no_checker_stands_in_the_region_of_a_site() -> None:
    sites = {"north": {**SITES["north"], "region": "us-west-2", "zones": ["us-west-2a", "us-west-2b"]}}
    checks = graph_of(traffic=traffic(), sites=sites).of(CHECK)
    assert all("us-west-2" not in check.inputs["regions"] for check in checks)
    assert all(len(check.inputs["regions"]) >= 3 for check in checks)


def test_a_ladder_is_a_chain_of_failovers() -> None:
    targets = {"north": "192.0.2.1", "south": "192.0.2.2", "east": "192.0.2.3"}
    ladder = {"kind": "cloud-burst", "primary": "north", "ladder": ["south", "east"]}
    graph = graph_of(traffic=traffic({"targets": targets}), topology=ladder)
    chain = {
        (r.inputs["name"], r.inputs["failoverRoutingPolicies"][0]["type"]): r.inputs.get("records")
        or r.inputs["aliases"][0]["name"]
        for r in graph.of(RECORD_SET)
    }
    assert chain == {
        ("chat.example.net", "PRIMARY"): ["192.0.2.1"],
        ("chat.example.net", "SECONDARY"): "_after-1.chat.example.net",
        ("_after-1.chat.example.net", "PRIMARY"): ["192.0.2.2"],
        ("_after-1.chat.example.net", "SECONDARY"): ["192.0.2.3"],
    }


def test_weights_and_regions_reach_the_records() -> None:
    weighted = graph_of(traffic=traffic({"policy": "weighted"}), topology=ACTIVE)
    assert [r.inputs["weightedRoutingPolicies"] for r in weighted.of(RECORD_SET)] == [[{"weight": 100}]] * 2
    nearest = graph_of(traffic=traffic({"policy": "latency"}))
    assert [r.inputs["latencyRoutingPolicies"][0]["region"] for r in nearest.of(RECORD_SET)] == [
        "eu-north-1",
        "eu-south-1",
    ]


def test_an_adopted_zone_is_used_and_not_made() -> None:
    graph = graph_of(traffic=traffic(adopt="Z0123456789ABCDEFGHIJ"))
    assert graph.of("aws:route53/zone:Zone") == ()
    assert {r.inputs["zoneId"] for r in graph.of(RECORD_SET)} == {"Z0123456789ABCDEFGHIJ"}


def test_routing_controls_decide_in_place_of_the_checks() -> None:
    graph = graph_of(traffic=traffic(routing_controls=True))
    switches = [check for check in graph.of(CHECK) if check.inputs["type"] == "RECOVERY_CONTROL"]
    assert {check.name for check in switches} == {
        "names-recovery-north-switch",
        "names-recovery-south-switch",
    }
    assert {r.inputs["healthCheckId"] for r in graph.of(RECORD_SET)} == {
        f"{each.name}-id" for each in switches
    }
    assert len(graph.outputs["clusterEndpoints"]) == 5


def test_safety_rules_keep_one_site_on_and_never_two_where_one_may_work() -> None:
    rules = graph_of(traffic=traffic(routing_controls=True)).of(RULE)
    configs = {
        r.inputs["name"]: (r.inputs["ruleConfig"]["threshold"], r.inputs["ruleConfig"]["inverted"])
        for r in rules
    }
    assert configs == {"some-site": (1, False), "no-two-sites": (2, True)}
    assert all(len(rule.inputs["assertedControls"]) == 2 for rule in rules)


def test_sites_that_all_work_may_all_be_on() -> None:
    graph = graph_of(traffic=traffic({"policy": "weighted"}, routing_controls=True), topology=ACTIVE)
    assert [rule.inputs["name"] for rule in graph.of(RULE)] == ["some-site"]


def test_cloud_dns_fails_over_to_the_backup() -> None:
    graph = graph_of(traffic=CLOUD_DNS, **GOOGLE)
    policy = graph.one(GOOGLE_RECORD).inputs["routingPolicy"]
    assert policy["primaryBackup"]["primary"]["externalEndpoints"] == ["192.0.2.1"]
    (backup,) = policy["primaryBackup"]["backupGeos"]
    assert backup["healthCheckedTargets"]["externalEndpoints"] == ["192.0.2.2"]
    assert policy["healthCheck"]


def test_cloud_dns_checks_from_three_regions_without_a_site() -> None:
    check = graph_of(traffic=CLOUD_DNS, **GOOGLE).one("gcp:compute/healthCheck:HealthCheck")
    assert len(check.inputs["sourceRegions"]) == 3
    assert not {"europe-west4", "us-central1"} & set(check.inputs["sourceRegions"])
    assert check.inputs["checkIntervalSec"] == 30
    assert check.inputs["httpsHealthCheck"]["host"] == "chat.example.net"


def test_cloud_dns_weighs_and_knows_what_is_near() -> None:
    record = RECORD | {"policy": "weighted"}
    weighted = graph_of(traffic=CLOUD_DNS | {"records": {"chat": record}}, topology=ACTIVE, **GOOGLE)
    weights = [item["weight"] for item in weighted.one(GOOGLE_RECORD).inputs["routingPolicy"]["wrrs"]]
    assert weights == [100, 100]
    sites = {
        "north": google_site("europe-north1", 96, 64610),
        "south": google_site("europe-west1", 112, 64611),
    }
    record = RECORD | {"policy": "latency"}
    near = graph_of(traffic=CLOUD_DNS | {"records": {"chat": record}}, sites=sites, **GOOGLE)
    places = [item["location"] for item in near.one(GOOGLE_RECORD).inputs["routingPolicy"]["geos"]]
    assert places == ["europe-north1", "europe-west1"]


@pytest.mark.parametrize(
    ("record", "more", "says"),
    [
        (
            {"targets": {"north": "a.example.org", "south": "b.example.org"}},
            {},
            "checks the health of addresses only",
        ),
        ({"health": {"interval_seconds": 10}}, {}, "every 30 s at the fastest"),
        ({"policy": "weighted"}, {}, "south has the weight 0"),
        ({}, {"routing_controls": True}, "switches Route 53, not Cloud DNS"),
        ({"policy": "latency"}, {}, "regions of Google Cloud, and north is in none"),
    ],
)
def test_what_cloud_dns_cannot_do_is_refused(record: dict[str, Any], more: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        graph_of(traffic=CLOUD_DNS | {"records": {"chat": RECORD | record}} | more, **GOOGLE)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"stacks": {"backend": "s3://state-of-rig", "owner": "ops"}}, "the global stack has no account"),
        ({"traffic": ROUTE53 | {"adopt": "example.net."}}, "is how the zone is called"),
        ({"traffic": CLOUD_DNS}, "cloud-dns does not stand in an account of kind aws"),
        ({"stores": GOOGLE["stores"]}, "a store of kind gcs does not stand in an account of kind aws"),
        ({"stores": {"witness": WITNESS | {"endpoint": "https://s3.example.org"}}}, "is not made by AWS"),
    ],
)
def test_what_does_not_fit_the_account_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        graph_of(**changes)
