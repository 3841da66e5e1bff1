"""Marks of secrets, of the plan that the engine writes into a pipe."""

from __future__ import annotations

import json
from typing import Any

from relight.provision.adapters.sealed import open_plan_pipe

LATER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def sealed(secret: Any) -> dict[str, str]:
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    return {**mark, "plaintext": json.dumps(secret)}


def marks(key: str = "", kind: str = "standin:index:Key", **inputs: Any) -> dict[str, str]:
    plan = {"resourcePlans": {"u": {"goal": {"type": kind, "inputDiff": {"adds": inputs}}}, "v": {}}}
    with open_plan_pipe() as pipe, pipe.path.open("w") as file:
        json.dump(plan, file)
    return pipe.marks("south", key).get("u", {})


def test_another_secret_place_or_passphrase_has_another_mark_and_none_shows_the_secret() -> None:
    seen = marks(a=sealed("tiger"), b={"c": [1, sealed({"d": "tiger"})]}, plain="tiger", size=LATER)
    assert sorted(seen) == ["/a", "/b/c/1"]
    assert {len(mark) for mark in seen.values()} == {4}
    assert marks(a=sealed("tiger"))["/a"] == seen["/a"]
    others = {
        marks(a=sealed("lion"))["/a"],
        marks(b=sealed("tiger"))["/b"],
        marks(key="x", a=sealed("tiger"))["/a"],
    }
    assert seen["/a"] not in others


def test_what_is_known_only_later_and_what_providers_sign_in_with_has_no_mark() -> None:
    assert marks(a=sealed(LATER)) == {}
    assert marks(kind="pulumi:providers:aws", a=sealed("tiger")) == {}


def test_a_preview_that_failed_left_nothing_in_the_pipe() -> None:
    with open_plan_pipe() as pipe:
        pass
    assert pipe.marks("south", "") == {}
    assert not pipe.path.exists()


def test_a_plan_of_any_size_goes_through() -> None:
    assert marks(a=sealed("x" * 500_000)).keys() == {"/a"}
