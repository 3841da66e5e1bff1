"""Drift: where clouds are not as the states of their stacks have them."""

from __future__ import annotations

from collections.abc import Iterable

from relight.errors import RelightError
from relight.provision.port import Stacks
from relight.provision.steps import StackDriftFacts
from relight.provision.wording import describe


def drift_of(stacks: Stacks, names: Iterable[str]) -> StackDriftFacts:
    """Look at each stack; one that cannot be looked at is told as unknown, and hides no other."""
    drifted: dict[str, tuple[str, ...]] = {}
    clean: list[str] = []
    unknown: dict[str, str] = {}
    for name in names:
        try:
            drift = stacks.drift(name)
        except RelightError as error:
            unknown[name] = error.what
            continue
        if drift.is_clean:
            clean.append(name)
        else:
            drifted[name] = tuple(describe(change) for change in drift.changes)
    return StackDriftFacts(clean=tuple(clean), drifted=drifted, unknown=unknown)
