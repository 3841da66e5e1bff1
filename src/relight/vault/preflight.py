"""What the vault tries before a disaster: do stores take seals, are points read, is there room?"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from relight.errors import Damaged, NotFound, RelightError
from relight.estate import Estate
from relight.objects import ObjectStore, prove_writes
from relight.plan import Spec
from relight.situation import PointSummary, PreflightCheck
from relight.units import format_bytes
from relight.vault.port import Vault, Vaults
from relight.vault.steps import CopyPoint, FenceStore, Rehydrate

_FIRST_BYTES = 4096


class VaultWorld(Vaults, Protocol):
    """Where stores and vaults come from."""

    def objects(self, store: str) -> ObjectStore:
        """The bytes of a declared store."""


def preflight(estate: Estate, world: VaultWorld) -> Iterator[PreflightCheck]:
    """One check per store with points, per store and workload that seals there, per site."""
    stores = {store: None for workload in estate.workloads.values() for store in workload.writes}
    for store in stores:
        things = (f"store:{store}",)
        yield PreflightCheck(f"store {store} takes conditional writes", things, partial(_write, world, store))
    for name, workload in estate.workloads.items():
        for store in workload.writes:
            yield PreflightCheck(
                f"the newest point of {name} in store {store} can be read",
                (f"points:{name}@{store}",),
                partial(_read_newest, world, store, name),
            )
    writers = [name for name, workload in estate.workloads.items() if workload.writes]
    for site, declared in estate.sites.items():
        if writers:
            yield PreflightCheck(
                f"points can be laid down at {site}",
                tuple(f"folder:{declared.data}/{name}" for name in writers),
                partial(_lay_down, world, declared.store, Path(declared.data), tuple(writers)),
            )


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need of this room; a point that an earlier step copies need not be there yet."""
    del estate
    specs = tuple(specs)
    copied = {(spec.workload, spec.target) for spec in specs if isinstance(spec, CopyPoint)}
    for spec in specs:
        match spec:
            case FenceStore(if_reachable=False):
                yield f"store:{spec.store}"
            case CopyPoint():
                yield from (f"store:{spec.source}", f"store:{spec.target}")
            case Rehydrate():
                yield from (f"store:{spec.store}", f"folder:{spec.folder}")
                if (spec.workload, spec.store) not in copied:
                    yield f"points:{spec.workload}@{spec.store}"


def _write(world: VaultWorld, store: str) -> str:
    prove_writes(world.objects(store), datetime.now(UTC))
    return "a tiny object was written, changed and deleted"


def _read_newest(world: VaultWorld, store: str, workload: str) -> str:
    vault = world.vault(store)
    points = vault.points(workload)
    if not points:
        raise NotFound(
            f"store {store} holds no recovery point of {workload}",
            "does it seal there, or is it replicated there?",
        )
    newest = points[-1]
    try:
        _read_some(vault, newest)
    except (Damaged, NotFound) as error:
        raise Damaged(
            error.what, "a restore would pass it over for the point before: find out what happened to it"
        ) from None
    return f"{newest.id}, sealed at {newest.sealed_at:%Y-%m-%d %H:%M:%S}Z, {format_bytes(newest.size)}"


def _read_some(vault: Vault, point: PointSummary) -> None:
    manifest = vault.manifest(point)  # its digest is checked in there
    member = manifest.members[0]
    wanted = min(member.size, _FIRST_BYTES)
    if len(vault.read(point, member, 0, wanted)) != wanted:
        raise Damaged(f"{point.id} has less of {member.name} than its manifest binds")


def _lay_down(world: VaultWorld, store: str, data: Path, writers: tuple[str, ...]) -> str:
    there = next(folder for folder in (data, *data.absolute().parents) if folder.is_dir())
    try:
        with tempfile.TemporaryFile(dir=there) as trial:
            trial.write(b"1")
        free = shutil.disk_usage(there).free
    except OSError as error:
        raise RelightError(
            f"nothing can be written to {there}: {error.strerror}",
            "points are laid down there by whoever runs the plan: mount it here, and give it the right",
        ) from None
    newest = [points[-1].size for name in writers if (points := _points(world, store, name))]
    if free < sum(newest):
        raise RelightError(
            f"{data} has {format_bytes(free)} free; the newest points have {format_bytes(sum(newest))}",
            "make room there",
        )
    return f"{format_bytes(free)} free in {there}"


def _points(world: VaultWorld, store: str, workload: str) -> tuple[PointSummary, ...]:
    """The points, or none where they cannot be seen: that is for another check to say."""
    try:
        return world.vault(store).points(workload)
    except RelightError:
        return ()
