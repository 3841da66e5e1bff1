"""Submitting plans and answering runs. Nothing here calls a step: the engine's driver does."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from relight.engine import REQUESTS, Claims, Journal, RunStarted
from relight.errors import Refused, UsageError
from relight.plan import Plan

_NEED_A_REASON = frozenset({"approve", "refuse", "skip", "abort"})


def new_run_name(runbook: str, now: datetime) -> str:
    """A name for a run that sorts by time and can be said on the phone: "site-failover-1121-0312-k7f3"."""
    letters = "".join(secrets.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(4))
    return f"{runbook}-{now:%m%d-%H%M}-{letters}"


def submit(journal: Journal, plan: Plan, by: str, claims: Claims) -> str:
    """Write a plan into the journal as a new run and return its name; nothing is driven yet.

    Raise Refused for a plan with blocks. Claims that a run of this journal left behind when it ended are
    given back first, so that they cannot stand in the way.
    """
    if plan.blocks:
        told = "; ".join(finding.message for finding in plan.blocks)
        raise Refused(f"the plan is blocked: {told}", "; ".join(f.remedy for f in plan.blocks if f.remedy))
    for row in journal.runs():
        if row.ended:
            claims.release(row.run)
    now = datetime.now(UTC)
    run = new_run_name(plan.runbook, now)
    started = RunStarted(at=now, run=run, by=by, digest=plan.digest, plan=plan.model_dump(mode="json"))
    journal.create(started)
    return run


def find_run(journal: Journal, name: str) -> str:
    """The run that a name or the unique end or beginning of one means; "last" is the newest."""
    runs = [row.run for row in journal.runs()]
    if name == "last" and runs:
        return runs[-1]
    if name in runs:
        return name
    fitting = [run for run in runs if run.startswith(name) or run.endswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"{name!r} can mean {', '.join(fitting)}", "say more of the name")
    raise UsageError(f"there is no run {name!r}", "relight runs lists them")


def ask(journal: Journal, run: str, kind: str, *, identity: str, body: dict[str, str]) -> int:
    """Ask something of the controller of a run; returns the request's id. Raise Refused if it has ended.

    Kinds are those of `relight.engine.REQUESTS`. The controller judges it: a person who may not, an unknown
    gate or step, another plan's digest is refused, and recorded. Bodies: approve and refuse take gate, digest
    and reason; retry takes step; skip takes step, reason and facts (JSON); abort takes reason and undo
    ("yes"); pause and continue take a reason.
    """
    if kind not in REQUESTS:
        raise UsageError(f"a run cannot be asked to {kind}", f"it can be asked to {', '.join(REQUESTS)}")
    if journal.row(run).ended:
        raise Refused(f"{run} has ended; there is nothing to {kind}")
    if kind in _NEED_A_REASON and not body.get("reason", "").strip():
        raise UsageError(f"to {kind} needs a reason", 'say why: --reason "…"; it goes into the record')
    return journal.ask(run, kind, identity, body, datetime.now(UTC))


def approve(journal: Journal, run: str, gate: str, *, identity: str, reason: str, digest: str) -> int:
    """Ask the controller to take an approval of a gate, given for the plan with this digest."""
    body = {"gate": gate, "reason": reason, "digest": digest}
    return ask(journal, run, "approve", identity=identity, body=body)
