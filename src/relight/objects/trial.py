"""Proving that a store takes conditional writes, before anything depends on it, without touching data.

Some stores answer a conditional write as if the condition were not there; a fence on such a store holds
nothing back. So not only the rights are tried, but that a condition which does not hold is refused.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from relight.errors import Conflict, NotFound, RelightError, StoreError
from relight.objects.port import ABSENT, Condition, ObjectStore, Version

FOLDER = "preflight"
_NEVER = Version('"00000000000000000000000000000000"')  # as an ETag looks, and that of no object
_STAMP = "%Y%m%dT%H%M%SZ"
_KEY = re.compile(rf"{FOLDER}/(\d{{8}}T\d{{6}}Z)-[0-9a-f]{{8}}")
_LEFT_BEHIND = timedelta(minutes=10)


def prove_writes(objects: ObjectStore, now: datetime) -> None:
    """Write, change and delete one tiny object below `preflight/`; nothing is left, also of earlier trials.

    Raise StoreError if the store ignores conditions, and whatever else the store raises.
    """
    _sweep(objects, now)
    key = f"{FOLDER}/{now.astimezone(UTC):{_STAMP}}-{token_hex(4)}"
    try:
        version = objects.put(key, b"1", ABSENT)
        _require_conflict(objects, key, b"2", ABSENT)
        _require_conflict(objects, key, b"2", _NEVER)
        objects.put(key, b"2", version)
    except RelightError:
        with suppress(RelightError):
            objects.delete(key)  # a write that was not answered may have been done
        raise
    objects.delete(key)


def prove_right_to_move(objects: ObjectStore, key: str) -> bool:
    """Prove that an object may be written, by a write whose condition cannot hold; False: there is none.

    For stores that `prove_writes` passed: only then is it certain that nothing is written.
    """
    try:
        there = objects.get(key)
    except NotFound:
        return False
    _require_conflict(objects, key, there.content, _NEVER)
    return True


def _require_conflict(objects: ObjectStore, key: str, content: bytes, condition: Condition) -> None:
    try:
        objects.put(key, content, condition)
    except Conflict:
        return
    raise StoreError(
        f"{key} was written although the condition of the write did not hold",
        "this store ignores If-Match or If-None-Match: nothing can be fenced on it; use another",
    )


def _sweep(objects: ObjectStore, now: datetime) -> None:
    """Take away what trials that were cut off have left; what is young may be another controller's."""
    for key in objects.list(FOLDER):
        if found := _KEY.fullmatch(key):
            written = datetime.strptime(found[1], _STAMP).replace(tzinfo=UTC)
            if now - written > _LEFT_BEHIND:
                objects.delete(key)
