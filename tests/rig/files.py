"""Where the files stand that tests read."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.yaml"))
ESTATE_CASES = sorted(path for path in (ROOT / "tests/cases/estate").glob("*.yaml") if path.stem != "good")
GOOD_ESTATE = ROOT / "tests/cases/estate/good.yaml"
