"""Recovery points for tests: small, but whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta

from relight.situation import PointSummary
from relight.vault import Manifest, Member
from relight.vault.manifest import point_id
from rig.context import START


def tensors(values: bytes) -> bytes:
    """A safetensors file with one tensor of bytes."""
    header = json.dumps(
        {"w": {"dtype": "U8", "shape": [len(values)], "data_offsets": [0, len(values)]}}
    ).encode()
    return len(header).to_bytes(8, "little") + header + values


def members_of(step: int, size: int = 100) -> dict[str, bytes]:
    return {
        "weights.safetensors": tensors(b"%08d" % step * (size // 8)),
        "optimizer.safetensors": tensors(b"%08d" % -step * 2),
        "position.json": json.dumps({"step": step}).encode(),
    }


def manifest_of(
    members: Mapping[str, bytes],
    *,
    step: int,
    epoch: int = 1,
    epoch_from: int = 0,
    workload: str = "digits",
    seconds: float | None = None,
) -> Manifest:
    return Manifest(
        id=point_id(workload, epoch, step),
        workload=workload,
        epoch=epoch,
        step=step,
        epoch_from=epoch_from,
        sealed_at=START + timedelta(seconds=step if seconds is None else seconds),
        code="sha256:of-the-code",
        members=tuple(Member.of(name, content) for name, content in members.items()),
        losses=(2.0, 1.0),
        next_loss=0.5,
    )


def summary_of(step: int, epoch: int = 1, epoch_from: int = 0) -> PointSummary:
    return manifest_of({"m": b""}, step=step, epoch=epoch, epoch_from=epoch_from).summary()
