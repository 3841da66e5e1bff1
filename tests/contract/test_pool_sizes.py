"""The promises of `PoolSizes`, kept by the fake and by the adapters of each cloud.

AWS is moto (see rig/aws.py for what it lacks), Google Cloud and Kubernetes are small servers on loopback, all
asked by the real clients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import pytest
from moto import mock_aws

from relight.errors import NotFound, Refused, Unreachable
from relight.estate import CloudPool, ClusterPool, Rung
from relight.provision import PoolSizes
from relight.provision.adapters.aws import AwsPoolSizes
from relight.provision.adapters.google import GoogleClients, GooglePoolSizes
from relight.provision.adapters.kubernetes import ClusterAccess, ClusterPoolSizes
from relight.provision.fake import FakePools
from rig import api_server, aws, google_cloud

Form = Literal["cluster", "instances"]
RUNGS = (Rung(kind="reservation", id="cr-1", nodes=4, name="booked"), Rung(kind="on-demand", nodes=2))
NOTHING = {"booked": 0, "on-demand": 0}
CLOSED = "http://127.0.0.1:1"  # nothing listens there


@dataclass(frozen=True)
class Site:
    """A pool "train" of two rungs with nothing in it, how its nodes come up, and a way to it that is cut."""

    sizes: PoolSizes
    bring_up: Callable[[], None]
    cut_off: PoolSizes


@contextmanager
def fake() -> Iterator[Site]:
    away = FakePools({"train": NOTHING})
    away.is_away = True

    class Limited(FakePools):
        def resize(self, pool: str, rung: str, nodes: int) -> None:
            self.refuses = {"booked": "it has 4"} if nodes > 4 else {}
            super().resize(pool, rung, nodes)

    yield Site(Limited({"train": NOTHING}), lambda: None, away)


def aws_sizes(form: Form, bring_up: Callable[[], None]) -> Site:
    declared = aws.aws_site({"train": CloudPool(machine="p5.48xlarge", nodes=6, rungs=RUNGS, form=form)})
    return Site(
        AwsPoolSizes(aws.ESTATE, aws.SITE, declared, aws.aws_clients()),
        bring_up,
        AwsPoolSizes(aws.ESTATE, aws.SITE, declared, aws.aws_clients(CLOSED)),
    )


@contextmanager
def aws_instances() -> Iterator[Site]:
    with mock_aws():
        for rung in RUNGS:
            aws.make_scaling_group(f"train-{rung.key}", rung.nodes, aws.tags("train", rung.key))
        aws.make_scaling_group("neighbour", 9, aws.tags("other", "booked"))
        yield aws_sizes("instances", lambda: None)


@contextmanager
def aws_cluster() -> Iterator[Site]:
    name = f"{aws.ESTATE}-{aws.SITE}"
    with mock_aws():
        aws.make_cluster(name)
        for rung in RUNGS:
            aws.make_node_group(name, f"train-{rung.key}", rung.nodes, aws.tags("train", rung.key))
        aws.make_node_group(name, "neighbour", 9, aws.tags("other", "booked"))

        def bring_up() -> None:
            for rung in RUNGS:
                aws.bring_nodes_up(name, f"train-{rung.key}")

        yield aws_sizes("cluster", bring_up)


@contextmanager
def google(form: Form) -> Iterator[Site]:
    declared = google_cloud.google_site(
        {"train": CloudPool(machine="a3-highgpu-8g", nodes=6, rungs=RUNGS, form=form)}
    )
    with google_cloud.google_cloud() as (cloud, server):
        for rung in RUNGS:
            name = f"{google_cloud.ESTATE}-{google_cloud.SITE}-train-{rung.key}"
            cloud.groups[f"{google_cloud.ZONES[0]}/{name}"] = google_cloud.Group()
            cloud.node_pools[f"train-{rung.key}"] = f"{google_cloud.ZONES[0]}/{name}"

        def asking(url: str) -> GooglePoolSizes:
            clients = GoogleClients(
                google_cloud.SITE,
                declared.credentials,
                lambda _: google_cloud.service_account_key(url),
                endpoints=google_cloud.endpoints(url),
            )
            return GooglePoolSizes(google_cloud.ESTATE, google_cloud.SITE, declared, clients)

        yield Site(asking(server.url), cloud.bring_up, asking(CLOSED))


def fitting(_pool: str, nodes: int) -> dict[str, int]:
    """Two replicas of the app on each node; a training of two nodes runs if there are three."""
    return {"app": 2 * min(nodes, 3), "digits": 2 if nodes > 2 else 0}


@contextmanager
def kubernetes() -> Iterator[Site]:
    declared = api_server.cluster_site({"train": ClusterPool(nodes=6, rungs=RUNGS)})
    with api_server.api_server() as (cluster, server):
        cluster.add_deployment("app", "train")
        cluster.add_job("digits", "train", 2)
        cluster.add_deployment("neighbour", "other")

        def asking(url: str) -> ClusterPoolSizes:
            access = ClusterAccess(
                api_server.SITE, declared.credentials, lambda _: api_server.kubeconfig(url)
            )
            return ClusterPoolSizes(api_server.ESTATE, api_server.SITE, declared, access, fitting)

        yield Site(asking(server.url), cluster.bring_up, asking(CLOSED))


SITES = {
    "fake": fake,
    "aws-instances": aws_instances,
    "aws-cluster": aws_cluster,
    "google-instances": lambda: google("instances"),
    "google-cluster": lambda: google("cluster"),
    "kubernetes": kubernetes,
}


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with SITES[request.param]() as made:
        yield made


def test_a_pool_that_sleeps_has_a_size_of_nothing_for_each_rung(site: Site) -> None:
    assert site.sizes.sizes("train") == NOTHING
    assert site.sizes.ready("train") == NOTHING


def test_a_rung_that_is_resized_is_asked_for_that_many_and_no_other_rung_is(site: Site) -> None:
    site.sizes.resize("train", "booked", 3)
    assert site.sizes.sizes("train") == {"booked": 3, "on-demand": 0}
    site.sizes.resize("train", "on-demand", 1)
    assert site.sizes.sizes("train") == {"booked": 3, "on-demand": 1}


def test_nodes_are_ready_once_they_came_up(site: Site) -> None:
    site.sizes.resize("train", "booked", 4)
    site.sizes.resize("train", "on-demand", 2)
    site.bring_up()
    assert site.sizes.ready("train") == {"booked": 4, "on-demand": 2}


def test_asking_for_the_same_again_changes_nothing(site: Site) -> None:
    for _ in range(2):
        site.sizes.resize("train", "booked", 2)
    assert site.sizes.sizes("train") == {"booked": 2, "on-demand": 0}


def test_a_pool_goes_back_to_sleep(site: Site) -> None:
    site.sizes.resize("train", "booked", 3)
    site.bring_up()
    site.sizes.resize("train", "booked", 0)
    site.bring_up()
    assert site.sizes.sizes("train") == NOTHING
    assert site.sizes.ready("train") == NOTHING


def test_more_than_a_rung_can_give_is_refused_and_changes_nothing(site: Site) -> None:
    with pytest.raises(Refused):
        site.sizes.resize("train", "booked", 5)
    assert site.sizes.sizes("train") == NOTHING


def test_what_the_cloud_does_not_have_is_not_found(site: Site) -> None:
    with pytest.raises(NotFound):
        site.sizes.sizes("nothing")
    with pytest.raises(NotFound):
        site.sizes.ready("nothing")
    with pytest.raises(NotFound):
        site.sizes.resize("train", "nothing", 1)


def test_a_cloud_that_does_not_answer_is_unreachable(site: Site) -> None:
    with pytest.raises(Unreachable):
        site.cut_off.sizes("train")
    with pytest.raises(Unreachable):
        site.cut_off.ready("train")
    with pytest.raises(Unreachable):
        site.cut_off.resize("train", "booked", 1)
