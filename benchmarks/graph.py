"""The graph: both sites of a topology under strict mocks, beside Pulumi's own mocks, which check nothing.

Both run the same program in this process; importing the clouds' SDKs is not counted. The need is 2 s.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

from benchmarks.table import median_seconds, row
from relight.estate import load_estate
from relight.topology import graph_of
from relight.topology.mocks import StrictMonitor

TIMES = 5
_ESTATE = Path(__file__).parents[1] / "examples" / "active-passive.yaml"


def main() -> None:
    """Print the median of both."""
    estate, now = load_estate(_ESTATE), datetime.now(UTC)

    def graphs() -> int:
        return sum(len(graph_of(estate, site, now).resources) for site in estate.topology.members)

    def unchecked() -> int:
        with patch.object(StrictMonitor, "_check", lambda *_args, **_named: None):
            return graphs()

    count = graphs()  # the SDKs are imported, annotations are compiled
    for name, run in (("checked", graphs), ("unchecked", unchecked)):
        row(f"two sites, {count} resources, {name}", f"{median_seconds(run, TIMES):.2f} s")


if __name__ == "__main__":
    main()
