"""Checking what people answered: is each signature in the record theirs, and over what it is recorded for?

Verified as of the time of the event, with the estate's list of keys and no network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from relight.approval import Asked, Decision, verify_evidence
from relight.audit.verify import Fault
from relight.engine import ApprovalGiven, Entry, GateRefused
from relight.errors import InvalidFile, RelightError
from relight.estate import Estate


def answer_faults(run: str, entries: Iterable[Entry], root: Path, estate: Estate) -> Iterator[Fault]:
    """Every answer of a run that does not verify. An estate that asks for no signatures has no faults."""
    declared = estate.approvals
    if declared is None:
        return
    try:
        signers = (root / declared.allowed_signers).read_bytes()
    except OSError as error:
        raise InvalidFile(
            f"the list of keys cannot be read: {error}", "check approvals.allowed_signers"
        ) from None
    seen: set[str] = set()
    for entry in entries:
        try:
            event = entry.event
        except ValueError:
            continue  # that it cannot be read is the chain's fault to tell
        if not isinstance(event, (ApprovalGiven, GateRefused)):
            continue
        decision: Decision = "approve" if isinstance(event, ApprovalGiven) else "refuse"
        asked = Asked(run, event.gate, event.digest, event.identity, decision)
        evidence = {**event.evidence, "key": event.key}
        try:
            verify_evidence(evidence, signers, asked, event.at, valid_for=declared.valid_for)
        except RelightError as error:
            yield Fault(run, entry.sequence, f"the answer of {event.identity} does not verify: {error}")
        statement = event.evidence.get("statement", "")
        if statement in seen:
            yield Fault(run, entry.sequence, f"the answer of {event.identity} was counted before")
        seen.add(statement)
