"""Heads of journals in the witness, `journals/{run}.json`: a chain alone does not show a cut tail."""

from __future__ import annotations

from typing import Literal

from relight.canonical import Frozen
from relight.errors import Refused
from relight.fence.adapters.documents import Documents
from relight.objects import ObjectStore

ANCHORS_FOLDER = "journals"


class _Anchor(Frozen):
    version: Literal["provisional-1"] = "provisional-1"
    sequence: int
    head: str


class ObjectAnchors:
    """Where the engine publishes how far a journal has come. May raise Unreachable."""

    def __init__(self, objects: ObjectStore) -> None:
        self._documents = Documents(objects, _Anchor)

    def publish(self, run: str, sequence: int, head: str) -> None:
        """Remember that the journal of a run reached an event with a hash; never goes back.

        Raise Refused if another hash was published for this very event: then there are two journals.
        """

        def change(there: _Anchor | None) -> _Anchor:
            if there and there.sequence == sequence and there.head != head:
                raise Refused(
                    f"the witness has another hash of event {sequence} of {run}: {there.head}, not {head}",
                    "two journals of this run exist, or one was changed: relight audit verify",
                )
            if there and there.sequence >= sequence:
                return there
            return _Anchor(sequence=sequence, head=head)

        self._documents.move(_key(run), change)

    def read(self, run: str) -> tuple[int, str] | None:
        """The last sequence and hash that were published; None: never."""
        there = self._documents.read(_key(run))
        return (there.sequence, there.head) if there else None


def _key(run: str) -> str:
    return f"{ANCHORS_FOLDER}/{run}.json"
