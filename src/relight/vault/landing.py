"""A point on its way to a disk: fetched part by part, verified, whole or not there.

{folder}/{id}/.{member}.part    what was fetched so far; its length says where to go on
{folder}/{id}/{member}          verified by digest, fsynced
{folder}/{id}/point.json        the manifest, written last: now the point is there
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3

from relight.errors import Damaged
from relight.situation import PointSummary
from relight.vault.copying import PART_BYTES
from relight.vault.loading import why_not_loadable
from relight.vault.manifest import POINT_ID, Manifest, Member
from relight.vault.port import Vault

POINT_FILE = "point.json"


class Landing:
    """One point and the folder it is laid in. Every method may raise OSError."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @property
    def is_complete(self) -> bool:
        """Whether the point lies here whole."""
        try:
            return (self.folder / POINT_FILE).read_bytes() == self.manifest.content() and not self.missing()
        except FileNotFoundError:
            return False

    @property
    def fetched(self) -> int:
        """Bytes that lie here, verified or not."""
        here = (max(_size(self._file(m)), _size(self._part(m))) for m in self.manifest.members)
        return sum(size for size in here if size > 0)

    def missing(self) -> list[Member]:
        """The members that are not verified yet."""
        return [m for m in self.manifest.members if _size(self._file(m)) != m.size]

    def fetch(self, vault: Vault, point: PointSummary, until: float, check: Callable[[], None]) -> None:
        """Fetch what is missing until the monotonic time `until`; whole members are verified.

        `check` is called before every part. Raise Damaged if a member is not what was sealed (what was
        fetched of it is thrown away), NotFound if the store does not have it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        for member in self.missing():
            if self._fetch_member(vault, point, member, until, check):
                self._verify(member)
            if time.monotonic() >= until:
                return

    def finish(self) -> None:
        """Check that the members load, and write the manifest beside them. Raise Damaged if one does not."""
        for member in self.manifest.members:
            if why := why_not_loadable(self._file(member)):
                raise Damaged(f"{member.name} does not load: {why}")
        write_durably(self.folder / POINT_FILE, self.manifest.content())

    def _fetch_member(
        self, vault: Vault, point: PointSummary, member: Member, until: float, check: Callable[[], None]
    ) -> bool:
        """Whether the member's part file is complete now."""
        if _size(self._part(member)) > member.size:
            self._part(member).unlink()
        with self._part(member).open("ab") as file:
            while (start := file.tell()) < member.size and time.monotonic() < until:
                check()
                part = vault.read(point, member, start, min(PART_BYTES, member.size - start))
                if not part:
                    raise Damaged(f"{member.name} ends at {start} of {member.size} bytes")
                file.write(part)
                file.flush()
            # Before the length counts as fetched, the bytes must be on the disk.
            os.fsync(file.fileno())
            return file.tell() == member.size

    def _verify(self, member: Member) -> None:
        part = self._part(member)
        hasher = blake3(max_threads=blake3.AUTO)
        if member.size:
            hasher.update_mmap(part)
        if f"blake3:{hasher.hexdigest()}" != member.digest:
            part.unlink()
            raise Damaged(f"{member.name} is not what was sealed")
        part.replace(self._file(member))
        _sync_folder(self.folder)

    def _file(self, member: Member) -> Path:
        return self.folder / member.name

    def _part(self, member: Member) -> Path:
        # The dot keeps it apart from every member: their names begin with a letter or digit.
        return self.folder / f".{member.name}.part"


def discard(folder: Path, point: PointSummary) -> None:
    """Remove what lies of a point: it is of no use, and the disk may be needed."""
    # The id comes from a store's head, where anything may stand ("../..").
    if re.fullmatch(POINT_ID, point.id):
        shutil.rmtree(folder / point.id, ignore_errors=True)


def write_durably(path: Path, content: bytes) -> None:
    """Replace a file so that after any crash the old or the new one is there, whole. Raise OSError."""
    fresh = path.with_name(f".{path.name}.new")
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _size(path: Path) -> int:
    """Bytes of a file; -1 if there is none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
