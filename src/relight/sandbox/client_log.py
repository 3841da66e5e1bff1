"""What the client went through, counted from its log."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path


@dataclass(frozen=True)
class ClientLog:
    """Requests up to now. Those before the first answer are not counted: nothing served yet."""

    requests: int = 0
    failures: int = 0
    first_failure: datetime | None = None
    last_failure: datetime | None = None
    longest_gap: timedelta = timedelta(0)  # the longest time without an answer that had a failure in it
    by_site: dict[str, int] = field(default_factory=dict)  # answers

    @classmethod
    def read(cls, path: Path) -> ClientLog:
        """Read the log, which may be written to meanwhile; no log yet: nothing happened."""
        if not path.exists():
            return cls()
        with path.open(encoding="utf-8") as log:
            return cls.of(log)

    @classmethod
    def of(cls, lines: Iterable[str]) -> ClientLog:
        """Count lines as the client writes them; an unfinished last one is left out."""
        requests = 0
        failed: list[datetime] = []
        sites: Counter[str] = Counter()
        answered: datetime | None = None
        gap = timedelta(0)
        for line in lines:
            if not line.endswith("\n"):
                break
            entry = json.loads(line)
            at = datetime.fromisoformat(entry["at"])
            if entry["ok"]:
                sites[entry["site"]] += 1
            elif answered:
                failed.append(at)
            if answered and (failed and failed[-1] > answered):
                gap = max(gap, at - answered)
            if entry["ok"]:
                answered = at
            requests += answered is not None
        return cls(
            requests=requests,
            failures=len(failed),
            first_failure=failed[0] if failed else None,
            last_failure=failed[-1] if failed else None,
            longest_gap=gap,
            by_site=dict(sites),
        )
