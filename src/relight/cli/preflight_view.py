"""A preflight for people: what fails first, then what works, then the plans."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from relight.cli.output import table
from relight.cli.wording import brief, count, instant
from relight.control.preflight import CheckResult, PlanReadiness, Preflight

_STYLES = {"passed": "green", "failed": "bold red", "unknown": "magenta"}
_PLAN_STYLES = {"ready": "green", "not-ready": "bold red", "idle": "dim", "untried": "yellow"}


def preflight_view(estate: str, seen: Preflight) -> RenderableType:
    """The whole of it."""
    failing = [check for check in seen.checks if not check.is_passed]
    parts: list[RenderableType] = [Text(f"{estate}, {instant(seen.at)}", "bold")]
    for check in failing:
        parts.append(Text(f"\n{check.status.upper()}  {check.name}", _STYLES[check.status]))
        parts += [Text(f"  {line}") for line in why(check)]
    shown = table("", "works", "seen", "took")
    shown.show_header = False
    for check in seen.checks:
        if check.is_passed:
            shown.add_row(Text("ok", "green"), check.name, check.seen, f"{check.milliseconds}ms")
    parts += [Text("\nWHAT WORKS", "bold"), shown, Text("\nPLANS", "bold")]
    plans = table("plan", "", "")
    plans.show_header = False
    for plan in seen.plans:
        plans.add_row(plan.plan, Text(plan.state.replace("-", " "), _PLAN_STYLES[plan.state]), _about(plan))
    parts.append(plans)
    told = f"\n{count(len(seen.checks), 'check')} in {brief(seen.took)}, "
    end = f"{len(failing)} failed or did not answer" if failing else "all passed"
    return Group(*parts, Text(told + end, "bold red" if failing else "green"))


def why(check: CheckResult) -> list[str]:
    """Why a check fails, what to do, and which plans would not work."""
    lines = [check.reason]
    if check.remedy:
        lines.append(f"what to do: {check.remedy}")
    return lines + [f"{plan} would not work as planned" for plan in check.needed_by]


def _about(plan: PlanReadiness) -> str:
    return "failed: " + "; ".join(plan.failing) if plan.failing else plan.about
