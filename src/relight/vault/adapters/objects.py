"""A vault over an object store.

    heads/{workload}.json                              the epoch, and the points that exist
    points/{workload}/{id}/{seal}/manifest.json
    points/{workload}/{id}/{seal}/{member}

`seal` is the beginning of the manifest's digest, and the manifest binds every member by digest, so what
lies under a key can only be one thing. A killed writer's leftovers, or another writer that seals other
bytes under the same id at the same time, can neither be in the way nor be overwritten: only the head
decides which of them exists, and it moves by conditional write alone.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping

from pydantic import ValidationError

from relight.canonical import digest
from relight.errors import Conflict, Damaged, NotFound, Reason, Refused
from relight.objects import ABSENT, Condition, ObjectStore
from relight.situation import PointSummary
from relight.vault.head import Head, read_head
from relight.vault.lineage import lineage
from relight.vault.manifest import RESERVED, Manifest, Member

_TRIES = 8  # of a lost conditional write: a head has one regular writer, so even two in a row are rare
_LONGEST_PAUSE_SECONDS = 0.02
_SEAL_DIGITS = 16


class ObjectVault:
    """See `Vault`; `name` is how errors call the store."""

    def __init__(self, objects: ObjectStore, name: str) -> None:
        self._objects = objects
        self._name = name

    def points(self, workload: str) -> tuple[PointSummary, ...]:
        """See Vault.points."""
        return lineage(self._head(workload)[0].points)

    def epoch(self, workload: str) -> int:
        """See Vault.epoch."""
        return self._head(workload)[0].epoch

    def raise_epoch(self, workload: str, epoch: int) -> None:
        """See Vault.raise_epoch."""
        self._move(workload, lambda head: head.raised(epoch))

    def seal(self, manifest: Manifest, members: Mapping[str, bytes]) -> PointSummary:
        """See Vault.seal. A point that is listed already, with the same members, is returned unchanged."""
        _require_members(manifest, members)
        point = manifest.summary()
        head, _ = self._head(manifest.workload)
        if listed := head.listed(manifest):
            return self._same(listed, manifest)
        head.sealed(point)  # a fenced writer is refused before it writes anything
        for name, content in members.items():
            self._lay(_key(point, name), content)
        self._lay(_key(point, "manifest.json"), manifest.content())

        def list_it(head: Head) -> Head:
            return head if head.listed(manifest) else head.sealed(point)

        head = self._move(manifest.workload, list_it)
        return self._same(head.listed(manifest) or point, manifest)

    def manifest(self, point: PointSummary) -> Manifest:
        """See Vault.manifest."""
        content = self._objects.get(_key(point, "manifest.json")).content
        if digest(content) != point.manifest:
            raise Damaged(f"{self._name}: the manifest of {point.id} is not the one that was sealed")
        try:
            return Manifest.model_validate_json(content)
        except ValidationError:
            raise Damaged(
                f"{self._name}: the manifest of {point.id} is of a version that is not known here",
                "was it sealed by a newer relight?",
            ) from None

    def read(self, point: PointSummary, member: Member, start: int, length: int) -> bytes:
        """See Vault.read."""
        return self._objects.get_range(_key(point, member.name), start, length)

    def _same(self, listed: PointSummary, manifest: Manifest) -> PointSummary:
        # A writer that was cut off seals again, later: the members say whether it is the same point.
        if listed == manifest.summary():
            return listed
        if listed.id == manifest.id and self.manifest(listed).members == manifest.members:
            return listed
        raise Refused(
            f"{self._name}: {listed.id} is sealed already, at epoch {listed.epoch} and step {listed.step}, "
            "with other content",
            "a sealed point is never overwritten; does another writer run in this epoch?",
        )

    def _lay(self, key: str, content: bytes) -> None:
        try:
            self._objects.put(key, content, ABSENT)
        except Conflict:
            # Somebody laid it before us. If it is not what the key says (it decayed), put it right.
            there = self._objects.get(key)
            if there.content != content:
                self._objects.put(key, content, there.version)

    def _head(self, workload: str) -> tuple[Head, Condition]:
        key = f"heads/{workload}.json"
        try:
            there = self._objects.get(key)
        except NotFound:
            return Head(), ABSENT
        return read_head(there.content, f"store {self._name}, {key}"), there.version

    def _move(self, workload: str, change: Callable[[Head], Head]) -> Head:
        """Put the changed head in the place of the one it was made from. Raise Conflict after some tries."""
        for attempt in range(_TRIES):
            head, condition = self._head(workload)
            moved = change(head)
            if moved == head:
                return head
            try:
                self._objects.put(f"heads/{workload}.json", moved.content(), condition)
            except Conflict:
                time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS * (attempt + 1)))  # noqa: S311
            else:
                return moved
        raise Conflict(f"store {self._name}: the head of {workload} was moved by others {_TRIES} times")


def _key(point: PointSummary, file: str) -> str:
    seal = point.manifest.partition(":")[2][:_SEAL_DIGITS]
    return f"points/{point.workload}/{point.id}/{seal}/{file}"


def _require_members(manifest: Manifest, members: Mapping[str, bytes]) -> None:
    bound = {member.name: member for member in manifest.members}
    reasons = [Reason(f"the manifest does not bind {name!r}") for name in members if name not in bound]
    reasons += [Reason(f"{name!r} is missing") for name in bound if name not in members]
    if len(bound) != len(manifest.members):
        reasons.append(Reason("two members have the same name"))
    reasons += [Reason(f"no member may be called {name}") for name in RESERVED if name in bound]
    for name, content in members.items():
        if name in bound and Member.of(name, content) != bound[name]:
            reasons.append(Reason(f"{name!r} ({len(content)} bytes) is not what the manifest binds"))
    if reasons:
        raise Refused(f"{manifest.id} is not what its manifest binds", reasons=tuple(reasons))
