"""How far a process has come, as its own output tells."""

from __future__ import annotations

import re

from relight.plan import Progress

_NUMBER = r"(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<percent>%)?(?!\S)"
_LINE = re.compile(rf"::progress[ \t]+(?:{_NUMBER})?[ \t]*(?P<note>.*?)[ \t\r]*")
_LONGEST_NOTE = 200


def read_progress(output: str) -> Progress | None:
    """The last "::progress" line of an output; None where it has none. See `relight.plan.Process`."""
    at = output.rfind("::progress")
    while at >= 0:
        line = output[at : output.find("\n", at) + 1 or None]
        match = _LINE.fullmatch(line.rstrip("\n"))
        # A line that is still being written may be cut anywhere: only its newline makes it count.
        if match and line.endswith("\n") and (at == 0 or output[at - 1] == "\n"):
            return _progress(match)
        at = output.rfind("::progress", 0, at)
    return None


def _progress(match: re.Match[str]) -> Progress | None:
    note = match["note"]
    if match["number"] is None:
        return Progress(note=note[:_LONGEST_NOTE]) if note else None
    fraction = float(match["number"]) / (100 if match["percent"] else 1)
    if fraction > 1:  # a number that is no fraction belongs to the text
        return Progress(note=f"{match['number']}{match['percent'] or ''} {note}".strip()[:_LONGEST_NOTE])
    return Progress(note=note[:_LONGEST_NOTE] or "the process runs", fraction=fraction)
