"""Google Cloud: as whom it is asked, what it tells of reservations, what is found, and how it refuses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi_gcp
import pytest

from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable
from relight.estate import CloudPool, GoogleCredentials, Rung
from relight.provision import PendingCreate
from relight.provision.adapters.google import (
    GoogleCapacity,
    GoogleClients,
    GoogleFinder,
    GooglePoolSizes,
    finder,
)
from rig import google_cloud
from rig.google_cloud import PROJECT, REGION, ZONES, GoogleCloud, Group
from rig.http import http_server

RUNGS = (
    Rung(kind="reservation", id="gpus", nodes=4),
    Rung(kind="spot", nodes=2),
    Rung(kind="flex-start", nodes=2),
)
PATH = f"projects/{PROJECT}/global/networks/acme"


@pytest.fixture
def cloud() -> Iterator[GoogleCloud]:
    with google_cloud.google_cloud() as (made, _server):
        yield made


def site(**more: Any) -> Any:
    return google_cloud.google_site(
        {"train": CloudPool(machine="a3-highgpu-8g", nodes=6, rungs=RUNGS)}, **more
    )


def clients(url: str, key: str | None = None, **who: Any) -> GoogleClients:
    text = key or google_cloud.service_account_key(url)
    declared = GoogleCredentials.model_validate(who or {"key_file": "env:KEY"})
    return GoogleClients("west", declared, lambda _: text, endpoints=google_cloud.endpoints(url))


def test_a_token_is_fetched_once_and_used_for_every_call(cloud: GoogleCloud) -> None:
    asking = clients(cloud.url)
    for _ in range(3):
        with pytest.raises(NotFound):
            asking.get("compute", PATH)
    assert cloud.tokens == 1


def test_an_account_is_impersonated_with_the_keys_own_token() -> None:
    seen: list[str] = []

    def answer(asked: Any) -> tuple[int, bytes]:
        seen.append(f"{asked.method} {asked.path} {asked.headers.get('authorization', '')[:16]}")
        if asked.path == "/token":
            return 200, json.dumps({"access_token": "own", "expires_in": 3600}).encode()
        if asked.path.endswith(":generateAccessToken"):
            expires = "2099-01-01T00:00:00Z"
            return 200, json.dumps({"accessToken": "acting", "expireTime": expires}).encode()
        return 200, b"{}"

    account = f"runner@{PROJECT}.iam.gserviceaccount.com"
    with http_server(answer) as server:
        clients(server.url, key_file="env:KEY", impersonate=account).get("compute", PATH)
    assert seen == [
        "POST /token ",
        f"POST /v1/projects/-/serviceAccounts/{account}:generateAccessToken Bearer own",
        f"GET /compute/v1/{PATH} Bearer acting",
    ]


def test_a_key_that_is_none_is_told_without_showing_it() -> None:
    for text in ("planted-secret", '{"private_key": "planted-secret"}'):
        with pytest.raises(Refused, match="no key") as told:
            clients("http://127.0.0.1:1", text).get("compute", PATH)
        assert "planted" not in str(told.value)


def test_a_key_that_is_not_accepted_any_more_says_so() -> None:
    def answer(_asked: Any) -> tuple[int, bytes]:
        return 400, json.dumps({"error": "invalid_grant", "error_description": "planted-secret"}).encode()

    with http_server(answer) as server, pytest.raises(Refused, match="not accept") as told:
        clients(server.url).get("compute", PATH)
    assert "renew the key" in told.value.remedy
    assert "planted" not in str(told.value)


def test_without_credentials_it_says_how_to_get_some(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(Refused, match="no credentials") as told:
        clients("http://127.0.0.1:1", environment=True).get("compute", PATH)
    assert "gcloud auth" in told.value.remedy


@pytest.mark.parametrize(
    ("answer", "kind", "remedy"),
    [
        ((401, "UNAUTHENTICATED", "said"), Refused, "log in again"),
        ((403, "PERMISSION_DENIED", "said"), Refused, "grant"),
        ((403, "rateLimitExceeded", "said"), Unreachable, "less often"),
        ((429, "RESOURCE_EXHAUSTED", "said"), Unreachable, "less often"),
        ((400, "FAILED_PRECONDITION", "said"), Conflict, "under way"),
        ((409, "alreadyExists", "said"), Conflict, "under way"),
        ((404, "notFound", "said"), NotFound, "stack"),
        ((400, "invalid", "said"), Refused, "wants"),
        ((503, "backendError", "said"), Unreachable, "status"),
    ],
)
def test_each_refusal_has_its_kind_and_its_remedy(
    cloud: GoogleCloud, answer: tuple[int, str, str], kind: type[RelightError], remedy: str
) -> None:
    cloud.refuses = answer
    with pytest.raises(kind) as told:
        clients(cloud.url).get("compute", PATH)
    assert type(told.value) is kind
    assert remedy in told.value.remedy
    assert google_cloud.TOKEN not in str(told.value)


def test_what_is_no_json_is_not_taken_for_an_answer() -> None:
    def answer(asked: Any) -> tuple[int, bytes]:
        token = json.dumps({"access_token": "own", "expires_in": 3600}).encode()
        return 200, token if asked.path == "/token" else b"<html>log in to the proxy</html>"

    with http_server(answer) as server, pytest.raises(RelightError, match="not understood"):
        clients(server.url).get("compute", PATH)


@pytest.mark.parametrize(
    ("other", "nodes", "said"),
    [
        ({}, 4, "7 of 9"),  # no more than the rung may give
        ({"status": "CREATING"}, 0, "creating"),
        ({"specificReservationRequired": False}, 4, "any fitting instance may take them"),
        ({"zone": f"projects/{PROJECT}/zones/{ZONES[1]}"}, 0, f"{ZONES[1]}, not {ZONES[0]}"),
        ({"specificReservation": None}, None, "aggregate"),
    ],
)
def test_a_reservation_counts_only_if_it_fits_the_pool(
    cloud: GoogleCloud, other: dict[str, Any], nodes: int | None, said: str
) -> None:
    cloud.reservations[f"{ZONES[0]}/gpus"] = google_cloud.reservation("gpus", count=9, used=2, **other)
    free = GoogleCapacity("west", site(), clients(cloud.url)).free("train", "reservation")
    assert free.nodes == nodes
    assert said in free.reason


def test_a_reservation_may_be_named_in_full(cloud: GoogleCloud) -> None:
    cloud.reservations[f"{ZONES[0]}/gpus"] = google_cloud.reservation("gpus", count=4, used=1)
    rung = Rung(kind="reservation", id=f"projects/{PROJECT}/reservations/gpus", nodes=4)
    pool = CloudPool(machine="a3-highgpu-8g", nodes=4, rungs=(rung,))
    declared = google_cloud.google_site({"train": pool})
    assert GoogleCapacity("west", declared, clients(cloud.url)).free("train", "reservation").nodes == 3


def sizes(cloud: GoogleCloud, **more: Any) -> GooglePoolSizes:
    for rung in RUNGS:
        cloud.groups[f"{ZONES[0]}/{rung.key}"] = Group()
        cloud.node_pools[f"train-{rung.key}"] = f"{ZONES[0]}/{rung.key}"
    return GooglePoolSizes("acme", "west", site(**more), clients(cloud.url))


def test_a_rung_that_gke_sizes_itself_is_turned_by_its_limit(cloud: GoogleCloud) -> None:
    pools = sizes(cloud)
    cloud.autoscaling["train-flex-start"] = {"enabled": True, "totalMaxNodeCount": 1, "locationPolicy": "ANY"}
    pools.resize("train", "flex-start", 2)
    assert pools.sizes("train")["flex-start"] == 2
    assert cloud.groups[f"{ZONES[0]}/flex-start"].target == 0
    pools.resize("train", "flex-start", 0)
    assert pools.sizes("train")["flex-start"] == 0


def test_a_cluster_that_is_busy_is_a_conflict(cloud: GoogleCloud) -> None:
    pools = sizes(cloud)
    cloud.is_busy = True
    with pytest.raises(Conflict, match="reconciling"):
        pools.resize("train", "spot", 1)


def test_an_adopted_node_pool_is_the_first_rung(cloud: GoogleCloud) -> None:
    cloud.groups[f"{ZONES[0]}/g"] = Group()
    pools = sizes(cloud, adopt={"cluster": "theirs", "node_pools": {"train": "gpus"}})
    cloud.node_pools["gpus"] = f"{ZONES[0]}/g"
    pools.resize("train", "reservation", 3)
    assert pools.sizes("train") == {"reservation": 3}
    with pytest.raises(NotFound, match="first rung"):
        pools.resize("train", "spot", 1)


def sought(type_: str, **inputs: Any) -> PendingCreate:
    return PendingCreate(
        urn=f"urn::{type_}::x",
        type=type_,
        name="x",
        inputs=inputs,
        begun_at=datetime(2026, 11, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("type_", "inputs", "at", "id_"),
    [
        ("compute/network:Network", {"name": "acme"}, f"/compute/v1/{PATH}", PATH),
        (
            "container/nodePool:NodePool",
            {"name": "train-spot", "cluster": f"projects/{PROJECT}/locations/{REGION}/clusters/acme-west"},
            f"/v1/projects/{PROJECT}/locations/{REGION}/clusters/acme-west/nodePools/train-spot",
            f"projects/{PROJECT}/locations/{REGION}/clusters/acme-west/nodePools/train-spot",
        ),
        ("storage/bucket:Bucket", {"name": "acme-vault"}, "/storage/v1/b/acme-vault", "acme-vault"),
        (
            "serviceaccount/account:Account",
            {"accountId": "runner"},
            f"/v1/projects/{PROJECT}/serviceAccounts/runner@{PROJECT}.iam.gserviceaccount.com",
            f"projects/{PROJECT}/serviceAccounts/runner@{PROJECT}.iam.gserviceaccount.com",
        ),
        (
            "kms/cryptoKey:CryptoKey",
            {"name": "k", "keyRing": f"projects/{PROJECT}/locations/{REGION}/keyRings/r"},
            f"/v1/projects/{PROJECT}/locations/{REGION}/keyRings/r/cryptoKeys/k",
            f"projects/{PROJECT}/locations/{REGION}/keyRings/r/cryptoKeys/k",
        ),
    ],
)
def test_what_was_created_is_found_by_its_path(
    cloud: GoogleCloud, type_: str, inputs: dict[str, Any], at: str, id_: str
) -> None:
    looking = GoogleFinder(PROJECT, REGION, clients(cloud.url))
    assert looking.find(sought(f"gcp:{type_}", **inputs)) is None
    cloud.others[at] = {"name": "x"}
    if "nodePools" in at:
        cloud.groups["z/g"], cloud.node_pools["train-spot"] = Group(), "z/g"
    assert looking.find(sought(f"gcp:{type_}", **inputs)) == id_


def test_a_part_of_a_router_is_found_in_it(cloud: GoogleCloud) -> None:
    at = f"projects/{PROJECT}/regions/{REGION}/routers/acme"
    nat = sought("gcp:compute/routerNat:RouterNat", name="nat", router="acme")
    looking = GoogleFinder(PROJECT, REGION, clients(cloud.url))
    assert looking.find(nat) is None
    cloud.others[f"/compute/v1/{at}"] = {"name": "acme", "bgpPeers": [{"name": "nat"}]}
    assert looking.find(nat) is None
    cloud.others[f"/compute/v1/{at}"] = {"name": "acme", "nats": [{"name": "nat"}]}
    assert looking.find(nat) == f"{at}/nat"


def test_every_type_is_one_that_the_sdk_has() -> None:
    for type_ in finder._PATHS.keys() | finder._PARTS_OF_ROUTERS.keys():
        _, module, name = type_.split(":")
        declared = getattr(getattr(pulumi_gcp, module.partition("/")[0]), name)
        assert declared.pulumi_type == type_


def test_what_cannot_be_looked_up_says_what_to_do_and_what_is_put_is_not_looked_for(
    cloud: GoogleCloud,
) -> None:
    looking = GoogleFinder(PROJECT, REGION, clients(cloud.url))
    for type_ in ("gcp:unheard/of:Thing", "gcp:compute/network:Network"):
        with pytest.raises(RelightError, match="cannot be looked up") as told:
            looking.find(sought(type_))
        assert "console" in told.value.remedy
    assert looking.find(sought("gcp:projects/iAMMember:IAMMember")) is None
    template = sought("gcp:compute/instanceTemplate:InstanceTemplate", namePrefix="acme-west-train-")
    assert looking.find(template) is None
    assert not cloud.tokens


def test_a_cloud_that_closes_the_connection_is_unreachable() -> None:
    def answer(_asked: Any) -> tuple[int, bytes]:
        return 0, b""

    with http_server(answer) as server, pytest.raises(Unreachable):
        clients(server.url).get("compute", PATH)
