"""The promises of `Names`, kept by the fake and by the RFC 2136 adapter against two real servers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import uuid4

import dns.message
import dns.query
import dns.tsig
import pytest

from relight.errors import Conflict, Refused, Unreachable, UsageError
from relight.estate import NameServer, Secrets, TsigKey
from relight.sandbox import nameserver
from relight.sandbox.layout import free_ports
from relight.sandbox.zone import Zone
from relight.traffic import Names
from relight.traffic.adapters.rfc2136 import SignedNames
from relight.traffic.fake import FakeNames
from rig.bind import GET_BIND, KEY_NAME, KEY_SECRET, READER, ZONE, bind_server, find_named
from rig.races import race

OLD, NEW, OTHER = "127.0.1.1", "127.0.1.2", "127.0.1.3"


@dataclass(frozen=True)
class Serving:
    """A server, as it is asked with the right key, with a wrong one, and how it is made to fall silent."""

    names: Names
    with_wrong_key: Names
    port: int
    die: Callable[[], None]


def asking(port: int, folder: Path, secret: str = KEY_SECRET, key: str = KEY_NAME) -> SignedNames:
    (folder / f"key-{secret[:4]}").write_text(secret)
    declared = NameServer(
        address=IPv4Address("127.0.0.1"), port=port, key=TsigKey(name=key, secret=f"file:key-{secret[:4]}")
    )
    return SignedNames("ns", declared, Secrets(folder))


def serving(port: int, folder: Path, die: Callable[[], None]) -> Serving:
    return Serving(asking(port, folder), asking(port, folder, "d3Jvbmctd3Jvbmc="), port, die)


def fake() -> Serving:
    names, wrong = FakeNames(ZONE), FakeNames(ZONE)
    wrong.accepts_key = False

    def die() -> None:
        names.reachable = False

    return Serving(names, wrong, 0, die)


def sandbox_server(folder: Path, stack: ExitStack) -> Serving:
    key = dns.tsig.Key(KEY_NAME, KEY_SECRET, dns.tsig.HMAC_SHA256)
    names, port = nameserver.NameServer(Zone(ZONE), key), free_ports(1)[0]
    servers = (
        nameserver.UdpServer(("127.0.0.1", port), names),
        nameserver.TcpServer(("127.0.0.1", port), names),
    )

    def die() -> None:
        for server in servers:
            server.shutdown()
            server.server_close()

    for server in servers:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        stack.callback(thread.join)
    stack.callback(die)
    return serving(port, folder, die)


@pytest.fixture(scope="module", params=["fake", "bind", "sandbox"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as stack:
        if request.param == "fake":
            yield fake()
        elif request.param == "sandbox":
            yield sandbox_server(folder, stack)
        elif program := find_named():
            bind = stack.enter_context(bind_server(program, folder))
            yield serving(bind.port, folder, bind.kill)
        else:
            pytest.skip(f"no named: {GET_BIND}")


@pytest.fixture
def names(server: Serving) -> Names:
    return server.names


@pytest.fixture
def name() -> str:
    """A name that nobody has used."""
    return f"n{uuid4().hex[:8]}.{ZONE}"


def test_a_name_without_a_record_has_no_address(names: Names, name: str) -> None:
    assert names.address(name) is None


def test_a_record_is_made_where_there_was_none_and_changed_where_it_is_as_believed(
    names: Names, name: str
) -> None:
    names.swap(ZONE, name, ttl=1, old=None, new=OLD)
    assert names.address(name) == OLD
    names.swap(ZONE, name, ttl=1, old=OLD, new=NEW)
    assert names.address(name) == NEW


def test_a_record_that_is_something_else_stays_and_the_swap_is_a_conflict(names: Names, name: str) -> None:
    with pytest.raises(Conflict):
        names.swap(ZONE, name, ttl=1, old=OLD, new=NEW)
    assert names.address(name) is None
    names.swap(ZONE, name, ttl=1, old=None, new=OTHER)
    for believed in (OLD, None):
        with pytest.raises(Conflict):
            names.swap(ZONE, name, ttl=1, old=believed, new=NEW)
    assert names.address(name) == OTHER


def test_of_many_that_swap_at_once_one_wins(names: Names, name: str) -> None:
    names.swap(ZONE, name, ttl=1, old=None, new=OLD)

    def swap(number: int) -> str | None:
        try:
            names.swap(ZONE, name, ttl=1, old=OLD, new=f"127.0.2.{number}")
        except Conflict:
            return None
        return f"127.0.2.{number}"

    winners: list[object] = [winner for winner in race(6, swap) if winner]
    assert winners == [names.address(name)]


def test_a_key_that_is_not_accepted_is_refused_and_changes_nothing(server: Serving, name: str) -> None:
    with pytest.raises(Refused):
        server.with_wrong_key.swap(ZONE, name, ttl=1, old=None, new=NEW)
    assert server.names.address(name) is None


def test_a_zone_that_the_server_does_not_hold_is_refused(names: Names) -> None:
    with pytest.raises(Refused):
        names.swap("other.test.", "app.other.test.", ttl=1, old=None, new=NEW)
    with pytest.raises(Refused):
        names.address("app.other.test.")


def test_a_name_outside_the_zone_is_refused(names: Names) -> None:
    with pytest.raises(Refused):
        names.swap(ZONE, "app.other.test.", ttl=1, old=None, new=NEW)


def test_a_key_of_an_unknown_name_is_refused(server: Serving, name: str, tmp_path: Path) -> None:
    if server.port:
        with pytest.raises(Refused, match="stranger"):
            asking(server.port, tmp_path, key="stranger.").swap(ZONE, name, ttl=1, old=None, new=NEW)


def test_a_clock_that_is_wrong_is_named_as_the_reason(
    server: Serving, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not server.port:
        pytest.skip("a fake has no clock")
    sign: Any = dns.tsig.sign

    def sign_late(wire: bytes, key: Any, rdata: Any, at: int, *rest: Any) -> Any:
        ours = threading.current_thread() is threading.main_thread()  # a server in this process has the time
        return sign(wire, key, rdata, at - 3600 if ours else at, *rest)

    monkeypatch.setattr(dns.tsig, "sign", sign_late)
    with pytest.raises(Refused, match="time"):
        server.names.swap(ZONE, name, ttl=1, old=None, new=NEW)


def zone_serial(port: int) -> int:
    answer = dns.query.udp(dns.message.make_query(ZONE, "SOA"), "127.0.0.1", 2, port)
    serial: int = answer.answer[0][0].serial
    return serial


@pytest.mark.parametrize("old", [None, OLD])
def test_a_rehearsal_is_taken_and_changes_nothing(server: Serving, name: str, old: str | None) -> None:
    if old:
        server.names.swap(ZONE, name, ttl=1, old=None, new=old)
    before = zone_serial(server.port) if server.port else 0
    server.names.rehearse(ZONE, name)
    assert server.names.address(name) == old
    assert (zone_serial(server.port) if server.port else 0) == before


def test_a_rehearsal_finds_a_key_or_a_zone_that_is_not_accepted(server: Serving, name: str) -> None:
    with pytest.raises(Refused):
        server.with_wrong_key.rehearse(ZONE, name)
    with pytest.raises(Refused):
        server.names.rehearse("other.test.", "app.other.test.")


@pytest.mark.parametrize("server", ["bind"], indirect=True)
def test_a_rehearsal_finds_a_key_that_is_known_but_may_change_nothing(
    server: Serving, name: str, tmp_path: Path
) -> None:
    with pytest.raises(Refused):
        asking(server.port, tmp_path, key=READER).rehearse(ZONE, name)


def test_a_secret_that_is_no_key_is_told_without_showing_it(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="not base64") as told:
        asking(1, tmp_path, secret="not base64 at all").swap(ZONE, name, ttl=1, old=None, new=NEW)
    assert "at all" not in str(told.value)


def test_zz_a_server_that_died_is_unreachable(server: Serving, name: str) -> None:
    server.die()  # the last test of this file, for each server
    with pytest.raises(Unreachable):
        server.names.address(name)
    with pytest.raises(Unreachable):
        server.names.rehearse(ZONE, name)
    with pytest.raises(Unreachable):
        server.names.swap(ZONE, name, ttl=1, old=None, new=NEW)
