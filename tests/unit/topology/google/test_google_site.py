"""A site in Google Cloud: private, encrypted with its own key, and apart from every other site."""

from __future__ import annotations

from typing import Any

import pytest

from relight.errors import UsageError
from relight.estate import Estate
from relight.topology.frame import Frame, SiteArgs
from relight.topology.google import Site
from relight.topology.graph import Graph
from relight.topology.policy import violations
from rig.google_sites import FLEX, MACHINES, ON_DEMAND, TRAIN, a_google_estate, graph_of, sizes

LUSTRE = {"kind": "managed-lustre", "gib": 18000}
FILESTORE = {"kind": "filestore", "gib": 1024}
ADOPTED = {
    "network": "acme",
    "subnetwork": "acme-gpu",
    "router": "acme-out",
    "cluster": "acme-gke",
    "node_pools": {"train": "h100"},
    "key": "projects/keys/locations/us-east1/keyRings/acme/cryptoKeys/data",
}
LINK = {"between": ["north", "south"], "bandwidth": "2 Gbit/s", "replication": "1 Gbit/s"}


def linked() -> Estate:
    estate = a_google_estate()
    north = {
        "kind": "metal",
        "nodes": "n[1-4]",
        "store": "north",
        "probes": {"compute": "http://127.0.0.1:7001/health"},
        "networks": ["10.90.0.0/16"],
        "gateway": {"address": "192.0.2.1", "asn": 65001},
    }
    south = estate.sites["south"].model_dump(mode="json", by_alias=True)
    return a_google_estate(sites={"north": north, "south": south}, links={"wan": LINK})


@pytest.fixture(scope="module")
def graph() -> Graph:
    return graph_of(a_google_estate({"cache": LUSTRE}))


@pytest.mark.parametrize(
    "site",
    [
        {},
        {"cache": LUSTRE},
        {"cache": FILESTORE},
        {"pools": {"train": MACHINES}},
        {"pools": {}},
        {"pools": {"train": TRAIN, "render": MACHINES}},
        {"adopt": ADOPTED, "pools": {"train": TRAIN | {"rungs": [ON_DEMAND]}}},
    ],
    ids=["cluster", "lustre", "filestore", "machines", "empty", "both", "adopted"],
)
def test_every_form_of_a_site_keeps_the_policy(site: dict[str, Any]) -> None:
    estate = a_google_estate(site)
    assert violations(graph_of(estate), estate, "south") == ()


def test_every_resource_goes_through_the_sites_own_provider(graph: Graph) -> None:
    clouds = {resource.provider for resource in graph.resources if resource.type.startswith("gcp:")}
    assert clouds == {"gcp"}
    assert graph.one("pulumi:providers:gcp").inputs["project"] == "acme-dr"


def test_a_key_file_is_a_secret_and_only_asked_for_where_it_is_declared() -> None:
    estate = a_google_estate({"credentials": {"key_file": "env:ACME_KEY"}})
    graph = graph_of(estate, resolve=lambda reference: f"planted:{reference}")
    assert graph.one("pulumi:providers:gcp").inputs["credentials"] == "[secret]"
    assert "planted" not in graph.to_json()


def test_who_is_impersonated_is_on_the_provider() -> None:
    who = "relight@acme-dr.iam.gserviceaccount.com"
    provider = graph_of(a_google_estate({"credentials": {"impersonate": who}})).one("pulumi:providers:gcp")
    assert provider.inputs["impersonateServiceAccount"] == who


def test_nothing_comes_in_but_from_the_sites_own_networks(graph: Graph) -> None:
    (rule,) = graph.of("gcp:compute/firewall:Firewall")
    assert set(rule.inputs["sourceRanges"]) == {
        "10.20.0.0/20",
        "10.24.0.0/16",
        "10.21.0.0/20",
        "10.22.0.0/28",
    }


def test_the_cluster_is_private_encrypted_and_cannot_be_deleted_by_mistake(graph: Graph) -> None:
    cluster = graph.one("gcp:container/cluster:Cluster").inputs
    private = cluster["privateClusterConfig"]
    assert private["enablePrivateNodes"]
    assert private["enablePrivateEndpoint"]
    assert private["masterIpv4CidrBlock"] == "10.22.0.0/28"
    assert cluster["databaseEncryption"] == {"state": "ENCRYPTED", "keyName": "key-id"}
    assert cluster["workloadIdentityConfig"] == {"workloadPool": "acme-dr.svc.id.goog"}
    assert cluster["deletionProtection"]
    assert cluster["removeDefaultNodePool"]
    assert cluster["name"] == "rig-south"


def test_the_key_stands_in_the_sites_region_and_is_there_before_what_it_seals(graph: Graph) -> None:
    assert graph.one("gcp:kms/keyRing:KeyRing", "key").inputs["location"] == "us-east1"
    right = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember::site-lustre"
    assert right in graph.one("gcp:lustre/instance:Instance").depends_on


def test_a_cache_waits_for_the_way_to_googles_own_network_and_is_kept(graph: Graph) -> None:
    cache = graph.one("gcp:lustre/instance:Instance")
    assert cache.protect
    assert cache.inputs["capacityGib"] == "18000"
    assert cache.inputs["perUnitStorageThroughput"] == "500"
    assert graph.outputs["cacheMount"] == "192.0.2.9@tcp:/relight"


def test_a_filestore_is_mounted_by_address_and_share() -> None:
    graph = graph_of(a_google_estate({"cache": FILESTORE}))
    assert graph.one("gcp:filestore/instance:Instance").inputs["deletionProtectionEnabled"]
    assert graph.outputs["cacheMount"] == "192.0.2.8:/relight"


def test_the_runner_may_size_this_sites_groups_and_cluster_and_look_at_the_rest() -> None:
    graph = graph_of(a_google_estate({"pools": {"train": TRAIN, "render": MACHINES}}))
    roles = {
        role.name: role.inputs["permissions"] for role in graph.of("gcp:projects/iAMCustomRole:IAMCustomRole")
    }
    assert roles["sizes-node-pools"] == ["container.clusters.update"]
    assert roles["sizes-groups"] == ["compute.instanceGroupManagers.update"]
    assert all(permission.rpartition(".")[2] in ("get", "list") for permission in roles["looks"])
    of: dict[str, Any] = {
        grant.name: grant.inputs.get("condition") for grant in graph.of("gcp:projects/iAMMember:IAMMember")
    }
    assert '.startsWith("rig-south-")' in of["sizes-groups"]["expression"]
    assert 'clusters/rig-south"' in of["sizes-node-pools"]["expression"]


def test_no_service_account_has_a_key(graph: Graph) -> None:
    assert not [each for each in graph.resources if each.type.startswith("gcp:serviceaccount/key")]


def test_a_gateway_and_a_bgp_number_come_with_a_link_and_not_without(graph: Graph) -> None:
    assert "vpnGateway" not in graph.outputs
    assert "bgp" not in graph.one("gcp:compute/router:Router").inputs
    other = graph_of(linked())
    assert other.outputs["vpnGateway"] == "gateway-id"
    assert other.one("gcp:compute/router:Router").inputs["bgp"]["asn"] == 64513
    far = other.one("gcp:compute/firewall:Firewall", "linked")
    assert far.inputs["sourceRanges"] == ["10.90.0.0/16"]


def test_what_a_link_needs_is_given_out(graph: Graph) -> None:
    assert {"network", "subnetwork", "router", "bucket", "runner", "pools", "cluster"} <= set(graph.outputs)


def test_what_is_adopted_is_named_and_not_made() -> None:
    graph = graph_of(a_google_estate({"adopt": ADOPTED, "pools": {"train": TRAIN}}))
    made = {resource.type for resource in graph.resources}
    assert not {each for each in made if each.startswith(("gcp:compute/", "gcp:container/"))}
    assert "gcp:kms/keyRing:KeyRing" not in {
        each.type for each in graph.resources if each.parent == "relight:google:Key::key"
    }
    assert graph.outputs["network"] == "projects/acme-dr/global/networks/acme"
    assert graph.outputs["router"] == "acme-out"
    path = "projects/acme-dr/locations/us-east1/clusters/acme-gke/nodePools/h100"
    pool = {"resource": "gcp:container/nodePool:NodePool", "id": path, "nodes": 1, "adopted": True}
    assert graph.outputs["pools"] == {"train": {"reservation": pool}}


def test_pools_of_the_stacks_own_stand_in_an_adopted_cluster() -> None:
    adopt = {"cluster": "acme-gke"}
    graph = graph_of(a_google_estate({"adopt": adopt}))
    assert not graph.of("gcp:container/cluster:Cluster")
    path = "projects/acme-dr/locations/us-east1/clusters/acme-gke"
    assert {pool.inputs["cluster"] for pool in graph.of("gcp:container/nodePool:NodePool")} == {path}


@pytest.mark.parametrize(
    ("site", "what"),
    [
        ({"pools": {"p" * 30: TRAIN}}, "characters"),
        (
            {
                "pools": {
                    "a": {"machine": "a2-highgpu-8g", "nodes": 1, "rungs": [FLEX | {"name": "b-c"}]},
                    "a-b": {"machine": "a2-highgpu-8g", "nodes": 1, "rungs": [FLEX | {"name": "c"}]},
                }
            },
            'two rungs would be called "a-b-c"',
        ),
    ],
)
def test_names_that_google_cloud_cannot_take_are_refused_before_anything_is_made(
    site: dict[str, Any], what: str
) -> None:
    with pytest.raises(UsageError, match="names of south") as caught:
        graph_of(a_google_estate(site))
    assert any(what in reason.what for reason in caught.value.reasons)


def test_a_site_elsewhere_is_refused() -> None:
    estate = a_google_estate()
    with pytest.raises(UsageError, match="no site in Google Cloud"):
        Site("north", SiteArgs(Frame(estate, "north"), sizes(estate)))
