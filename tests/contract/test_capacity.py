"""The promises of `Capacity`, kept by the fake and by the adapters of each cloud.

moto has no capacity reservations: AWS's answers come from botocore's Stubber, which checks what is asked, and
what is answered, against AWS's own model of the call. The others are small servers on loopback.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from botocore.stub import Stubber
from moto import mock_aws

from relight.errors import NotFound, Unreachable
from relight.estate import CloudPool, ClusterPool, Rung
from relight.provision import Capacity, Free
from relight.provision.adapters.aws import AwsCapacity
from relight.provision.adapters.google import GoogleCapacity, GoogleClients
from relight.provision.adapters.kubernetes import ClusterAccess, ClusterCapacity
from relight.provision.fake import FakePools
from rig import api_server, aws, google_cloud

RUNGS = (Rung(kind="reservation", id="cr-1", nodes=4, name="booked"), Rung(kind="on-demand", nodes=2))
CLOSED = "http://127.0.0.1:1"  # nothing listens there


@dataclass(frozen=True)
class Site:
    """A pool "train" of a reservation of four nodes and an on-demand rung, and how one of them is taken."""

    capacity: Capacity
    take_one: Callable[[], None]
    cut_off: Capacity


@contextmanager
def fake() -> Iterator[Site]:
    pools = FakePools({"train": {"booked": 0, "on-demand": 0}}, gives={"booked": 4})
    away = FakePools({"train": {"booked": 0, "on-demand": 0}})
    away.is_away = True
    yield Site(pools, lambda: pools.resize("train", "booked", 1), away)


@contextmanager
def in_aws() -> Iterator[Site]:
    pool = CloudPool(machine="p5.48xlarge", nodes=6, rungs=RUNGS, form="instances")
    declared, used = aws.aws_site({"train": pool}), 0
    with mock_aws():
        clients = aws.aws_clients()
        with Stubber(clients.client("ec2")) as ec2:

            class Answering(AwsCapacity):
                def free(self, pool: str, rung: str) -> Free:
                    if rung == "booked":
                        answer = aws.reservation(free=4 - used)
                        asked = {"CapacityReservationIds": ["cr-1"]}
                        ec2.add_response("describe_capacity_reservations", answer, asked)
                    return super().free(pool, rung)

            def take_one() -> None:
                nonlocal used
                used = 1

            yield Site(
                Answering(aws.ESTATE, aws.SITE, declared, clients, dry_run=False),
                take_one,
                AwsCapacity(aws.ESTATE, aws.SITE, declared, aws.aws_clients(CLOSED)),
            )


@contextmanager
def in_google() -> Iterator[Site]:
    rungs = (RUNGS[0].model_copy(update={"id": "gpus"}), RUNGS[1])
    declared = google_cloud.google_site({"train": CloudPool(machine="a3-highgpu-8g", nodes=6, rungs=rungs)})
    with google_cloud.google_cloud() as (cloud, server):
        at = f"{google_cloud.ZONES[0]}/gpus"
        cloud.reservations[at] = google_cloud.reservation("gpus", count=4, used=0)

        def take_one() -> None:
            cloud.reservations[at] = google_cloud.reservation("gpus", count=4, used=1)

        def asking(url: str) -> GoogleCapacity:
            key = google_cloud.service_account_key(url)
            clients = GoogleClients(
                "west", declared.credentials, lambda _: key, endpoints=google_cloud.endpoints(url)
            )
            return GoogleCapacity("west", declared, clients)

        yield Site(asking(server.url), take_one, asking(CLOSED))


@contextmanager
def in_kubernetes() -> Iterator[Site]:
    rungs = (Rung(kind="own-metal", nodes=4, name="booked"), RUNGS[1])
    declared = api_server.cluster_site({"train": ClusterPool(nodes=6, rungs=rungs)})
    with api_server.api_server() as (cluster, server):
        for number in range(4):
            cluster.add_node(f"n{number}", 8)

        def asking(url: str) -> ClusterCapacity:
            text = api_server.kubeconfig(url)
            access = ClusterAccess(api_server.SITE, declared.credentials, lambda _: text)
            return ClusterCapacity(api_server.SITE, declared, access)

        yield Site(asking(server.url), lambda: cluster.add_pod("p", "n0", 1), asking(CLOSED))


SITES = {"fake": fake, "aws": in_aws, "google": in_google, "kubernetes": in_kubernetes}


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with SITES[request.param]() as made:
        yield made


def test_what_is_guaranteed_has_a_number_that_falls_as_nodes_are_taken(site: Site) -> None:
    assert site.capacity.free("train", "booked").nodes == 4
    site.take_one()
    assert site.capacity.free("train", "booked").nodes == 3


def test_of_best_effort_nobody_can_know_and_it_says_why(site: Site) -> None:
    free = site.capacity.free("train", "on-demand")
    assert free.nodes is None
    assert free.reason


def test_a_pool_or_rung_that_is_not_there_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound):
        site.capacity.free("nothing", "booked")
    with pytest.raises(NotFound):
        site.capacity.free("train", "nothing")


def test_a_cloud_that_does_not_answer_is_unreachable(site: Site) -> None:
    with pytest.raises(Unreachable):
        site.cut_off.free("train", "booked")
