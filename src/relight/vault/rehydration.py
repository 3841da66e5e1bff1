"""Carries `Rehydrate` out: the newest whole point, in parts, over as many calls as it takes."""

from __future__ import annotations

import errno
import re
import sys
import time
from datetime import timedelta
from pathlib import Path

from pydantic import ValidationError

from relight.canonical import Frozen, canonical_json
from relight.errors import Damaged, NotFound
from relight.plan import Context, Done, Failed, Outcome, Progress, Retry, Working, concrete
from relight.situation import PointSummary
from relight.units import format_bytes
from relight.vault.landing import Landing, discard, write_durably
from relight.vault.lineage import age
from relight.vault.manifest import Manifest
from relight.vault.port import Vault, Vaults
from relight.vault.steps import Rehydrate, RestoredPoint

BUDGET_SECONDS = 1.5  # of one call, so that it returns within two
_AT_ONCE = timedelta(milliseconds=20)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
_EPOCH_AND_STEP = re.compile(r".+-e(\d+)-s(\d+)")


class _Remembered(Frozen):
    """What one step of one run found out about points, kept in the folder for attempts to come."""

    token: str
    doubted: tuple[str, ...] = ()  # points that were damaged once: the bytes may have been lost on the way
    rejected: dict[str, str] = {}  # points that are damaged, and why


class RehydrateHandler:
    """Fetches, verifies, and passes over what is not whole."""

    def __init__(self, world: Vaults, budget_seconds: float = BUDGET_SECONDS) -> None:
        self._world = world
        self._budget_seconds = budget_seconds

    def attempt(self, spec: Rehydrate, context: Context) -> Outcome:
        """Done with the newest whole point at or above the floor; Failed if there is none."""
        until = time.monotonic() + self._budget_seconds
        vault = self._world.vault(spec.store)
        folder = Path(spec.folder)
        try:
            memory = _recall(folder, context.token)
            while True:
                candidates = _candidates(spec, vault.points(spec.workload))
                point = next((p for p in candidates if p.id not in memory.rejected), None)
                if point is None:
                    return _nothing_left(spec, memory)
                try:
                    landing = _bring(vault, point, folder, context, until)
                except (Damaged, NotFound) as error:
                    context.check()
                    memory = _doubted(memory, point, error.what)
                    _remember(folder, memory)
                    if point.id in memory.rejected:
                        discard(folder, point)
                    continue
                if not landing.is_complete:
                    return Working(_AT_ONCE, _progress(landing))
                return Done(_facts(landing, tuple(f"{name}: {why}" for name, why in memory.rejected.items())))
        except OSError as error:
            return _disk_refuses(folder, error)


def _bring(vault: Vault, point: PointSummary, folder: Path, context: Context, until: float) -> Landing:
    """Bring the point as far as it goes until the monotonic time `until`."""
    manifest = vault.manifest(point)
    if manifest.summary() != point:
        raise Damaged("its manifest is of another point")
    landing = Landing(folder / manifest.id, manifest)
    if not landing.is_complete:
        context.check()
        landing.fetch(vault, point, until, context.check)
        if not landing.missing():
            context.check()
            landing.finish()
    return landing


def _candidates(spec: Rehydrate, points: tuple[PointSummary, ...]) -> list[PointSummary]:
    """The points that people agreed to, newest first."""
    floor = next(((p.epoch, p.step) for p in points if p.id == spec.floor), None)
    if floor is None and (match := _EPOCH_AND_STEP.fullmatch(concrete(spec.floor))):
        floor = (int(match[1]), int(match[2]))  # so many points came after it that it is listed no more
    if floor is None:
        return []
    agreed = (p for p in points if p.epoch <= spec.max_epoch and (p.epoch, p.step) >= floor)
    return sorted(agreed, key=age, reverse=True)


def _facts(landing: Landing, passed_over: tuple[str, ...]) -> RestoredPoint:
    manifest: Manifest = landing.manifest
    return RestoredPoint(
        id=manifest.id,
        step=manifest.step,
        sealed_at=manifest.sealed_at,
        size=manifest.size,
        folder=str(landing.folder),
        next_loss=manifest.next_loss,
        # Without losses there is nothing to compare with, and nothing is too high.
        highest_loss=max(manifest.losses, default=sys.float_info.max),
        passed_over=passed_over,
    )


def _progress(landing: Landing) -> Progress:
    done, size = landing.fetched, landing.manifest.size
    note = f"{landing.manifest.id}: {format_bytes(done)} of {format_bytes(size)}"
    return Progress(note=note, fraction=min(1.0, done / size) if size else 1.0)


def _nothing_left(spec: Rehydrate, memory: _Remembered) -> Failed:
    reason = f"{spec.store} has no whole point of {spec.workload} at or above {spec.floor}"
    if memory.rejected:
        passed = "; ".join(f"{name}: {why}" for name, why in memory.rejected.items())
        reason += f"; passed over: {passed}"
    return Failed(reason, "plan again, so that people can agree to an older point or another store")


def _disk_refuses(folder: Path, error: OSError) -> Outcome:
    if error.errno in _DISK_FULL:
        return Retry(f"the disk under {folder} is full: make room there, and the fetch goes on where it was")
    return Failed(f"cannot lay points in {folder}: {error.strerror or error}", "check path and rights")


def _doubted(memory: _Remembered, point: PointSummary, why: str) -> _Remembered:
    # Once, bytes may have been lost on this side (a torn part file): that member was thrown away, look again.
    if point.id not in memory.doubted:
        return memory.model_copy(update={"doubted": (*memory.doubted, point.id)})
    return memory.model_copy(update={"rejected": {**memory.rejected, point.id: why}})


def _recall(folder: Path, token: str) -> _Remembered:
    try:
        memory = _Remembered.model_validate_json(_memory_file(folder).read_bytes())
    except (FileNotFoundError, ValidationError):
        return _Remembered(token=token)
    # Another step or run asks anew: the store may have been repaired since.
    return memory if memory.token == token else _Remembered(token=token)


def _remember(folder: Path, memory: _Remembered) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_durably(_memory_file(folder), canonical_json(memory.model_dump(mode="json")))


def _memory_file(folder: Path) -> Path:
    return folder / "rejected.json"
