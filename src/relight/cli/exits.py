"""What the command ends with. Scripts rely on these numbers: they do not change."""

from __future__ import annotations

from typing import Final

DONE: Final = 0  # done, or clean
FOUND: Final = 1  # a check found errors, or the plan is blocked
USAGE: Final = 2  # wrong usage, or a file that cannot be read or is invalid
MISSED: Final = 3  # finished, and an objective was missed
FAILED: Final = 4
WAITS: Final = 5  # for a person
INTERRUPTED: Final = 130  # by Ctrl-C, as shells say it
