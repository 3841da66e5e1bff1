"""stack-up: bring one stack to what the program declares, as a preview has shown it.

`relight stacks preview STACK` asks the engine, shows what would change and writes this plan with the changes
and their digest in it. The update looks again right before: where it would do anything else, it does nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from relight.estate import Estate
from relight.plan import Finding, Irreversible, Plan, Runbook, RunbookInput, Step
from relight.provision import Change, Preview, StackUp, stack_names
from relight.situation import Known, Situation

_HOW_LONG = timedelta(hours=3)  # a cluster or a file system takes an hour; a killed update is what to avoid
_GONE = ("delete", "replace", "delete-replaced", "create-replacement")


def build(estate: Estate, situation: Situation, inputs: Mapping[str, str]) -> Plan:
    """The plan that updates one stack."""
    stack = inputs["stack"]
    preview = Preview.model_validate_json(inputs["preview"]) if inputs["preview"] else None
    step = Step(
        id=f"up-{stack}",
        title=f"bring the stack {stack} to what the program declares",
        spec=StackUp(
            stack=stack,
            expect_digest=preview.digest if preview else None,
            expect_changes=tuple(change.approved for change in preview.changes) if preview else (),
            cancel_lock=inputs["cancel_lock"] or None,
        ),
        timeout=_HOW_LONG,
        undo=Irreversible(
            "the program of before brings back what it declares: check it out, and run this again"
        ),
    )
    return Plan(
        runbook=RUNBOOK.name,
        goal=f"the stack {stack} is what the program declares",
        estate=estate.name,
        inputs=dict(inputs),
        steps=(step,),
        claims=(f"stack:{stack}", *([f"site:{stack}"] if stack in estate.sites else [])),
        findings=(*_engine(situation, stack), *_findings(stack, preview, inputs["cancel_lock"])),
        observed_at=situation.now,
    )


def _engine(situation: Situation, stack: str) -> list[Finding]:
    if situation.engine != Known(value=False):
        return []
    return [
        Finding(
            strength="block",
            code="no-engine",
            subject=stack,
            message="there is no `pulumi` command here, so nothing can be brought up",
            remedy="install it: https://www.pulumi.com/docs/install/",
        )
    ]


def _findings(stack: str, preview: Preview | None, lock: str) -> list[Finding]:
    changes = preview.changes if preview else ()
    findings = [
        Finding(strength="note", code="change", subject=change.name, message=_told(change))
        for change in changes
    ]
    gone = [change.name for change in changes if change.op in _GONE]
    if gone:
        findings.append(
            Finding(
                strength="override",
                code="deletes",
                subject=stack,
                message=f"{len(gone)} resources go away or are made anew: {', '.join(gone[:8])}",
                remedy="is that meant? What holds data is protected, and stays all the same",
            )
        )
    if preview is None:
        message = "no preview stands behind this plan: whatever the program declares now will be done"
        remedy = f"relight stacks preview {stack} -o plan.json"
        findings.append(
            Finding(strength="override", code="unseen", subject=stack, message=message, remedy=remedy)
        )
    if lock:
        message = f"the lock {lock} is taken away: if its update still runs, two will write at once"
        findings.append(Finding(strength="override", code="takes-lock", subject=stack, message=message))
    return findings


def _told(change: Change) -> str:
    what = f"{change.op} {change.type} {change.name}"
    return f"{what}: {', '.join(change.paths[:6])}" if change.paths else what


RUNBOOK = Runbook(
    name="stack-up",
    summary="bring one stack to what the program declares, as previewed",
    build=build,
    inputs={
        "stack": RunbookInput("a site, a link or global", choices=stack_names),
        "preview": RunbookInput("what relight stacks preview showed, as JSON", default=""),
        "cancel_lock": RunbookInput("id of a dead update's lock that may be taken away", default=""),
    },
)
