"""The rules that every stack keeps, as plain functions over its resources.

Asked twice: of recorded graphs by the tests (`violations`), and of a real preview or update by the
engine, through the CrossGuard pack in `stacks/policy`. Neither Pulumi nor a cloud's SDK is imported here:
a pack has an environment of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from relight.estate import Estate
from relight.topology.policy import exposure, independence, keeping, keys, labels, names, stores
from relight.topology.policy.independence import ONE_REGION
from relight.topology.policy.subjects import UNKNOWN, Rule, Scene, Subject, Violation

RULES: tuple[Rule, ...] = (
    *stores.RULES,
    *keys.RULES,
    *labels.RULES,
    *exposure.RULES,
    *names.RULES,
    *independence.RULES,
    *keeping.RULES,
)


class Recorded(Protocol):
    """A graph of `relight.topology.graph`, as far as rules look at it."""

    @property
    def resources(self) -> Iterable[Any]:
        """Resources with type, name, inputs, component, looked_up, protect, depends_on and options."""


def violations(graph: Recorded, estate: Estate, stack: str) -> tuple[Violation, ...]:
    """Every rule that a resource of a recorded graph breaks, in the order of the rules."""
    subjects = tuple(
        Subject(
            type=resource.type,
            name=resource.name,
            inputs=resource.inputs,
            protect=resource.protect,
            ignored=tuple(resource.options.get("ignore_changes", ())),
            depends_on=tuple(resource.depends_on),
            adopted=bool(resource.looked_up),
        )
        for resource in graph.resources
        if not resource.component
    )
    return judge(subjects, estate, stack)


def judge(subjects: tuple[Subject, ...], estate: Estate, stack: str) -> tuple[Violation, ...]:
    """Every rule that a subject breaks."""
    scene = Scene(estate, stack, subjects)
    return tuple(
        violation for rule in RULES for subject in subjects for violation in rule.violations(subject, scene)
    )


__all__ = ["ONE_REGION", "RULES", "UNKNOWN", "Rule", "Scene", "Subject", "Violation", "judge", "violations"]
