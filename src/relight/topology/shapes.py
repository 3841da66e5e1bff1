"""The annotations of an SDK, compiled into shapes that a plain value fits or complains about.

A shape says what is wanted in words, and yields one complaint for each thing that does not fit, with its path
inside the resource. Secrets are looked into; what only an update will know fits everywhere.
"""

from __future__ import annotations

import inspect
import re
import sys
import types
import typing
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import Enum
from functools import cache, cached_property
from typing import Any, Literal, Protocol

import pulumi

from relight.topology.wire import Asset, Reference, Secret, Unknown

# Annotated `str | Enum`, and any text may be right: lists that clouds lengthen faster than the SDKs do, and
# protocols, which go by their number too ("-1", "50").
GROWING = frozenset({"InstanceType", "InstancePlatform", "EngineType", "ProtocolType", "Runtime"})
# Values that a cloud documents and its SDK's enum lacks.
LAGGING: Mapping[str, tuple[str, ...]] = {
    "PlacementStrategy": ("partition",),
    "RecordType": ("DS", "HTTPS", "SSHFP", "SVCB", "TLSA"),
    "StorageType": ("io2",),
    "Tenancy": ("host",),
}

_NAMES = {"Output": pulumi.Output, "T": typing.TypeVar("T")}  # what `pulumi.Input` refers to by name


@dataclass(frozen=True)
class Complaint:
    """One thing that does not fit: where inside the resource, and what."""

    path: str
    what: str
    got: str = ""  # the value in words; "a secret" where its text must not be shown

    def __str__(self) -> str:
        said = f"{self.what}, got {self.got}" if self.got else self.what
        return f"{self.path}: {said}" if self.path else said


class Shape(Protocol):
    """What a value must look like."""

    @property
    def wants(self) -> str:
        """What is wanted, in words: `a whole number`."""
        ...

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """Everything about the value that does not fit, nothing where it does."""
        ...


@dataclass(frozen=True)
class AnyShape:
    """Anything goes: the SDK says no more."""

    wants: str = "anything"

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:  # noqa: ARG002
        """Nothing ever."""
        yield from ()


@dataclass(frozen=True)
class ScalarShape:
    """Text, a number, or true and false; true is no number, and 1 is not true."""

    kind: type
    wants: str

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """One, if the value is of another type."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        fits = is_number if self.kind is float else type(value) is self.kind
        if not fits:
            yield Complaint(path, f"wants {self.wants}", describe(value))


@dataclass(frozen=True)
class ChoiceShape:
    """One of a closed set of values: an enum of the SDK, or a constant such as a `kind`."""

    values: tuple[Any, ...]

    @property
    def wants(self) -> str:
        """All values there are."""
        return "one of " + ", ".join(str(value) for value in self.values)

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """One, if the value is not of the set."""
        if value not in self.values or isinstance(value, bool):
            yield Complaint(path, f"wants {self.wants}", describe(value))


@dataclass(frozen=True)
class AssetShape:
    """A file, text or archive."""

    wants: str = "an asset or archive"

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """One, if the value is something else."""
        if not isinstance(value, Asset):
            yield Complaint(path, f"wants {self.wants}", describe(value))


@dataclass(frozen=True)
class ReferenceShape:
    """Another resource, passed whole or by its id."""

    wants: str = "a resource"

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """One, if the value is no resource and no id."""
        if not isinstance(value, Reference | str):
            yield Complaint(path, f"wants {self.wants}", describe(value))


@dataclass(frozen=True)
class ListShape:
    """A list of one kind of thing."""

    item: Any

    @property
    def wants(self) -> str:
        """A list of what."""
        return "a list"

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """Those of every item, by its index."""
        if not isinstance(value, list):
            yield Complaint(path, f"wants {self.wants}", describe(value))
            return
        shape = shape_of(self.item)
        for index, item in enumerate(value):
            yield from look(shape, item, f"{path}[{index}]")


@dataclass(frozen=True)
class MapShape:
    """A mapping with keys of the user's own, such as tags or labels."""

    item: Any
    wants: str = "a mapping"

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """Those of every value, by its key."""
        if not isinstance(value, dict):
            yield Complaint(path, f"wants {self.wants}", describe(value))
            return
        shape = shape_of(self.item)
        for key, item in value.items():
            yield from look(shape, item, f"{path}[{key!r}]")


@dataclass(frozen=True)
class UnionShape:
    """Any one of several shapes."""

    members: tuple[Shape, ...]

    @property
    def wants(self) -> str:
        """All of them."""
        return " or ".join(member.wants for member in self.members)

    def complaints(self, value: Any, path: str) -> Iterator[Complaint]:
        """Nothing if one member fits; else the complaints of the member that comes nearest."""
        found = [list(member.complaints(value, path)) for member in self.members]
        if not all(found):
            return
        deep = [member for member in found if any(complaint.path != path for complaint in member)]
        if deep:
            yield from min(deep, key=len)
        else:
            yield Complaint(path, f"wants {self.wants}", describe(value))


@dataclass(frozen=True)
class ObjectShape:
    """A mapping whose keys the SDK names: the arguments of a resource, or a block inside them."""

    name: str
    annotations: Callable[[], Mapping[str, tuple[Any, bool]]]  # by wire name, with whether it is required
    wants: str = "a mapping"

    @cached_property
    def _properties(self) -> dict[str, tuple[Shape, bool]]:
        return {key: (shape_of(hint), required) for key, (hint, required) in self.annotations().items()}

    def property(self, key: str) -> Shape:
        """The shape of one property; anything goes for one that is not known."""
        return self._properties.get(key, (AnyShape(), False))[0]

    def complaints(self, value: Any, path: str, *, partly: bool = False) -> Iterator[Complaint]:
        """Unknown keys, missing ones (unless only part is wanted), and those of every value."""
        if not isinstance(value, dict):
            yield Complaint(path, f"wants {self.wants}", describe(value))
            return
        properties = self._properties
        for key, item in value.items():
            inside = f"{path}.{key}" if path else key
            if key not in properties:
                yield Complaint(inside, f"no such key{_meant(key, properties)}")
            else:
                yield from look(properties[key][0], item, inside)
        if partly:
            return
        for key, (_, required) in properties.items():
            if required and value.get(key) is None:
                yield Complaint(f"{path}.{key}" if path else key, "is missing")


def look(shape: Shape, value: Any, path: str) -> Iterator[Complaint]:
    """The complaints about a value with its marks: absent and not-yet-known ones fit, secrets are opened."""
    if isinstance(value, Secret):
        for complaint in look(shape, value.value, path):
            yield replace(complaint, got=complaint.got and "a secret")
    elif value is not None and not isinstance(value, Unknown):
        yield from shape.complaints(value, path)


@cache
def shape_of(annotation: Hashable) -> Shape:
    """The shape that an annotation of an SDK asks for; `pulumi.Input` and `Optional` are looked through."""
    if annotation in _SCALARS:
        return _SCALARS[annotation]
    origin, inside = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return _union(inside)
    if origin is Literal:
        return ChoiceShape(inside)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return ListShape(inside[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return MapShape(inside[1])
    return _class_shape(annotation) if isinstance(annotation, type) else AnyShape()


def _class_shape(annotation: Any) -> Shape:
    if issubclass(annotation, Enum):
        values = tuple(member.value for member in annotation)
        return ChoiceShape((*values, *LAGGING.get(annotation.__name__, ())))
    if _is_arguments(annotation):
        return object_shape(annotation)
    if issubclass(annotation, pulumi.Asset | pulumi.Archive):
        return AssetShape()
    return ReferenceShape() if issubclass(annotation, pulumi.Resource) else AnyShape()


def _union(members: tuple[Any, ...]) -> Shape:
    """Without what only Python sees: futures, outputs, the dictionary and output twins of arguments."""
    kept = [member for member in members if not _is_plumbing(member)]
    enums = [member for member in kept if isinstance(member, type) and issubclass(member, Enum)]
    if enums and str in kept:  # "an enum, or any text": any text only where the list outgrows the SDK
        kept = [str] if any(member.__name__ in GROWING for member in enums) else enums
    shapes = tuple(dict.fromkeys(shape_of(member) for member in kept))
    return shapes[0] if len(shapes) == 1 else UnionShape(shapes)


def _is_plumbing(member: Any) -> bool:
    if member is types.NoneType or typing.get_origin(member) in (pulumi.Output, Awaitable):
        return True
    return typing.is_typeddict(member) or hasattr(member, "_pulumi_output_type")


def _is_arguments(annotation: type) -> bool:
    return hasattr(annotation, "_pulumi_input_type")


@cache
def object_shape(arguments: type) -> ObjectShape:
    """The shape of a class of arguments (`LaunchTemplateArgs`); its annotations are resolved on first use."""
    return ObjectShape(arguments.__name__, lambda: _class_annotations(arguments))


def _class_annotations(arguments: type) -> dict[str, tuple[Any, bool]]:
    """By wire name, which the getter of each property carries."""
    constructor: Callable[..., Any] = vars(arguments)["__init__"]
    hints = _hints(constructor, arguments.__module__)
    required = {name for name, parameter in _parameters(constructor) if parameter.default is parameter.empty}
    getters = {name: inspect.getattr_static(arguments, name).fget for name in hints}
    return {
        getattr(getter, "_pulumi_name", name): (hints[name], name in required)
        for name, getter in getters.items()
    }


def function_shape(function: Callable[..., Any]) -> ObjectShape:
    """The shape of the arguments of a function of an SDK; their wire names are their camelCase."""
    return ObjectShape(function.__name__, lambda: _function_annotations(function))


def _function_annotations(function: Callable[..., Any]) -> dict[str, tuple[Any, bool]]:
    hints = _hints(function, function.__module__)
    return {
        re.sub(r"_([a-z0-9])", lambda found: found[1].upper(), name): (
            hints.get(name, Any),
            parameter.default is parameter.empty,
        )
        for name, parameter in _parameters(function)
        if name != "opts"
    }


def _hints(function: Callable[..., Any], module: str) -> dict[str, Any]:
    hints = typing.get_type_hints(function, globalns=vars(sys.modules[module]), localns=_NAMES)
    hints.pop("return", None)
    return hints


def _parameters(function: Callable[..., Any]) -> Iterator[tuple[str, inspect.Parameter]]:
    for name, parameter in inspect.signature(function).parameters.items():
        if not name.startswith("__"):
            yield name, parameter


def _meant(key: str, known: Mapping[str, Any]) -> str:
    near = get_close_matches(key, known, n=1)
    return f"; is {near[0]} meant?" if near else f"; there are {', '.join(sorted(known))}"


def describe(value: Any) -> str:  # noqa: PLR0911 one line a kind of value
    """A value in words; a secret's own text is never among them."""
    match value:
        case Secret():
            return "a secret"
        case bool():
            return "true" if value else "false"
        case int():
            return f"the whole number {value}"
        case float():
            return f"the number {value}"
        case str():
            return f"text {value if len(value) <= 60 else value[:57] + '...'!r}"
        case list():
            return "a list"
        case dict():
            return "a mapping"
        case _:
            return f"a {type(value).__name__.lower()}"


_SCALARS: dict[Any, Shape] = {
    str: ScalarShape(str, "text"),
    int: ScalarShape(int, "a whole number"),
    float: ScalarShape(float, "a number"),
    bool: ScalarShape(bool, "true or false"),
    Any: AnyShape(),
}
