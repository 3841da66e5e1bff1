"""Rolling windows as they stand, for people and for machines."""

from __future__ import annotations

from collections.abc import Sequence

from relight.cli.answers import WindowShown
from relight.cli.wording import count
from relight.engine import RunState

_MOST_NAMED = 5


def windows_of(state: RunState) -> tuple[WindowShown, ...]:
    """Every window of the plan; safe beside the thread that drives the run."""
    groups: dict[str, set[str]] = {name: set() for name in state.windows}
    for step in state.plan.steps:
        if step.window is not None and step.group is not None:
            groups[step.window].add(step.group)
    return tuple(_window(state, name, groups[name]) for name in state.windows)


def _window(state: RunState, name: str, groups: set[str]) -> WindowShown:
    window = state.windows[name]
    opened = list(window.opened)
    dead = list(window.dead)
    return WindowShown(
        window=name,
        size=window.window.size,
        groups=len(groups),
        succeeded=window.succeeded,
        under_way=tuple(window.under_way),
        failed=tuple(group for group in dead if group in window.opened),
        to_come=len(groups.difference(opened, dead)),
        canaries=window.window.canaries,
        may_fail=window.allowed_failures,
        is_halted=len([group for group in dead if group in window.opened]) > window.allowed_failures,
        is_closed=window.is_closed,
    )


def window_line(window: WindowShown) -> str:
    """A window in one line."""
    told = [f"{window.succeeded:,} of {count(window.groups, 'group')} came through"]
    if window.under_way:
        told.append(f"under way: {_named(window.under_way)}")
    if window.failed:
        told.append(f"failed: {_named(window.failed)} ({window.may_fail} may fail)")
    told.append(f"{window.to_come:,} to come")
    if window.succeeded < window.canaries and window.to_come:
        told.append(f"the first {window.canaries} must come through before more begin")
    if window.is_closed:
        told.append("people said no to going on")
    elif window.is_halted and window.to_come:
        told.append("halted")
    return f"{window.window}: {'; '.join(told)}"


def _named(groups: Sequence[str]) -> str:
    more = f" and {len(groups) - _MOST_NAMED:,} more" if len(groups) > _MOST_NAMED else ""
    return ", ".join(groups[:_MOST_NAMED]) + more
