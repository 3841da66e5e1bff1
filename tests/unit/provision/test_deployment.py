"""What is pending in a state, and what settling it makes of the state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from relight.provision.adapters.deployment import is_empty, pending_creates, settle, without_secrets

MARK = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "v1:abc"}


def a_resource(name: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn:pulumi:s::p::t::{name}", "type": "t", "custom": True, **more}


def a_state(*pending: tuple[str, str], resources: tuple[str, ...] = ("old",)) -> dict[str, Any]:
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-03-01T03:00:00.5Z"},
            "resources": [a_resource(name, id=f"{name}-1", outputs={}) for name in resources],
            "pending_operations": [
                {"type": kind, "resource": a_resource(name, inputs={"key": MARK, "tags": {"a": "b"}})}
                for name, kind in pending
            ],
        },
    }


def test_only_creates_are_pending_creates_and_their_secrets_are_not_told() -> None:
    (pending,) = pending_creates(a_state(("new", "creating"), ("old", "updating")))
    assert (pending.name, pending.tags) == ("new", {"a": "b"})
    assert pending.inputs["key"] == "[secret]"
    assert pending.begun_at == datetime(2026, 3, 1, 3, 0, 0, 500_000, tzinfo=UTC)


def test_what_was_found_becomes_a_resource_and_the_rest_is_forgotten() -> None:
    state = a_state(("new", "creating"), ("lost", "creating"), ("old", "updating"))
    settled = settle(state, {"urn:pulumi:s::p::t::new": "new-7"})["deployment"]
    assert [(each["urn"], each["id"]) for each in settled["resources"]] == [
        ("urn:pulumi:s::p::t::old", "old-1"),
        ("urn:pulumi:s::p::t::new", "new-7"),
    ]
    assert settled["resources"][-1]["inputs"]["key"] == MARK  # still sealed
    assert [each["type"] for each in settled["pending_operations"]] == ["updating"]
    assert len(state["deployment"]["pending_operations"]) == 3


def test_what_an_adopted_resource_replaces_is_marked_for_deletion() -> None:
    settled = settle(a_state(("old", "creating")), {"urn:pulumi:s::p::t::old": "old-2"})["deployment"]
    assert [(each["id"], each.get("delete")) for each in settled["resources"]] == [
        ("old-1", True),
        ("old-2", None),
    ]


def test_what_the_state_has_already_is_known_and_never_adopted_as_its_own_replacement() -> None:
    state = a_state(("old", "creating"), resources=("old", "other"))
    (pending,) = pending_creates(state)
    assert pending.known == ("old-1", "other-1")
    for id_ in pending.known:
        settled = settle(state, {pending.urn: id_})["deployment"]
        assert [(each["id"], each.get("delete")) for each in settled["resources"]] == [
            ("old-1", None),
            ("other-1", None),
        ]
        assert not settled["pending_operations"]


def test_what_was_deleted_to_be_made_anew_may_come_back_under_its_id() -> None:
    state = a_state(("old", "creating"))
    state["deployment"]["resources"][0]["pendingReplacement"] = True
    (pending,) = pending_creates(state)
    assert pending.known == ()
    settled = settle(state, {pending.urn: "old-1"})["deployment"]
    assert [(each["id"], each.get("delete")) for each in settled["resources"]] == [("old-1", None)]


def test_a_state_of_nothing_but_providers_is_empty() -> None:
    state = a_state(resources=())
    stack, provider = a_resource("s", custom=False), a_resource("default")
    state["deployment"]["resources"] = [
        stack | {"type": "pulumi:pulumi:Stack"},
        provider | {"type": "pulumi:providers:aws"},
    ]
    assert is_empty(state)
    assert not is_empty(a_state())
    assert not is_empty(a_state(("new", "creating"), resources=()))


def test_secrets_at_any_depth_are_taken_out() -> None:
    assert without_secrets({"a": [{"b": MARK}], "c": 1}) == {"a": [{"b": "[secret]"}], "c": 1}
