"""A stack's state as the engine exports it: what is pending in it, and how that is settled. Pure.

Secrets stand in an export as ciphertext and stay so; they are recognised by their mark.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from relight.provision.port import PendingCreate

MARK, SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
"""Pulumi's mark of a special value, and the kind that is a secret (sdk/go/common/resource/sig)."""


def pending_creates(state: Mapping[str, Any]) -> tuple[PendingCreate, ...]:
    """Creates that an update began and did not see finished."""
    deployment = state["deployment"]
    known = _known(deployment)
    written = datetime.fromisoformat(deployment["manifest"]["time"])
    return tuple(
        PendingCreate(
            urn=operation["resource"]["urn"],
            type=operation["resource"]["type"],
            name=operation["resource"]["urn"].rpartition("::")[2],
            inputs=without_secrets(operation["resource"].get("inputs") or {}),
            begun_at=written,
            known=tuple(sorted(known.get(operation["resource"]["type"], ()))),
        )
        for operation in deployment.get("pending_operations") or ()
        if operation["type"] == "creating"
    )


def settle(state: Mapping[str, Any], adopt: Mapping[str, str]) -> dict[str, Any]:
    """The state with no create pending: those in `adopt` (URN to id) are its resources, others are gone.

    What the state has already is never adopted again: marked as replaced by itself, it would be deleted.
    `refresh --import-pending-creates` of the engine (3.260) loses them: it drops what is pending first.
    """
    deployment = dict(state["deployment"])
    operations = deployment.get("pending_operations") or []
    creating = [op["resource"] for op in operations if op["type"] == "creating"]
    known = _known(deployment)
    adopted = [
        {**resource, "id": adopt[resource["urn"]], "outputs": resource.get("inputs") or {}}
        for resource in creating
        if resource["urn"] in adopt and adopt[resource["urn"]] not in known.get(resource["type"], ())
    ]
    replaced = {resource["urn"] for resource in adopted}
    resources = [
        {**resource, "delete": True} if resource["urn"] in replaced else resource
        for resource in deployment.get("resources") or []
        if not (resource["urn"] in replaced and resource.get("pendingReplacement"))
    ]
    rest = [op for op in operations if op["type"] != "creating"]
    return {
        **state,
        "deployment": {**deployment, "resources": resources + adopted, "pending_operations": rest},
    }


def is_empty(state: Mapping[str, Any]) -> bool:
    """Whether the state has nothing that stands in a cloud: it was never brought up, or is destroyed."""
    deployment = state["deployment"]
    ours = ("pulumi:pulumi:", "pulumi:providers:")
    resources = deployment.get("resources") or ()
    made = [each for each in resources if each.get("custom") and not each["type"].startswith(ours)]
    return not made and not deployment.get("pending_operations")


def _known(deployment: Mapping[str, Any]) -> dict[str, set[str]]:
    """Ids per type of what the state has; what was deleted to be made anew is no more."""
    known: dict[str, set[str]] = {}
    for resource in deployment.get("resources") or ():
        if resource.get("id") and not resource.get("pendingReplacement"):
            known.setdefault(resource["type"], set()).add(resource["id"])
    return known


def without_secrets(value: Any) -> Any:
    """A JSON-like value whose secrets are "[secret]"."""
    if isinstance(value, dict):
        if value.get(MARK) == SECRET:
            return "[secret]"
        return {key: without_secrets(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [without_secrets(inner) for inner in value]
    return value
