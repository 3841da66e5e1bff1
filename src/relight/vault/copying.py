"""A sealed point, from one vault to another: the same manifest, so the same point."""

from __future__ import annotations

from relight.errors import Damaged
from relight.situation import PointSummary
from relight.vault.manifest import Member
from relight.vault.port import Vault

PART_BYTES = 8 * 2**20


def copy_point(source: Vault, target: Vault, point: PointSummary) -> PointSummary:
    """Copy a point whole and seal it in the target; no effect where the target has it already.

    All members are held in memory. Raise Damaged if a member is not what the manifest binds, Refused if
    the target takes seals of a newer epoch only, or has other content under this id.
    """
    if point in target.points(point.workload):
        return point
    manifest = source.manifest(point)
    return target.seal(manifest, {m.name: read_member(source, point, m) for m in manifest.members})


def read_member(vault: Vault, point: PointSummary, member: Member) -> bytes:
    """A whole member, checked against its digest. Raise NotFound, or Damaged if it is not as sealed."""
    starts = range(0, member.size, PART_BYTES)
    content = b"".join(vault.read(point, member, start, PART_BYTES) for start in starts)
    if Member.of(member.name, content) != member:
        raise Damaged(f"{member.name} of {point.id} is not what was sealed", "the store changed it")
    return content
