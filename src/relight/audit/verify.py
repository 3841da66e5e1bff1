"""Checking a run's journal: is every event what was written, in order, none missing, none at the end cut off?

The chain shows any change in the middle. A cut tail leaves a shorter chain that is whole in itself, so the
last sequence and hash are compared with what the journal's own index says, and with the anchor that the
witness keeps outside of the journal. All of it can be computed again from the documented form with any
SHA-256 and JSON library: see docs/guides/audit.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from relight.engine import GENESIS, Entry, Journal, RunRow, chained
from relight.engine.events import RunEnded, RunStarted


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and the event it is about (0: the run as a whole)."""

    run: str
    sequence: int
    what: str

    def __str__(self) -> str:
        where = f"{self.run}, event {self.sequence}" if self.sequence else self.run
        return f"{where}: {self.what}"


@dataclass(frozen=True)
class Verification:
    """What checking one run came to. `anchor` says what the witness had to say."""

    run: str
    events: int
    head: str
    anchor: str
    faults: tuple[Fault, ...]


def verify_run(
    journal: Journal, run: str, anchor: tuple[int, str] | None, anchor_trouble: str = ""
) -> Verification:
    """Check one run against itself and against its anchor (None: the witness has none, or did not answer)."""
    row = journal.row(run)
    faults: list[Fault] = []
    hashes = {0: GENESIS}
    sequence, head = 0, GENESIS
    last: Entry | None = None
    for entry in journal.entries(run):
        if entry.sequence != sequence + 1:
            faults.append(Fault(run, sequence + 1, f"missing: {_span(sequence + 1, entry.sequence - 1)}"))
        if entry.hash != chained(head, run, entry.sequence, entry.term, entry.body):
            faults.append(
                Fault(run, entry.sequence, "changed, or the event before it was: its hash does not fit")
            )
        faults += _event_faults(run, entry, row)
        sequence, head, last = entry.sequence, entry.hash, entry
        hashes[sequence] = head
    faults += _row_faults(row, sequence, head, last)
    said = _anchor_faults(run, anchor, hashes, sequence, faults)
    if not anchor:
        said = anchor_trouble or "the witness has no anchor of this run: a cut tail would not show"
    return Verification(run, sequence, head, said, tuple(faults))


def _event_faults(run: str, entry: Entry, row: RunRow) -> list[Fault]:
    try:
        event = entry.event
    except ValueError as error:
        return [Fault(run, entry.sequence, f"cannot be read: {str(error).splitlines()[0]}")]
    if (entry.sequence == 1) != isinstance(event, RunStarted):
        return [Fault(run, entry.sequence, "a run begins with run-started, and only with it")]
    if isinstance(event, RunStarted) and (event.run != run or event.at != row.started_at):
        return [Fault(run, entry.sequence, "the journal's index tells another start")]
    return []


def _row_faults(row: RunRow, sequence: int, head: str, last: Entry | None) -> list[Fault]:
    faults = []
    if row.sequence > sequence:
        what = f"missing: {_span(sequence + 1, row.sequence)}, cut off at the end"
        faults.append(Fault(row.run, sequence + 1, what))
    elif row.sequence < sequence:
        faults.append(Fault(row.run, row.sequence + 1, "added behind the last event that the index knows"))
    elif row.head != head:
        faults.append(Fault(row.run, sequence, "its hash is not the one that the index has"))
    try:
        ended = last is not None and isinstance(last.event, RunEnded)
    except ValueError:
        return faults  # that it cannot be read was said
    if row.ended != ended and row.sequence == sequence:
        faults.append(Fault(row.run, sequence, "the index disagrees on whether the run has ended"))
    return faults


def _anchor_faults(
    run: str, anchor: tuple[int, str] | None, hashes: dict[int, str], sequence: int, faults: list[Fault]
) -> str:
    if anchor is None:
        return ""
    anchored, head = anchor
    if anchored > sequence:
        faults.append(
            Fault(run, sequence + 1, f"missing: the witness saw event {anchored}; the tail was cut off")
        )
    elif hashes.get(anchored) != head:
        faults.append(Fault(run, anchored, "not the event that the witness saw"))
    elif anchored < sequence:
        return f"anchored up to event {anchored}; what follows it is not covered yet"
    return f"the witness saw event {anchored}"


def _span(first: int, last: int) -> str:
    return f"event {first}" if first == last else f"events {first} to {last}"
