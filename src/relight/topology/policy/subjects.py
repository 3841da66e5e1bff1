"""What rules are asked about: the resources of one stack as plain data, whoever recorded them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from relight.estate import AwsSite, Estate, GoogleSite

UNKNOWN = "[unknown]"
"""Stands for a value that only the update will know; no rule complains about what it cannot see."""


@dataclass(frozen=True)
class Subject:
    """One resource: its type token, logical name and inputs, by wire names (camelCase)."""

    type: str
    name: str
    inputs: Mapping[str, Any]
    protect: bool = False
    ignored: tuple[str, ...] = ()  # ignore_changes
    depends_on: tuple[str, ...] = ()  # addresses
    adopted: bool = False  # only looked up: its owner keeps it

    @property
    def address(self) -> str:
        """How others name it: "type::name"."""
        return f"{self.type}::{self.name}"


@dataclass(frozen=True)
class Scene:
    """The stack that the resources stand in, all of them, and the estate."""

    estate: Estate
    stack: str
    subjects: tuple[Subject, ...] = ()

    def around(self, subject: Subject, type_: str) -> Iterator[Subject]:
        """Resources of a type that say something about a subject: those that depend on it."""
        return (
            other for other in self.subjects if other.type == type_ and subject.address in other.depends_on
        )

    def beneath(self, subject: Subject, type_: str) -> Iterator[Subject]:
        """Resources of a type that a subject depends on, near or far."""
        by_address = {other.address: other for other in self.subjects}
        seen: set[str] = set()
        waiting = list(subject.depends_on)
        while waiting:
            address = waiting.pop()
            other = by_address.get(address)
            if other is None or address in seen:
                continue
            seen.add(address)
            waiting.extend(other.depends_on)
            if other.type == type_:
                yield other

    def region_of(self, site: str) -> str | None:
        """The region of a site in a cloud."""
        match self.estate.sites.get(site):
            case AwsSite(region=region) | GoogleSite(region=region):
                return region
            case _:
                return None


@dataclass(frozen=True)
class Violation:
    """A rule that a resource breaks, and what to do."""

    rule: str
    address: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.address}: {self.what} ({self.remedy}) [{self.rule}]"


Breach = tuple[str, str]
"""What is wrong, and what to do."""


@dataclass(frozen=True)
class Rule:
    """One rule; `whole` where it must see the other resources of the stack."""

    name: str
    says: str
    check: Callable[[Subject, Scene], Iterator[Breach]]
    whole: bool = False

    def violations(self, subject: Subject, scene: Scene) -> Iterator[Violation]:
        """What a subject breaks of this rule."""
        if not subject.adopted:
            for what, remedy in self.check(subject, scene):
                yield Violation(self.name, subject.address, what, remedy)


def at(value: Any, *path: str | int) -> Any:
    """What stands at a path inside of inputs; None where the path ends early, UNKNOWN where nobody knows."""
    for step in path:
        if value == UNKNOWN:
            return UNKNOWN
        if isinstance(step, str):
            value = value.get(step) if isinstance(value, Mapping) else None
        else:
            value = value[step] if isinstance(value, list) and len(value) > step else None
    return value


def is_true(value: Any) -> bool:
    """Whether something is switched on, as far as one can see."""
    return value in (True, "true", "True", UNKNOWN)


def each(value: Any) -> list[Any]:
    """A list, or nothing."""
    return value if isinstance(value, list) else []


def texts(value: Any) -> Iterator[str]:
    """Every piece of text inside of inputs."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
