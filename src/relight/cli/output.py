"""Where the command writes: text for people, JSON for machines; a reader that went away is no error."""

from __future__ import annotations

import os
import sys

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

_PIPED_WIDTH = 140  # a file has no width; lines of this length are read well enough


class Screen(Console):
    """A console that takes text as it is, and says nothing more once nobody reads it (`| head`)."""

    def __init__(self, *, stderr: bool = False) -> None:
        stream = sys.stderr if stderr else sys.stdout
        width = None if stream.isatty() else int(os.environ.get("COLUMNS") or _PIPED_WIDTH)
        super().__init__(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)

    def on_broken_pipe(self) -> None:
        """Write no more; what is being done goes on, and so does its exit code."""
        self.quiet = True
        discard_output()


def discard_output() -> None:
    """Send what is still to be written nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def write(text: str) -> None:
    """Write text to standard output, exactly."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        discard_output()


def write_json(answer: BaseModel) -> None:
    """Write the answer of a command as its documented JSON."""
    write(answer.model_dump_json(indent=2) + "\n")


def table(*columns: str) -> Table:
    """A table without lines, which reads the same in a file; text is folded, never cut."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
