"""Drift: where clouds are not as the states of their stacks have them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from relight.errors import NotFound, RelightError
from relight.provision.port import Drift, Stacks
from relight.provision.steps import StackDriftFacts
from relight.provision.wording import describe


def drift_of(stacks: Stacks, names: Iterable[str]) -> StackDriftFacts:
    """Look at each stack; one that cannot be looked at is told as unknown, and hides no other."""
    return sort_drift(stacks.drift, names)


def sort_drift(look: Callable[[str], Drift], names: Iterable[str]) -> StackDriftFacts:
    """What `look` says of each stack, which may be of several projects."""
    drifted: dict[str, tuple[str, ...]] = {}
    clean: list[str] = []
    unknown: dict[str, str] = {}
    never_up: list[str] = []
    for name in names:
        try:
            drift = look(name)
        except NotFound:
            never_up.append(name)
            continue
        except RelightError as error:
            unknown[name] = error.what
            continue
        if drift.is_clean:
            clean.append(name)
        if drift.changes or drift.pending:
            drifted[name] = _lines(drift)
        if drift.unread:
            unknown[name] = _told(drift.unread)
    return StackDriftFacts(clean=tuple(clean), drifted=drifted, unknown=unknown, never_up=tuple(never_up))


def _lines(drift: Drift) -> tuple[str, ...]:
    cut_off = [
        f"create {create.type} {create.name}: an update was cut off in it; it may be there or not"
        for create in drift.pending
    ]
    return (*(describe(change) for change in drift.changes), *cut_off)


def _told(unread: Mapping[str, str]) -> str:
    return "; ".join(f"{name} could not be read: {why}" for name, why in unread.items())
