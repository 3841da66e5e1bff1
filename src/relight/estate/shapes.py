"""What the models want at a path: fields, choices and kinds, for messages in the words of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from relight.estate.secrets import SecretRef

_SECRET = SecretRef.__metadata__[0]  # type: ignore[attr-defined]

_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    IPv4Address: "an IPv4 address",
}


@dataclass(frozen=True)
class Spot:
    """A place that a fault speaks of: `parts` as the file has them, and what is wanted there."""

    parts: tuple[str | int, ...]
    wanted: Any  # a type without Annotated and None; None where nothing is known
    owner: type[BaseModel] | None  # the model that the nearest field belongs to
    field: FieldInfo | None  # the field that stands here, where one does
    is_secret: bool  # whether what belongs here points at a secret


def find_spot(model: type[BaseModel], location: Sequence[str | int]) -> Spot:
    """The spot of pydantic's location, which names the member of a union too."""
    wanted: Any = model
    owner: type[BaseModel] | None = None
    field: FieldInfo | None = None
    secret = False
    parts: list[str | int] = []
    for part in location:
        members = members_of(wanted)
        if len(members) > 1:
            wanted = next((m for m in members if part in kinds_of(m)), None)
            continue
        parts.append(part)
        if is_model(wanted):
            owner = wanted
            field = fields_of(wanted).get(str(part))
            wanted = _bare(field.annotation) if field else None
            secret = field is not None and _is_secret(field)
        else:
            field, wanted = None, _inner(wanted)
    return Spot(tuple(parts), wanted, owner, field, secret)


@lru_cache
def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the names that files use, its kind first."""
    named = {field.alias or name: field for name, field in model.model_fields.items()}
    return {"kind": named["kind"], **named} if "kind" in named else named


def choices_of(wanted: Any) -> tuple[str, ...]:
    """What may be written where one of some words is wanted: a Literal, or the kinds of a union."""
    if get_origin(wanted) is Literal:
        return tuple(str(choice) for choice in get_args(wanted))
    return tuple(kind for member in members_of(wanted) for kind in kinds_of(member))


def is_model(wanted: Any) -> TypeGuard[type[BaseModel]]:
    """Whether a mapping with fields is wanted."""
    return isinstance(wanted, type) and issubclass(wanted, BaseModel)


def kinds_of(model: Any) -> tuple[str, ...]:
    """The values of a model's `kind`; none where it has no kinds."""
    if not is_model(model) or "kind" not in model.model_fields:
        return ()
    annotation = model.model_fields["kind"].annotation
    return tuple(map(str, get_args(annotation))) if get_origin(annotation) is Literal else ()


def in_words(wanted: Any) -> str:
    """What is wanted, for people: "a list", "text"."""
    origin = get_origin(wanted)
    if origin in (tuple, list):
        return "a list"
    if origin is dict or any(is_model(member) for member in members_of(wanted)):
        return "a mapping"
    return _WORDS.get(wanted, "something else")


@lru_cache
def has_secrets(model: type[BaseModel] | None) -> bool:
    """Whether a field of the model points at a secret: then what stands there may be one, by mistake."""
    if model is None:
        return False
    return any(_is_secret(field) for field in model.model_fields.values())


def _is_secret(field: FieldInfo) -> bool:
    return _SECRET in field.metadata or _points_at_secret(field.annotation)


def _points_at_secret(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated and _SECRET in annotation.__metadata__:
        return True
    return any(_points_at_secret(inner) for inner in get_args(annotation))


def _bare(annotation: Any) -> Any:
    """The type without what is annotated to it, and without "or None"."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, UnionType):
        present = [member for member in get_args(annotation) if member is not NoneType]
        return _bare(present[0]) if len(present) == 1 else annotation
    return annotation


def members_of(wanted: Any) -> tuple[Any, ...]:
    """The types that a union is of; of anything else, itself."""
    if get_origin(wanted) not in (Union, UnionType):
        return (wanted,)
    return tuple(_bare(member) for member in get_args(wanted) if member is not NoneType)


def _inner(wanted: Any) -> Any:
    """What is wanted below each key of a dict, or in each place of a list."""
    arguments = get_args(wanted)
    if get_origin(wanted) is dict:
        return _bare(arguments[1])
    return _bare(arguments[0]) if get_origin(wanted) in (tuple, list) else None
