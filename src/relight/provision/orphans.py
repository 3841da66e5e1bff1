"""What is left at work on this machine of an update whose engine is dead: providers finish what they began.

Every process of an update has in its environment which stack of which backend it is for.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MARK = "RELIGHT_UPDATES"
_ENGINE, _LANGUAGE_HOST = "pulumi", "pulumi-language"  # the kernel cuts names here


def mark_of(stack: str, environment: Mapping[str, str]) -> str:
    """The mark of a stack's updates, the same in whichever run and project folder."""
    return f"{environment.get('PULUMI_BACKEND_URL', '')} {stack}"


def at_work(mark: str) -> dict[int, str]:
    """Processes that carry the mark, pid to name. Those of other users are not seen.

    Without hosts of languages, which outlive an engine for minutes, and the engine: its providers create.
    """
    wanted = f"{MARK}={mark}".encode()
    found: dict[int, str] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal() or int(folder.name) == os.getpid():
            continue
        try:
            if wanted not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            name = (folder / "comm").read_text("utf-8", "replace").strip()
        except OSError:  # it has ended, or is another user's
            continue
        if name != _ENGINE and not name.startswith(_LANGUAGE_HOST):
            found[int(folder.name)] = name
    return found
