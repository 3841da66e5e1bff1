"""The name server of the sandbox keeps to RFC 2136 (updates) and RFC 8945 (signatures)."""

from __future__ import annotations

import base64
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update
import pytest

from relight.sandbox.nameserver import NameServer
from relight.sandbox.zone import Zone

NAME, OLD, NEW = "app.demo.test.", "127.0.1.1", "127.0.1.2"
KEY = dns.tsig.Key("relight.", base64.b64encode(b"k" * 32).decode(), dns.tsig.HMAC_SHA256)


@pytest.fixture
def zone() -> Zone:
    return Zone("demo.test.")


@pytest.fixture
def server(zone: Zone) -> NameServer:
    server = NameServer(zone, KEY)
    first = update()
    first.add(NAME, 1, "A", OLD)
    assert send(server, first) == dns.rcode.NOERROR
    return server


def update(zone: str = "demo.test.", key: dns.tsig.Key | None = KEY) -> dns.update.UpdateMessage:
    return dns.update.UpdateMessage(zone, keyring=key)


def send(server: NameServer, message: dns.update.UpdateMessage) -> int:
    answer = server.answer(message.to_wire())
    assert answer is not None
    # As a client reads it: the signature of the answer is checked too.
    read = dns.message.from_wire(answer.to_wire(), keyring=message.keyring, request_mac=message.mac)
    assert read.had_tsig == message.had_tsig
    return read.rcode()


def ask(server: NameServer, name: str = NAME, kind: str = "A") -> dns.message.Message:
    answer = server.answer(dns.message.make_query(name, kind).to_wire())
    assert answer is not None
    return dns.message.from_wire(answer.to_wire())


def addresses(server: NameServer, name: str = NAME) -> list[str]:
    return [str(record) for rrset in ask(server, name).answer for record in rrset]


def test_it_answers_with_authority_for_its_zone_alone(server: NameServer) -> None:
    answer = ask(server)
    assert answer.flags & dns.flags.AA
    assert answer.answer == [dns.rrset.from_text(NAME, 1, "IN", "A", OLD)]
    assert answer.answer[0].ttl == 1
    assert ask(server, "nothing.demo.test.").rcode() == dns.rcode.NXDOMAIN
    assert ask(server, "app.elsewhere.test.").rcode() == dns.rcode.REFUSED
    other_type = ask(server, NAME, "TXT")
    assert (other_type.rcode(), other_type.answer) == (dns.rcode.NOERROR, [])
    assert other_type.authority[0].rdtype == dns.rdatatype.SOA


def test_a_swap_whose_prerequisite_holds_is_made_and_counted(server: NameServer, zone: Zone) -> None:
    before = zone.serial
    swap = update()
    swap.present(NAME, "A", OLD)
    swap.replace(NAME, 1, "A", NEW)
    assert send(server, swap) == dns.rcode.NOERROR
    assert addresses(server) == [NEW]
    assert zone.serial == before + 1
    assert f" {zone.serial} " in str(ask(server, "demo.test.", "SOA").answer[0])


def test_of_two_swaps_from_the_same_record_the_second_changes_nothing(server: NameServer, zone: Zone) -> None:
    for target, rcode in ((NEW, dns.rcode.NOERROR), ("127.0.1.9", dns.rcode.NXRRSET)):
        swap = update()
        swap.present(NAME, "A", OLD)
        swap.replace(NAME, 1, "A", target)
        assert send(server, swap) == rcode
    assert addresses(server) == [NEW]


@pytest.mark.parametrize(
    ("require", "arguments", "rcode"),
    [
        ("present", (NAME,), dns.rcode.NOERROR),
        ("present", (NAME, "A"), dns.rcode.NOERROR),
        ("present", (NAME, "A", OLD), dns.rcode.NOERROR),
        ("present", (NAME, "A", NEW), dns.rcode.NXRRSET),
        ("present", (NAME, "TXT"), dns.rcode.NXRRSET),
        ("present", ("no.demo.test.",), dns.rcode.NXDOMAIN),
        ("absent", (NAME,), dns.rcode.YXDOMAIN),
        ("absent", (NAME, "A"), dns.rcode.YXRRSET),
        ("absent", (NAME, "TXT"), dns.rcode.NOERROR),
        ("absent", ("no.demo.test.",), dns.rcode.NOERROR),
        ("present", ("app.elsewhere.test.",), dns.rcode.NOTZONE),
    ],
)
def test_each_kind_of_prerequisite_is_honoured(
    server: NameServer, require: str, arguments: tuple[Any, ...], rcode: int
) -> None:
    change = update()
    getattr(change, require)(*arguments)
    change.add("seen.demo.test.", 1, "A", NEW)
    assert send(server, change) == rcode
    assert addresses(server, "seen.demo.test.") == ([NEW] if rcode == dns.rcode.NOERROR else [])


def test_a_value_prerequisite_means_the_whole_set(server: NameServer) -> None:
    more = update()
    more.add(NAME, 1, "A", NEW)
    assert send(server, more) == dns.rcode.NOERROR
    for values, rcode in (((OLD,), dns.rcode.NXRRSET), ((NEW, OLD), dns.rcode.NOERROR)):
        change = update()
        for value in values:
            change.present(NAME, "A", value)
        assert send(server, change) == rcode


def test_records_and_names_are_deleted_but_never_the_apex(server: NameServer) -> None:
    more = update()
    more.add(NAME, 1, "A", NEW)
    more.add(NAME, 1, "TXT", "hello")
    send(server, more)
    one = update()
    one.delete(NAME, "A", OLD)
    assert send(server, one) == dns.rcode.NOERROR
    assert addresses(server) == [NEW]
    every = update()
    every.delete(NAME)
    every.delete("demo.test.")
    assert send(server, every) == dns.rcode.NOERROR
    assert ask(server).rcode() == dns.rcode.NXDOMAIN
    assert ask(server, "demo.test.", "SOA").answer


def test_an_unsigned_update_is_refused(server: NameServer) -> None:
    change = update(key=None)
    change.replace(NAME, 1, "A", NEW)
    assert send(server, change) == dns.rcode.REFUSED
    assert addresses(server) == [OLD]


@pytest.mark.parametrize(
    ("key", "error"),
    [
        (
            dns.tsig.Key("relight.", base64.b64encode(b"x" * 32).decode(), dns.tsig.HMAC_SHA256),
            dns.tsig.PeerBadSignature,
        ),
        (dns.tsig.Key("other.", KEY.secret, dns.tsig.HMAC_SHA256), dns.tsig.PeerBadKey),
        (dns.tsig.Key("relight.", KEY.secret, dns.tsig.HMAC_SHA512), dns.tsig.PeerBadKey),
    ],
)
def test_a_wrong_signature_is_answered_with_what_is_wrong_about_it(
    server: NameServer, key: dns.tsig.Key, error: type[Exception]
) -> None:
    change = update(key=key)
    change.replace(NAME, 1, "A", NEW)
    with pytest.raises(error):
        send(server, change)
    answer = server.answer(change.to_wire())
    assert answer is not None
    assert answer.rcode() == dns.rcode.NOTAUTH
    assert addresses(server) == [OLD]


def test_a_signature_of_another_time_is_refused(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    change = update()
    change.replace(NAME, 1, "A", NEW)
    wire = change.to_wire()
    monkeypatch.setattr("time.time", lambda: 4e9)
    answer = server.answer(wire)
    assert answer is not None
    assert answer.tsig is not None
    assert (answer.rcode(), answer.tsig[0].error) == (dns.rcode.NOTAUTH, dns.rcode.BADTIME)
    assert addresses(server) == [OLD]


def test_an_update_of_another_zone_is_refused(server: NameServer) -> None:
    assert send(server, update("elsewhere.test.")) == dns.rcode.NOTAUTH


@pytest.mark.parametrize(
    "wire", [b"", b"\x00", b"\xff" * 40, b"\x12\x34" + b"\x00" * 9, b"\x12\x34\x00\x00\x00\x09" + b"\x00" * 6]
)
def test_nonsense_is_answered_with_a_form_error_or_not_at_all(server: NameServer, wire: bytes) -> None:
    answer = server.answer(wire)
    assert answer is None or answer.rcode() == dns.rcode.FORMERR


def test_an_answer_is_not_answered(server: NameServer) -> None:
    assert server.answer(ask(server).to_wire()) is None
