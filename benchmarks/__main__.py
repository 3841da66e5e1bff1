"""Run every benchmark, or those named on the command line: `python -m benchmarks engine`."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = ("start", "estate", "engine", "supervisor", "ansible", "approvals", "graph", "knob")


def main() -> None:
    for name in sys.argv[1:] or NAMES:
        print(f"\n== {name}")
        import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()
