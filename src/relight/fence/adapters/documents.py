"""Small JSON documents in the witness's store, each a model, each moved by conditional write alone."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from pydantic import ValidationError

from relight.canonical import Frozen, canonical_json
from relight.errors import Conflict, Damaged, NotFound
from relight.objects import ABSENT, Condition, ObjectStore

M = TypeVar("M", bound=Frozen)

_TRIES = 30  # claims of the whole estate are one document: several runs may start at once
_LONGEST_PAUSE_SECONDS = 0.05


class Documents(Generic[M]):
    """Documents of one model, by key."""

    def __init__(self, objects: ObjectStore, model: type[M]) -> None:
        self._objects = objects
        self._model = model

    def read(self, key: str) -> M | None:
        """The document; None: there is none. Raise Damaged if it is not of the model."""
        return self._read(key)[0]

    def move(self, key: str, change: Callable[[M | None], M]) -> M:
        """Put what `change` makes of the document in its place, and return that.

        When somebody else moved it in between, `change` is asked again with what is there then; it may
        raise. Raise Conflict after many tries.
        """
        for attempt in range(_TRIES):
            document, condition = self._read(key)
            changed = change(document)
            if changed == document:
                return changed
            try:
                self._objects.put(key, _content(changed), condition)
            except Conflict:
                time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS * min(1.0, attempt / 4)))  # noqa: S311
            else:
                return changed
        raise Conflict(f"the witness's {key} was moved by others {_TRIES} times")

    def _read(self, key: str) -> tuple[M | None, Condition]:
        try:
            there = self._objects.get(key)
        except NotFound:
            return None, ABSENT
        try:
            return self._model.model_validate_json(there.content), there.version
        except ValidationError as error:
            fault = error.errors(include_url=False, include_input=False)[0]
            at = ".".join(str(part) for part in fault["loc"])
            raise Damaged(
                f"the witness's {key} is not what this version reads: {at}: {fault['msg']}",
                "was it written by another version of relight, or by hand?",
            ) from None


def _content(document: Frozen) -> bytes:
    return canonical_json(document.model_dump(mode="json"))
