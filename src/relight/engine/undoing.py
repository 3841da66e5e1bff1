"""Which steps undo a run that is aborted, and in which order.

Everything that was ever tried is undone, whether it was done, failed or was cut off: a failed try may have
had half of its effect. The order is the reverse of the plan's: a step is undone when all that was tried
after it has been. So if the undo of a step fails, what it stands on stays where it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from relight.engine.steps import UNDO, StepState
from relight.plan import Spec, Step


def undo_steps(
    order: Sequence[str], states: Mapping[str, StepState], after: Mapping[str, list[str]]
) -> tuple[Step, ...]:
    """The steps to append to a run; each is called like the one it undoes, with `UNDO` before it.

    `order` has every step after those it comes after; `after` has the followers of each.
    """
    steps: list[Step] = []
    behind: dict[str, tuple[str, ...]] = {}  # the nearest undone steps behind each; others are looked through
    undone: set[str] = set()
    for name in reversed(order):
        found: dict[str, None] = {}
        for follower in after[name]:
            found |= dict.fromkeys((follower,) if follower in undone else behind[follower])
        behind[name] = tuple(found)
        step = states[name].step
        if isinstance(step.undo, Spec) and states[name].attempt > 0:
            undone.add(name)
            steps.append(_undo(step, step.undo, behind[name]))
    return tuple(steps)


def _undo(step: Step, spec: Spec, behind: tuple[str, ...]) -> Step:
    return Step(
        id=f"{UNDO}{step.id}",
        title=f"undo: {step.title}",
        spec=spec,
        after=tuple(f"{UNDO}{name}" for name in behind),
        lane=step.lane,
        timeout=step.timeout,
        retry=step.retry,
    )
