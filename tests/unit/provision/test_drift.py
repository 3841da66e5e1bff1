"""How drift of several stacks is sorted."""

from __future__ import annotations

from relight.errors import NotFound, Unreachable
from relight.provision import Change, PendingCreate, sort_drift
from relight.provision.port import Drift
from rig.context import START

CHANGE = Change(urn="u::a", name="a", type="t", op="update", paths=("size",))
CUT_OFF = PendingCreate(urn="u::b", type="t", name="b", begun_at=START)


def look(name: str) -> Drift:
    match name:
        case "away":
            raise Unreachable("the state is out of reach")
        case "never":
            raise NotFound("it was never brought up")
        case "cut-off":
            return Drift(stack=name, pending=(CUT_OFF,))
        case "half":
            return Drift(stack=name, changes=(CHANGE,), unread={"c": "the cloud is busy"})
        case "blind":
            return Drift(stack=name, unread={"c": "the cloud is busy"})
    return Drift(stack=name)


def test_only_what_was_wholly_seen_and_is_as_it_should_be_is_clean() -> None:
    facts = sort_drift(look, ("away", "never", "cut-off", "half", "blind", "fine"))
    assert facts.clean == ("fine",)
    assert facts.never_up == ("never",)
    assert facts.drifted == {
        "cut-off": ("create t b: an update was cut off in it; it may be there or not",),
        "half": ("update t a: size",),
    }
    assert facts.unknown == {
        "away": "the state is out of reach",
        "half": "c could not be read: the cloud is busy",
        "blind": "c could not be read: the cloud is busy",
    }
