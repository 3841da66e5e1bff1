"""What a Pulumi program sends to the engine, read back as plain values.

On the wire every number is a float, and secrets, assets, references to resources and values that a preview
does not know yet are marked by signatures. `read` undoes this: whole numbers become int, the marks become the
small classes below, so that what checks and what shows a declaration sees what was declared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from google.protobuf import struct_pb2

_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a public mark of the protocol, no secret
_RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
_UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


@dataclass(frozen=True)
class Secret:
    """A value that must not be shown."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


@dataclass(frozen=True)
class Reference:
    """Another resource, passed whole."""

    urn: str


@dataclass(frozen=True)
class Asset:
    """A file, text or archive that travels with the declaration."""

    source: str


@dataclass(frozen=True)
class Unknown:
    """A value that only an update will know."""


def read(value: struct_pb2.Value) -> Any:
    """One value off the wire: str, int, float, bool, None, list, dict, or one of this module's classes."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return read_struct(value.struct_value)
        case "list_value":
            return [read(item) for item in value.list_value.values]
        case "string_value":
            return Unknown() if value.string_value == _UNKNOWN else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() else number
        case "bool_value":
            return value.bool_value
        case _:
            return None


def read_struct(struct: struct_pb2.Struct) -> Any:
    """The properties of one resource or call, by their names on the wire (camelCase)."""
    fields = struct.fields
    if _SIGNATURE not in fields:
        return {key: read(item) for key, item in sorted(fields.items())}
    match fields[_SIGNATURE].string_value:
        case signature if signature == _SECRET:
            return Secret(read(fields["value"]))
        case signature if signature == _RESOURCE:
            return Reference(fields["urn"].string_value)
        case _:
            named = (fields[key].string_value for key in ("path", "text", "uri") if key in fields)
            return Asset(next(named, "archive"))


def show(value: Any) -> Any:  # noqa: PLR0911 one line a mark
    """The value as plain JSON that may be shown and kept: `[secret]`, `[unknown]`, a URN, a source."""
    match value:
        case Secret():
            return "[secret]"
        case Unknown():
            return "[unknown]"
        case Reference(urn):
            return urn
        case Asset(source):
            return {"asset": source}
        case dict():
            return {key: show(item) for key, item in value.items()}
        case list():
            return [show(item) for item in value]
        case _:
            return value


def bare(value: Any) -> Any:
    """The value without its marks, secrets opened: only for answers to the program that sent it."""
    match value:
        case Secret(inside):
            return bare(inside)
        case Reference(urn):
            return urn
        case dict():
            return {key: bare(item) for key, item in value.items()}
        case list():
            return [bare(item) for item in value]
        case _:
            return value
