"""Reads an estate file: whole or not at all, with every fault at its line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from relight.errors import InvalidFile, Place, Reason
from relight.estate.checks import Check, check_estate
from relight.estate.documents import Places, read_document
from relight.estate.faults import explain
from relight.estate.model import Estate
from relight.estate.parts import Parts

_LARGEST_BYTES = 8 * 2**20  # an estate of 2,000 workloads has half a megabyte
_LAST = (1 << 62, 0)  # of what has no place in the file
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def load_estate(path: Path) -> Estate:
    """The estate in a YAML file. Raise InvalidFile with every fault at once."""
    return load_with_places(path)[0]


def load_with_places(path: Path) -> tuple[Estate, Places]:
    """`load_estate`, and where each part stands, for what `check_estate` finds."""
    reading = read_estate(path)
    if reading.estate is None:
        raise _invalid(str(path), reading.reasons)
    return reading.estate, reading.places


@dataclass(frozen=True)
class Reading:
    """What a file says: an estate, or every reason why it is none."""

    places: Places
    reasons: tuple[Reason, ...]
    estate: Estate | None
    document: Any  # plain data
    faulty: tuple[str, ...]  # dotted paths of what is not even well written

    def check(self) -> tuple[Check, ...]:
        """What does not fit between sections; of a file with faults: of the parts that are whole."""
        if self.estate is not None:
            return check_estate(self.estate)
        return Parts(self.document, self.faulty).check() if isinstance(self.document, dict) else ()


def read_estate(path: Path) -> Reading:
    """All that an estate file says, faults and all. Raise InvalidFile where it is no YAML, or not there."""
    file = str(path)
    root, reasons = read_document(_read_text(path), file)
    if root is None or root.data is None:
        raise _invalid(
            file, reasons or [Reason("the file says nothing", "relight init writes a first estate")]
        )
    places, faulty = Places(file, root), tuple(reason.path for reason in reasons)
    estate = None
    try:
        # As JSON, whose strict mode takes lists for tuples but neither true for 1 nor "yes" for true.
        estate = Estate.model_validate_json(json.dumps(root.data), strict=True)
    except ValidationError as error:
        told = {reason.place for reason in reasons}  # what follows from these faults is not told as well
        faults = [f for f in explain(error, Estate, places) if f.place not in told or not f.place]
        reasons = reasons + faults
    return Reading(places, _in_order(reasons), None if reasons else estate, root.data, faulty)


def _in_order(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    ordered = sorted(reasons, key=lambda r: (r.place.line, r.place.column) if r.place else _LAST)
    return tuple(dict.fromkeys(ordered))


def _invalid(file: str, reasons: Iterable[Reason]) -> InvalidFile:
    return InvalidFile(f"{file} is not a usable estate", reasons=_in_order(reasons))


def _read_text(path: Path) -> str:
    file = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise _invalid(
            file, [Reason("there is no such file", "relight init writes a first estate")]
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a zero byte in the name
        why = getattr(error, "strerror", None) or str(error)
        raise _invalid(file, [Reason(f"the file cannot be read: {why}", "check path and rights")]) from None
    if len(content) > _LARGEST_BYTES:
        raise _invalid(
            file, [Reason(f"the file is larger than {_LARGEST_BYTES >> 20} MiB", "is it an estate?")]
        )
    if not content.strip():
        raise _invalid(file, [Reason("the file is empty", "relight init writes a first estate")])
    return _decode(content, file)


def _decode(content: bytes, file: str) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _invalid(file, [Reason("the file is UTF-16", "save it as UTF-8")])
    if b"\0" in content:
        raise _invalid(file, [Reason("the file is binary", "an estate is YAML, which is text")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", errors="replace")
        raise _invalid(
            file, [Reason("is not UTF-8 from here on", "save it as UTF-8", _end_of(before, file))]
        ) from None
    found = _NOT_TEXT.search(text)
    if found:
        what = f"a character that no text has: U+{ord(found[0]):04X}"
        raise _invalid(file, [Reason(what, "remove it", _end_of(text[: found.start()], file))])
    return text


def _end_of(text: str, file: str) -> Place:
    """The place right after some text."""
    line = text.count("\n")
    return Place(file, line + 1, len(text) - (text.rfind("\n") + 1) + 1)
