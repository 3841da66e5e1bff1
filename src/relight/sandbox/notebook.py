"""Somebody's notebook: holds its GPUs and does nothing, until it is drained or stopped.

python -m relight.sandbox.notebook FOLDER SITE WORKLOAD
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path

from relight.sandbox.assignment import Assignment, Status, on_drain
from relight.sandbox.layout import Layout


def main(folder: str, site: str, workload: str) -> int:
    """Sleep until drained."""
    layout = Layout.load(Path(folder))
    drained = threading.Event()
    on_drain(drained.set)
    status = Status(Assignment.load(layout, site, workload).status_path(layout, site), state="running")
    status.write()
    drained.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
