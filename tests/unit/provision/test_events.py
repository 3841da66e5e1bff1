"""What the engine's events come to."""

from __future__ import annotations

from typing import Any

from pulumi.automation.events import EngineEvent

from relight.provision.adapters.events import Watcher
from relight.provision.sizes import other_sizes, sizes_in

URN = "urn:pulumi:s::p::aws:autoscaling/group:Group::train-spot"


def a_step(kind: str, op: str, **more: Any) -> EngineEvent:
    metadata = {"op": op, "urn": URN, "type": "aws:autoscaling/group:Group", "provider": "", **more}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, kind: {"metadata": metadata}})


def a_diagnostic(severity: str, message: str, **more: Any) -> EngineEvent:
    content = {"severity": severity, "message": message, "color": "never", **more}
    return EngineEvent.from_json({"sequence": 1, "timestamp": 1, "diagnosticEvent": content})


def new(**inputs: Any) -> dict[str, Any]:
    return {"type": "t", "urn": URN, "id": "", "parent": "", "provider": "", "inputs": inputs, "outputs": {}}


def watched(*events: EngineEvent, total: int | None = None) -> tuple[Watcher, list[tuple[Any, ...]]]:
    told: list[tuple[Any, ...]] = []
    watcher = Watcher(
        lambda text: text.replace("planted", "[redacted]"), total, lambda *progress: told.append(progress)
    )
    for event in events:
        watcher.take(event)
    return watcher, told


def test_an_update_tells_the_properties_that_differ_and_their_new_values() -> None:
    detail = {"scalingConfig.desiredSize": {"diffKind": "update", "inputDiff": True}}
    watcher, told = watched(
        a_step(
            "resourcePreEvent",
            "update",
            new=new(scalingConfig={"desiredSize": 16, "minSize": 0}),
            diffs=["scalingConfig"],
            detailedDiff=detail,
        ),
        total=3,
    )
    (change,) = watcher.changes
    assert change.paths == ("scalingConfig.desiredSize",)
    assert change.values == {"scalingConfig.desiredSize": "16"}
    assert told == [(0, 3, "updating train-spot")]


def test_values_that_the_engine_made_up_and_secrets_stay_out_of_a_change() -> None:
    made = new(name="train-spot-8fa31c", size=4, note="planted", __defaults=["name"])
    watcher, _ = watched(a_step("resourcePreEvent", "create", new=made))
    (change,) = watcher.changes
    assert change.paths == ("name", "note", "size")
    assert change.values == {"note": '"[redacted]"', "size": "4"}


def test_what_stays_and_what_is_only_read_is_no_change_and_a_replacement_is_one() -> None:
    watcher, _ = watched(
        *(
            a_step("resourcePreEvent", op, new=new())
            for op in ("same", "read", "create-replacement", "replace", "delete-replaced")
        )
    )
    assert [change.op for change in watcher.changes] == ["replace"]
    assert watcher.same == 1


def test_a_refresh_says_at_the_end_what_it_found() -> None:
    watcher, _ = watched(
        a_step("resourcePreEvent", "refresh"), a_step("resOutputsEvent", "update", new=new(), diffs=["tags"])
    )
    assert [(change.op, change.paths) for change in watcher.changes] == [("update", ("tags",))]


def test_only_errors_are_kept_of_diagnostics_each_once_without_secrets_and_colours() -> None:
    error = a_diagnostic("error", "<{%fg 1%}>no planted room<{%reset%}>\n", urn=URN)
    watcher, _ = watched(
        a_diagnostic("debug", "planted"), error, error, a_diagnostic("error", "failed", urn=None)
    )
    assert watcher.errors == ["train-spot: no [redacted] room", "failed"]


def test_whole_values_are_in_the_digest_and_cut_ones_are_shown() -> None:
    policies = [f"{'x' * 300} Principal={who}" for who in ("arn:me", "*")]
    mine, everybodys = (
        watched(a_step("resourcePreEvent", "create", new=new(policy=policy)))[0].changes[0]
        for policy in policies
    )
    assert mine.values == everybodys.values
    assert len(mine.values["policy"]) == 200
    assert mine.digest != everybodys.digest


def test_a_deletion_that_is_left_of_a_replacement_is_a_change() -> None:
    watcher, _ = watched(a_step("resourcePreEvent", "delete-replaced"))
    assert [change.op for change in watcher.changes] == ["delete-replaced"]
    both = [a_step("resourcePreEvent", op) for op in ("create-replacement", "replace", "delete-replaced")]
    assert [change.op for change in watched(*both)[0].changes] == ["replace"]


def test_what_the_program_exports_now_is_told_and_never_what_the_state_had() -> None:
    def stack(nodes: int) -> EngineEvent:
        outputs = {"pools": {"train": {"spot": {"nodes": nodes, "urn": URN}}}, "key": {"4dabf": "[secret]"}}
        told = new() | {"outputs": outputs}
        return a_step("resOutputsEvent", "same", new=told, type="pulumi:pulumi:Stack")

    before, _ = watched(stack(2))
    assert sizes_in(before.outputs) == {}
    both, _ = watched(stack(2), stack(4))
    assert sizes_in(both.outputs) == {"train": {"spot": 4}}
    assert other_sizes({"spot": 4}, {"spot": 4, "own-metal": 0}) == ""
    assert other_sizes({"spot": 4}, {"own-metal": 1}) == "own-metal 0 instead of 1, spot 4 instead of 0"
