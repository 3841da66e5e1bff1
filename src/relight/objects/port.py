"""The promises of an object store.

Keys are relative, "/" separated. Every method raises `Unreachable` when the store did not answer in time,
and `StoreError` when it answered with something else than asked; nothing is retried inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NewType, Protocol

Version = NewType("Version", str)
"""Opaque mark of one state of an object (S3: its ETag)."""

ANY: Literal["any"] = "any"
ABSENT: Literal["absent"] = "absent"
Condition = Literal["any", "absent"] | Version
"""What must hold for a write: anything, that the object does not exist, or that it is at a version."""


@dataclass(frozen=True)
class Object:
    """An object as it was read: its bytes and the version they belong to."""

    content: bytes
    version: Version


class ObjectStore(Protocol):
    """Bytes under keys, strongly consistent, with conditional writes."""

    def get(self, key: str) -> Object:
        """The whole object. Raise NotFound."""

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """Up to `length` bytes from `start`; fewer only at the object's end. Raise NotFound."""

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        """Write the whole object if the condition holds, durably. Raise Conflict if it does not.

        After Unreachable the write may or may not have happened: read before you write again.
        """

    def list(self, prefix: str) -> list[str]:
        """Every key below the folder `prefix` ("a/b" lists "a/b/c", not "a/bc"), sorted; none: empty."""

    def delete(self, key: str) -> None:
        """Remove the object; removing what is not there is no error."""
