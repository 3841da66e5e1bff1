"""What stacks say to people: one line per change, for plans, progress and lists of drift."""

from __future__ import annotations

from relight.provision.port import Change, Preview

_VERBS = {
    "create": "creating",
    "update": "updating",
    "delete": "deleting",
    "replace": "replacing",
    "create-replacement": "creating anew",
    "delete-replaced": "deleting the old",
    "refresh": "reading",
    "read": "reading",
    "import": "importing",
}
_SHOWN = 6


def verb_of(op: str) -> str:
    """What is being done, as "creating"."""
    return _VERBS.get(op, op)


def describe(change: Change) -> str:
    """One change: "update aws:autoscaling/group:Group train-reserved: desiredCapacity 16"."""
    if change.op != "update":
        return f"{change.op} {change.type} {change.name}"
    told = [f"{path} {change.values[path]}" if path in change.values else path for path in change.paths]
    rest = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"update {change.type} {change.name}: {', '.join(told[:_SHOWN])}{rest}"


def describe_preview(preview: Preview) -> tuple[str, ...]:
    """A preview as lines, for a plan's notes."""
    if not preview.changes:
        return (f"the stack {preview.stack} is as the program has it",)
    return tuple(describe(change) for change in preview.changes)
