"""How soon the command answers; the peer is the Python interpreter that it starts in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.table import median_seconds, row


def main() -> None:
    relight = str(Path(sys.executable).with_name("relight"))
    for arguments in (["--help"], ["run", "--help"]):
        command = [relight, *arguments]
        seconds = median_seconds(lambda c=command: subprocess.run(c, capture_output=True, check=True))  # type: ignore[misc]
        python = median_seconds(lambda: subprocess.run([sys.executable, "-c", "pass"], check=True))
        row(f"relight {' '.join(arguments)}", f"{seconds:.3f} s", f"bare Python {python:.3f} s")
