"""Records a real `relight demo` in a pseudo-terminal and draws its last screen to docs/demo.svg.

    python docs/picture.py [OUTPUT.svg]      (make picture)

Nothing is drawn by hand: what the demo writes goes through a small terminal, which knows as much as rich's
live display needs (cursor up, carriage return, erased lines), and rich draws what is on it in the end.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH, HEIGHT = 108, 44
_DEMO_SECONDS = 120
_ESCAPE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+|\x1b")
_FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)


class Screen:
    """The lines that are on a terminal, each with its colours as the program wrote them."""

    def __init__(self) -> None:
        self.lines = [""]
        self._row = 0
        self._starts_anew = False

    def feed(self, text: str) -> None:
        """Take what a program wrote."""
        for found in _ESCAPE.finditer(text):
            if found[2]:
                self._control(found[1], found[2], found[0])
            elif found[0] == "\r":
                self._starts_anew = True
            elif found[0] == "\n":
                self._move_to(self._row + 1)
            else:
                self._write(found[0])

    def _control(self, argument: str, letter: str, whole: str) -> None:
        if letter == "A":
            self._move_to(max(0, self._row - int(argument or 1)))
        elif letter == "K":
            self.lines[self._row] = ""
        elif letter == "m":
            self._write(whole)

    def _move_to(self, row: int) -> None:
        self._row, self._starts_anew = row, False
        while len(self.lines) <= row:
            self.lines.append("")

    def _write(self, text: str) -> None:
        if self._starts_anew:
            self.lines[self._row], self._starts_anew = "", False
        self.lines[self._row] += text


def record(command: list[str]) -> str:
    """Everything that a command writes to a terminal of our size. Raise CalledProcessError if it fails."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    environment = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        environment.pop(name, None)
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    written = bytearray()
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # how Linux says that the other side of a terminal was closed
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    status = process.wait(_DEMO_SECONDS)
    if status:
        raise subprocess.CalledProcessError(status, command, output=written.decode(errors="replace"))
    return written.decode()


def draw(lines: list[str], title: str) -> str:
    """An SVG of some lines, with the fonts of the reader: a picture that asks no other server for one."""
    console = Console(
        record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor"
    )
    for line in lines:
        console.print(Text.from_ansi(line), soft_wrap=True)
    return _FONT.sub("", console.export_svg(title=title, unique_id="relight-demo")) + "\n"


def main(output: str = str(Path(__file__).parent / "demo.svg")) -> None:
    """Record and draw."""
    screen = Screen()
    screen.feed(record([str(Path(sys.executable).parent / "relight"), "demo"]))
    while screen.lines and not screen.lines[-1].strip():
        screen.lines.pop()
    Path(output).write_text(draw(screen.lines, "relight demo"), encoding="utf-8")
    sys.stdout.write("\n".join(screen.lines) + f"\x1b[0m\n\nwrote {output}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
