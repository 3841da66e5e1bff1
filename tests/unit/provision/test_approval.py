"""What of an update is what somebody approved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from relight.provision.approval import deviations, fingerprint, open_values
from relight.provision.port import Approved, Change

LATER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def urn(name: str) -> str:
    return f"urn:pulumi:s::p::t::{name}"


def a_change(name: str, op: str, inputs: Mapping[str, Any] | None = None) -> Change:
    open_ = open_values(inputs) if inputs else ()
    return Change(
        urn=urn(name),
        name=name,
        type="t",
        op=op,
        digest=fingerprint(inputs, open_) if inputs else "",
        open=open_,
    )


def approved(*changes: Change) -> tuple[Approved, ...]:
    return tuple(change.approved for change in changes)


NET: dict[str, Any] = {"cidr": "10.0.0.0/16"}
SUBNET: dict[str, Any] = {
    "network": LATER,
    "rules": [{"from": LATER, "port": 22}],
    "name": "a-8fa3",
    "__defaults": ["name"],
}
MADE: dict[str, Any] = {
    "network": "vpc-1",
    "rules": [{"from": "sg-1", "port": 22}],
    "name": "a-77b0",
    "__defaults": ["name"],
}
SEEN = approved(
    a_change("net", "create", NET), a_change("subnet", "create", SUBNET), a_change("old", "delete")
)


def test_what_is_left_is_told_by_what_was_known_when_it_was_approved() -> None:
    left = (a_change("subnet", "create", MADE), a_change("old", "delete"))
    assert deviations(SEEN, left, {urn("net"): NET, urn("subnet"): MADE}) == ()
    assert deviations(SEEN, (), {urn("net"): NET, urn("subnet"): MADE}) == ()


@pytest.mark.parametrize(
    "subnet",
    [MADE | {"rules": [{"from": "sg-1", "port": 23}]}, MADE | {"public": True}, {"network": "vpc-1"}],
)
def test_whatever_else_a_resource_is_given_deviates(subnet: dict[str, Any]) -> None:
    wanted = {urn("net"): NET, urn("subnet"): subnet}
    said = ("subnet is to be something else",)
    assert deviations(SEEN, (a_change("subnet", "create", subnet),), wanted) == said


def test_what_is_done_already_must_still_be_wanted_as_it_was_approved() -> None:
    left = (a_change("old", "delete"),)
    assert deviations(SEEN, left, {urn("subnet"): MADE}) == ("net is to be something else",)
    wanted = {urn("net"): {"cidr": "10.1.0.0/16"}, urn("subnet"): MADE}
    assert deviations(SEEN, left, wanted) == ("net is to be something else",)
    kept = {urn("net"): NET, urn("subnet"): MADE, urn("old"): {}}
    assert deviations(SEEN, (), kept) == ("old is to stay",)


def test_a_change_that_nobody_saw_deviates_whatever_it_is() -> None:
    wanted = {urn("net"): NET, urn("subnet"): MADE}
    for strange in (a_change("extra", "create", NET), a_change("net", "delete"), a_change("net", "replace")):
        (said,) = deviations(SEEN, (strange,), wanted)
        assert said.startswith(f"{strange.op} t {strange.name}")


def test_of_a_replacement_the_deletion_of_the_old_one_may_be_left_and_of_a_creation_an_update() -> None:
    seen = approved(a_change("net", "replace", NET))
    assert deviations(seen, (a_change("net", "delete-replaced"),), {urn("net"): NET}) == ()
    assert deviations(SEEN, (a_change("net", "update", NET),), {urn("net"): NET, urn("subnet"): MADE}) == ()
    alone = approved(a_change("net", "update", NET))
    assert deviations(alone, (a_change("net", "delete-replaced"),), {urn("net"): NET})


def test_another_secret_deviates_and_one_that_is_set_already_does_not() -> None:
    key = a_change("key", "create", NET).model_copy(update={"sealed": {"/a": "1f2e", "/b": "77aa"}})
    seen, wanted = approved(key), {urn("key"): NET}
    assert deviations(seen, (key,), wanted) == ()
    left = key.model_copy(update={"op": "update", "sealed": {"/b": "77aa"}})
    assert deviations(seen, (left,), wanted) == ()
    for sealed in ({"/b": "0000"}, {"/c": "77aa"}):
        other = left.model_copy(update={"sealed": sealed})
        assert deviations(seen, (other,), wanted) == ("key is to have another secret",)
