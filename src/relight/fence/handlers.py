"""What carries the fence's steps out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Protocol

from relight.errors import Conflict, NotFound, RelightError
from relight.fence.port import Lookout, Witness
from relight.fence.steps import (
    ConfirmVerdict,
    DeclareAuthority,
    DeclaredAuthority,
    RaisedEpoch,
    RaiseEpoch,
    VerdictSeen,
)
from relight.plan import Context, Done, Failed, Outcome, Retry
from relight.situation import Authority, Opinion, conclude

DEADLINE_SECONDS = 1.5  # for all observers together, so that a call returns within two


class Lookouts(Protocol):
    """Where the observers come from."""

    def lookouts(self) -> Mapping[str, Lookout]:
        """Every declared observer, by name."""


class Witnesses(Protocol):
    """Where the witness comes from."""

    def witness(self) -> Witness:
        """The witness of the estate."""


class ConfirmVerdictHandler:
    """Asks all observers at once and counts their voices."""

    def __init__(self, world: Lookouts, deadline_seconds: float = DEADLINE_SECONDS) -> None:
        self._world = world
        self._deadline_seconds = deadline_seconds

    def attempt(self, spec: ConfirmVerdict, context: Context) -> Outcome:  # noqa: ARG002 (it changes nothing)
        """Done if the quorum's verdict is accepted; Retry naming what every observer sees."""
        lookouts = self._world.lookouts()
        answers = _ask_all(lookouts, spec.site, self._deadline_seconds)
        voices = {name: _voice(name, answer, spec) for name, answer in answers.items()}
        heard = [voice for voice in voices.values() if isinstance(voice, Opinion)]
        verdict = conclude(heard, len(lookouts))
        if verdict in spec.accept:
            return Done(VerdictSeen(verdict=verdict))
        seen = "; ".join(_shown(name, voice) for name, voice in voices.items())
        wanted = " or ".join(spec.accept)
        return Retry(f"{spec.capability} of {spec.site} is {verdict}, not {wanted}: {seen or 'no observers'}")


class DeclareAuthorityHandler:
    """Declares the first writer of a workload, and leaves one that is declared as it is."""

    def __init__(self, world: Witnesses) -> None:
        self._world = world

    def attempt(self, spec: DeclareAuthority, context: Context) -> Outcome:
        """Done with whoever may write from now on, which may be another site than the one asked for."""
        first = Authority(
            workload=spec.workload,
            epoch=1,
            active=spec.active,
            changed_by=context.run,
            changed_at=context.now(),
        )
        context.check()
        there = self._world.witness().declare(first)
        return Done(DeclaredAuthority(epoch=there.epoch, active=there.active))


class RaiseEpochHandler:
    """Raises the epoch in the name of the run."""

    def __init__(self, world: Witnesses) -> None:
        self._world = world

    def attempt(self, spec: RaiseEpoch, context: Context) -> Outcome:
        """Done once this run has raised the epoch; Failed if somebody else did: nobody ever lowers it."""
        witness = self._world.witness()
        context.check()
        try:
            authority = witness.raise_epoch(
                spec.workload, above=spec.above, active=spec.active, by=context.run, at=context.now()
            )
        except Conflict as conflict:
            there = witness.authority(spec.workload)
            if there and there.epoch == spec.above:
                raise  # only the write was lost, many times over
            return Failed(conflict.what, "look who took over; if it is still needed, make a new plan")
        except NotFound as missing:
            return Failed(missing.what, missing.remedy)
        return Done(RaisedEpoch(epoch=authority.epoch))


def _ask_all(
    lookouts: Mapping[str, Lookout], site: str, deadline_seconds: float
) -> dict[str, tuple[Opinion, ...] | str]:
    """Per observer what it answered, or why it did not; takes no longer than the deadline."""
    answered: SimpleQueue[tuple[str, tuple[Opinion, ...] | str]] = SimpleQueue()

    def ask(name: str, lookout: Lookout) -> None:
        try:
            answered.put((name, lookout.opinions(site)))
        except RelightError as error:
            answered.put((name, error.what))
        except Exception as error:  # noqa: BLE001 (one broken observer must not silence the others)
            answered.put((name, f"{type(error).__name__}: {error}"))

    until = time.monotonic() + deadline_seconds
    for name, lookout in lookouts.items():
        # Daemons: one that never answers must not keep the controller from ending.
        Thread(target=ask, args=(name, lookout), name=f"ask-{name}", daemon=True).start()
    answers: dict[str, tuple[Opinion, ...] | str] = dict.fromkeys(
        lookouts, f"no answer within {deadline_seconds:g}s"
    )
    for _ in lookouts:
        try:
            name, answer = answered.get(timeout=max(0.0, until - time.monotonic()))
        except Empty:
            break
        answers[name] = answer
    return answers


def _voice(name: str, answer: tuple[Opinion, ...] | str, spec: ConfirmVerdict) -> Opinion | str:
    """The one voice that an observer has, or why it has none."""
    if isinstance(answer, str):
        return answer
    for opinion in answer:
        if (opinion.observer, opinion.site, opinion.capability) == (name, spec.site, spec.capability):
            return opinion
    return f"says nothing of {spec.capability}"


def _shown(name: str, voice: Opinion | str) -> str:
    if isinstance(voice, str):
        return f"{name}: {voice}"
    state = "up" if voice.up else "down"
    reason = f" ({voice.reason})" if voice.reason else ""
    return f"{name} sees it {state} since {voice.since:%H:%M:%S}{reason}"
