"""Whether what an update would do is what somebody approved, or what is left of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from relight.canonical import digest_of
from relight.provision.port import Approved, Change
from relight.provision.wording import describe

_UNKNOWN = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
}
"""How Pulumi writes a value that is known only later (sdk/go/common/resource/plugin/rpc.go), by its type."""

_DEFAULTS = "__defaults"  # names of values that a provider made up: a random suffix differs in every preview
_LEFT = {
    "create": {"create", "update"},  # an adopted one may lack what came after its creation
    "replace": {"replace", "create-replacement", "delete-replaced", "remove-pending-replace", "update"},
}
"""What may be left of a change; of others only they themselves."""


def open_values(inputs: Mapping[str, Any]) -> tuple[str, ...]:
    """Paths of what cannot be compared between two previews: what is known only later, or is made up."""
    return tuple(sorted(_find_open(inputs, "")))


def fingerprint(inputs: Mapping[str, Any], open_: Iterable[str]) -> str:
    """A digest of all that the program gives a resource, but for what is open."""
    return digest_of(_closed(inputs, "", frozenset(open_)))


def deviations(
    approved: Iterable[Approved], changes: Iterable[Change], wanted: Mapping[str, Mapping[str, Any]]
) -> tuple[str, ...]:
    """What of an update is not what is left of `approved`, as lines; nothing: it does that and no more.

    `wanted` is what the program gives every resource now, by URN. What of the approved is done already must
    be as it was approved, too: the rest of a change whose other half was taken back is another change.
    """
    allowed: dict[str, set[str]] = {}
    sealed: dict[str, dict[str, str]] = {}
    strange: dict[str, str] = {}
    for each in approved:
        allowed.setdefault(each.urn, set()).update(_LEFT.get(each.op, {each.op}))
        sealed.setdefault(each.urn, {}).update(each.sealed)
        if each.digest:
            inputs = wanted.get(each.urn)
            if inputs is None or fingerprint(inputs, each.open) != each.digest:
                strange[each.urn] = f"{each.urn.rpartition('::')[2]} is to be something else"
        elif each.op == "delete" and each.urn in wanted:
            strange[each.urn] = f"{each.urn.rpartition('::')[2]} is to stay"
    for change in changes:
        if change.op not in allowed.get(change.urn, ()):
            strange[change.urn] = describe(change)
        elif not change.sealed.items() <= sealed[change.urn].items():
            strange[change.urn] = f"{change.name} is to have another secret"
    return tuple(strange.values())


def _find_open(value: Any, path: str) -> Iterable[str]:
    if isinstance(value, str) and value in _UNKNOWN:
        yield path
    elif isinstance(value, Mapping):
        for name in value.get(_DEFAULTS) or ():
            yield f"{path}/{name}"
        for key, inner in value.items():
            yield from _find_open(inner, f"{path}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _find_open(inner, f"{path}/{index}")


def _closed(value: Any, path: str, open_: frozenset[str]) -> Any:
    if path in open_:
        return None
    if isinstance(value, Mapping):
        return {
            key: _closed(inner, f"{path}/{key}", open_)
            for key, inner in value.items()
            if key != _DEFAULTS and (path or not key.startswith("__")) and f"{path}/{key}" not in open_
        }
    if isinstance(value, list):
        return [_closed(inner, f"{path}/{index}", open_) for index, inner in enumerate(value)]
    return value
