"""Trains the digits model at one site: seals a point every few seconds, drains on SIGTERM, yields to a fence.

    python -m relight.sandbox.trainer FOLDER SITE WORKLOAD

Ends with 0 when drained, 1 when its last point could not be sealed, 2 when the point that it was given is not
whole, 3 when it was fenced.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections import deque
from datetime import timedelta
from pathlib import Path

from relight.canonical import digest
from relight.errors import RelightError
from relight.fence.adapters.witness import ObjectWitness
from relight.sandbox import model
from relight.sandbox.assignment import Assignment, Status, on_drain
from relight.sandbox.checkpoint import to_manifest, to_members
from relight.sandbox.credentials import open_store, open_vault
from relight.sandbox.digits import TRAINED_ON, load_digits
from relight.sandbox.layout import Layout
from relight.sandbox.restoring import restore
from relight.sandbox.sealing import Sealer

DRAINED, NOT_SEALED, BROKEN_POINT, FENCED = 0, 1, 2, 3
CODE = digest(Path(model.__file__).read_bytes() + Path(__file__).read_bytes())
_KEPT_LOSSES = 20
_FIRST_LOSSES = 50
_FIRST_CHECKPOINT_SECONDS = 1.0  # a training that was just moved is protected again soon
_RETRY_SECONDS = 0.25
_DRAIN_SECONDS = 20.0
_WITNESS_TIMEOUT = timedelta(seconds=1)


class Trainer:
    """One training run, from its start or its point to its end."""

    def __init__(self, layout: Layout, site: str, assignment: Assignment) -> None:
        self._layout = layout
        self._assignment = assignment
        self._status = Status(assignment.status_path(layout, site))
        self._draining = threading.Event()
        digits = load_digits(layout.digits)
        point = assignment.folder
        state = restore(Path(point), assignment) if point else model.TrainingState.fresh(TRAINED_ON)
        self._began_with = state.step
        self._training = model.Training(digits.images[:TRAINED_ON], digits.labels[:TRAINED_ON], state)
        self._losses: deque[float] = deque(maxlen=_KEPT_LOSSES)
        self._sealer = Sealer(
            open_vault(layout, site),
            ObjectWitness(open_store(layout, "witness", _WITNESS_TIMEOUT)),
            assignment.workload,
            assignment.epoch,
        )
        self._status.resumed_from = state.step if point else None

    def drain(self) -> None:
        """End after the step that is being taken, with a last point."""
        self._draining.set()

    def run(self) -> int:
        """Train until drained or fenced; return the exit status."""
        logging.info("training from step %d in epoch %d", self._began_with, self._assignment.epoch)
        pace = 1 / self._layout.steps_per_second
        step_at = time.monotonic()
        seal_at = step_at + min(_FIRST_CHECKPOINT_SECONDS, self._layout.checkpoint_every)
        while not (self._draining.is_set() and self._losses):  # a point without losses proves nothing
            self._take_step()
            if self._sealer.fenced:
                return self._yield()
            now = time.monotonic()
            if now >= seal_at and not self._sealer.is_busy:
                self._offer_point()
                seal_at = now + self._layout.checkpoint_every
            step_at = max(step_at + pace, now - pace)  # after a stall it does not rush to catch up
            self._draining.wait(max(0.0, step_at - now))
        return self._seal_last()

    def _take_step(self) -> None:
        status = self._status
        loss = self._training.train_step()
        self._losses.append(loss)
        status.state, status.step = "running", self._training.state.step
        if len(status.losses) < _FIRST_LOSSES:
            status.losses.append((self._training.state.step, loss))
        self._write_status()

    def _write_status(self) -> None:
        if not self._sealer.is_busy and (point := self._sealer.last):
            self._status.sealed, self._status.sealed_step = point.id, point.step
        self._status.write()

    def _offer_point(self) -> None:
        state = self._training.state
        members = to_members(state)
        manifest = to_manifest(
            state,
            members,
            workload=self._assignment.workload,
            epoch=self._assignment.epoch,
            epoch_from=self._began_with,
            code=CODE,
            losses=tuple(self._losses),
            next_loss=self._training.next_loss(),
        )
        self._sealer.offer(manifest, members)

    def _seal_last(self) -> int:
        deadline = time.monotonic() + _DRAIN_SECONDS
        self._status.state = "draining"
        tries = 0
        while self._sealer.finish(deadline - time.monotonic()):
            self._write_status()
            if self._sealer.fenced:
                return self._yield()
            if self._status.sealed_step == self._training.state.step:
                logging.info("drained at step %d", self._training.state.step)
                return DRAINED
            if tries:
                time.sleep(_RETRY_SECONDS)
            self._offer_point()
            tries += 1
        self._status.reason = f"no last point could be sealed within {_DRAIN_SECONDS:.0f} s of the drain"
        self._status.write()
        return NOT_SEALED

    def _yield(self) -> int:
        self._status.reason = f"fenced: {self._sealer.fenced}"
        logging.warning(self._status.reason)
        self._status.write()
        return FENCED


def main(folder: str, site: str, workload: str) -> int:
    """Run the trainer; return its exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    layout = Layout.load(Path(folder))
    assignment = Assignment.load(layout, site, workload)
    try:
        trainer = Trainer(layout, site, assignment)
    except RelightError as error:
        status = Status(assignment.status_path(layout, site))
        status.reason = str(error)
        status.write()
        logging.exception("cannot start")
        return BROKEN_POINT
    on_drain(trainer.drain)
    return trainer.run()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
