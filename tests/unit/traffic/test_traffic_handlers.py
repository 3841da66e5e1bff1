"""Handlers of names and clients, against fake name servers and a real HTTP server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest

from relight.errors import LeaseLost, Refused, Unreachable
from relight.plan import Done, Failed, Working
from relight.traffic import Names, SwapName, SwappedName, VerifiedClient, VerifyClient
from relight.traffic.fake import FakeNames
from relight.traffic.handlers import SwapNameHandler, VerifyClientHandler
from rig.context import FakeContext
from rig.http import Answer, Asked, HttpServer, http_server

NAME, OLD, NEW = "app.demo.test.", "127.0.1.1", "127.0.0.1"


class World:
    def __init__(self) -> None:
        self.servers = {server: FakeNames("demo.test.", {NAME: OLD}) for server in ("a", "b", "c")}

    def names(self, server: str) -> Names:
        return self.servers[server]

    def give(self, **addresses: str) -> None:
        for server, address in addresses.items():
            self.servers[server].records[NAME] = address


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


def swap(at_least: int = 1) -> SwapName:
    servers = ("a", "b", "c")
    return SwapName(
        name=NAME, zone="demo.test.", ttl_seconds=1, servers=servers, at_least=at_least, old=OLD, new=NEW
    )


def test_every_server_that_gives_the_old_address_is_changed(world: World, context: FakeContext) -> None:
    world.give(b=NEW)
    outcome = SwapNameHandler(world).attempt(swap(), context)
    assert outcome == Done(SwappedName(updated=("a", "b", "c"), unreachable=()))
    assert {server.records[NAME] for server in world.servers.values()} == {NEW}
    assert context.checks == 2, "the server that had it already is left alone"


def test_a_server_that_was_rebuilt_empty_is_given_the_record(world: World, context: FakeContext) -> None:
    world.servers["b"].records.clear()
    assert isinstance(SwapNameHandler(world).attempt(swap(), context), Done)
    assert world.servers["b"].records == {NAME: NEW}


def test_servers_that_do_not_answer_are_named(world: World, context: FakeContext) -> None:
    world.servers["a"].reachable = world.servers["c"].reachable = False
    outcome = SwapNameHandler(world).attempt(swap(), context)
    assert outcome == Done(SwappedName(updated=("b",), unreachable=("a", "c")))
    with pytest.raises(Unreachable, match="1 of at least 2"):
        SwapNameHandler(world).attempt(swap(at_least=2), context)


def test_an_address_that_is_neither_old_nor_new_fails_before_anything_is_changed(
    world: World, context: FakeContext
) -> None:
    world.give(c="127.0.9.9")
    outcome = SwapNameHandler(world).attempt(swap(), context)
    assert isinstance(outcome, Failed)
    assert "c gives 127.0.9.9" in outcome.reason
    assert world.servers["a"].records[NAME] == OLD


def test_a_key_that_one_server_refuses_fails_the_step_after_the_others_were_changed(
    world: World, context: FakeContext
) -> None:
    world.servers["a"].accepts_key = False
    with pytest.raises(Refused):
        SwapNameHandler(world).attempt(swap(), context)
    assert world.servers["b"].records[NAME] == NEW


def test_without_the_lease_no_record_is_changed(world: World) -> None:
    with pytest.raises(LeaseLost):
        SwapNameHandler(world).attempt(swap(), FakeContext(may_act=False))
    assert world.servers["a"].records[NAME] == OLD


# A client


class Site:
    """What answers at the new address."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.seconds = 0.0

    def __call__(self, _: Asked) -> Answer:
        time.sleep(self.seconds)
        return (self.statuses.pop(0) if self.statuses else 200), b"hello"


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def server(site: Site) -> Iterator[HttpServer]:
    with http_server(site) as server:
        yield server


def verify(server: HttpServer, times: int = 3) -> VerifyClient:
    url = f"http://app.demo.test:{server.port}/check?deep=1"
    return VerifyClient(name=NAME, servers=("a", "b", "c"), url=url, expect=NEW, times=times)


def test_a_client_asks_the_new_address_by_the_old_name(
    world: World, context: FakeContext, server: HttpServer
) -> None:
    world.give(a=NEW, b=NEW)
    world.servers["c"].reachable = False
    outcome = VerifyClientHandler(world).attempt(verify(server), context)
    assert isinstance(outcome, Done)
    assert isinstance(outcome.facts, VerifiedClient)
    assert (outcome.facts.address, outcome.facts.status) == (NEW, 200)
    assert 0 < outcome.facts.milliseconds < 1000
    assert [asked.path for asked in server.asked] == ["/check?deep=1"] * 3
    assert {asked.headers["host"] for asked in server.asked} == {f"app.demo.test:{server.port}"}


def test_it_is_not_done_before_caches_have_let_the_old_address_go(
    world: World, context: FakeContext, server: HttpServer
) -> None:
    world.give(a=NEW, b=NEW, c=NEW)
    spec = verify(server).model_copy(update={"ttl_seconds": 30})
    context.clock += timedelta(seconds=10)
    outcome = VerifyClientHandler(world).attempt(spec, context)
    assert isinstance(outcome, Working)
    assert outcome.check_in == timedelta(seconds=20)
    context.clock += timedelta(seconds=20)
    assert isinstance(VerifyClientHandler(world).attempt(spec, context), Done)


def test_a_server_that_still_gives_the_old_address_is_waited_for(
    world: World, context: FakeContext, server: HttpServer
) -> None:
    world.give(a=NEW, b=NEW)
    outcome = VerifyClientHandler(world).attempt(verify(server), context)
    assert isinstance(outcome, Working)
    assert f"c gives {OLD}" in outcome.progress.note
    assert server.asked == []


def test_without_any_answer_the_client_waits(world: World, context: FakeContext, server: HttpServer) -> None:
    for names in world.servers.values():
        names.reachable = False
    assert isinstance(VerifyClientHandler(world).attempt(verify(server), context), Working)
    world.give(a=NEW, b=NEW, c=NEW)
    for names in world.servers.values():
        names.reachable = True
    spec = verify(HttpServer(port=1))  # where nobody listens
    outcome = VerifyClientHandler(world).attempt(spec, context)
    assert isinstance(outcome, Working)
    assert "does not answer" in outcome.progress.note


@pytest.mark.parametrize("status", [302, 404, 503])
def test_good_answers_must_come_in_a_row(
    world: World, context: FakeContext, site: Site, server: HttpServer, status: int
) -> None:
    world.give(a=NEW, b=NEW, c=NEW)
    site.statuses = [200, 200, status]
    handler = VerifyClientHandler(world)
    outcome = handler.attempt(verify(server), context)
    assert isinstance(outcome, Working)
    assert str(status) in outcome.progress.note
    assert isinstance(handler.attempt(verify(server), context), Done)
    assert len(server.asked) == 6


def test_the_row_goes_on_over_the_calls_of_one_attempt_and_not_over_attempts(
    world: World, site: Site, server: HttpServer
) -> None:
    world.give(a=NEW, b=NEW, c=NEW)
    site.seconds = 0.5
    handler = VerifyClientHandler(world)
    first = FakeContext(attempt=1)
    began = time.monotonic()
    outcome = handler.attempt(verify(server, times=4), first)
    assert time.monotonic() - began < 2
    assert isinstance(outcome, Working)
    before = len(server.asked)
    assert 1 <= before < 4
    site.seconds = 0
    assert isinstance(handler.attempt(verify(server, times=4), first), Done)
    assert len(server.asked) == 4

    site.seconds = 0.5
    assert isinstance(handler.attempt(verify(server, times=4), first), Working)
    site.seconds, before = 0, len(server.asked)
    assert isinstance(handler.attempt(verify(server, times=4), FakeContext(attempt=2)), Done)
    assert len(server.asked) == before + 4
