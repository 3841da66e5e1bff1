"""Goldens: what a program declares, kept as JSON that a person can read; a change shows as a diff.

`RELIGHT_UPDATE_GOLDENS=1 make test` writes them anew: look at the diff in git before it is committed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any, Protocol

from rig.files import ROOT

STACKS = ROOT / "tests/cases/stacks"
UPDATE = "RELIGHT_UPDATE_GOLDENS"


class Readable(Protocol):
    """What gives itself as plain JSON, such as a Graph."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, in the order in which a person reads it."""
        ...


def check_golden(path: Path, value: Readable | Mapping[str, Any] | list[Any]) -> None:
    """Compare with the golden at `path`, or write it when RELIGHT_UPDATE_GOLDENS is 1; a difference fails."""
    plain = value if isinstance(value, Mapping | list) else value.to_dict()
    found = json.dumps(plain, indent=2, ensure_ascii=False) + "\n"
    if os.environ.get(UPDATE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found, encoding="utf-8")
        return
    if not path.exists():
        raise AssertionError(f"there is no golden {path.name}; write it with {UPDATE}=1")
    kept = path.read_text(encoding="utf-8")
    if kept != found:
        difference = unified_diff(
            kept.splitlines(), found.splitlines(), "the golden", "declared now", "", "", 3, ""
        )
        raise AssertionError(
            f"{path.name} differs; if rightly, {UPDATE}=1 writes it\n" + "\n".join(difference)
        )
