"""Text for people, from plans and records, which may hold what a stranger or a broken machine wrote.

Nothing in such text reaches a terminal or a page as markup: control characters, line breaks and what turns
writing around are shown by their code, and what Markdown would take for its own is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from relight.units import format_duration

MOST_NAMED = 8  # names that one line has
_MARKUP = frozenset("\\`*_{}[]<>#|~")
_LINE_START = re.compile(r"^(\s*)([-+=]|\d+(?=[.)]))")


def plain(text: str) -> str:
    """Text that only looks like what it is: one line, nothing that moves a cursor or turns letters around."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def cell(text: str) -> str:
    """Text inside of a line of Markdown, or of a cell of a table: no markup of its own."""
    return "".join(f"\\{c}" if c in _MARKUP else c for c in plain(text)).replace("&", "&amp;")


def line(text: str) -> str:
    """Text that begins a line of Markdown, or an item of a list: neither a list nor a heading by itself."""
    return _LINE_START.sub(_shield, cell(text))


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """The lines of a table; every value is escaped, the head is ours."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return lines + [f"| {' | '.join(cell(value) for value in row)} |" for row in rows]


def items(texts: Iterable[str]) -> list[str]:
    """The lines of a list; every text is escaped."""
    return [f"- {line(text)}" for text in texts]


def named(names: Iterable[str], most: int = MOST_NAMED) -> str:
    """The first few of some names, and how many more there are; not escaped."""
    listed = list(names)
    more = len(listed) - most
    return ", ".join(plain(name) for name in listed[:most]) + (f" and {more:,} more" if more > 0 else "")


def people(count: int) -> str:
    """How many people: "1 person", "2 people"."""
    return "1 person" if count == 1 else f"{count:,} people"


def moment(value: datetime) -> str:
    """A time to the second: "2026-03-01 03:00:00Z"."""
    return value.isoformat(sep=" ", timespec="seconds").replace("+00:00", "Z")


def time_of_day(value: datetime) -> str:
    """The time of day in UTC, for lines below each other: "03:00:00"."""
    return f"{value.astimezone(UTC):%H:%M:%S}"


def rough(value: timedelta | None) -> str:
    """A duration to the digit that matters: "30ms", "0.4s", "12s", "3m20s", "1h5m"; a dash for None."""
    if value is None:
        return "-"
    seconds = value.total_seconds()
    if 0 < seconds < 0.1:
        return f"{seconds * 1000:.0f}ms"
    if seconds < 59.5:
        return f"{seconds:.1f}s".replace(".0s", "s") if seconds < 9.95 else f"{seconds:.0f}s"
    grain = 1 if seconds < 3600 else 60
    return format_duration(timedelta(seconds=round(seconds / grain) * grain))


def _shield(found: re.Match[str]) -> str:
    blank, mark = found.groups()
    # Of a number its dot or bracket is escaped: "1\\." is text, "\\1." is a backslash and a list.
    return f"{blank}{mark}\\" if mark[0].isdigit() else f"{blank}\\{mark}"
