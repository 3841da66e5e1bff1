"""Who drives a run, and who holds it, read from the journal without working out the rest of its state."""

from __future__ import annotations

from datetime import UTC, datetime

from relight.engine import AbortAsked, Journal, RunContinued, RunPaused, RunRow, is_gone

_MARKS = tuple(f'"type":"{kind}"' for kind in ("run-paused", "run-continued", "abort-asked"))


def is_driven(row: RunRow) -> bool:
    """Whether a controller drives a run now, as far as that can be told from here."""
    return row.lease_until is not None and row.lease_until > datetime.now(UTC) and not is_gone(row.holder)


def driver_of(holder: str, term: int) -> str:
    """A controller, for people: "process 4711 on ops-1, term 2"."""
    host, _, rest = holder.partition("/")
    return f"process {rest.partition('/')[0]} on {host}, term {term}" if holder else "nobody yet"


def pause_of(journal: Journal, run: str) -> tuple[str, str] | None:
    """Who holds a run, and why; also who asked for that and was not answered yet. None: nobody."""
    held: tuple[str, str] | None = None
    for entry in journal.entries(run):
        # Decoding every event of a large run takes seconds, and one that was cut off must go on at once.
        if any(mark in entry.body for mark in _MARKS):
            match entry.event:
                case RunPaused(identity=who, reason=why):
                    held = who, why
                case RunContinued() | AbortAsked():
                    held = None
                case _:
                    pass
    for request in journal.requests(run):
        match request.kind:
            case "pause":
                held = held or (request.identity, request.body.get("reason", ""))
            case "continue" | "abort":
                held = None
            case _:
                pass
    return held
