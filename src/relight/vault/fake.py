"""Vaults in this process's memory, and a store that breaks when it is told to."""

from __future__ import annotations

from relight.errors import Unreachable
from relight.objects import Condition, Object, ObjectStore, Version
from relight.objects.adapters.obstore import memory_objects
from relight.vault.adapters.objects import ObjectVault


class BreakingObjects:
    """An `ObjectStore` that passes everything on until it has to break.

    `allowed` operations pass, then each raises Unreachable; None: all pass. With `after_effect` the first
    one that breaks is carried out all the same: only its answer is lost.
    """

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self.allowed: int | None = None
        self.after_effect = False
        self.operations = 0

    def get(self, key: str) -> Object:
        """See ObjectStore.get."""
        self._count(key)
        return self.objects.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        """See ObjectStore.get_range."""
        self._count(key)
        return self.objects.get_range(key, start, length)

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        """See ObjectStore.put."""
        if self.after_effect and self.allowed == self.operations:
            self.objects.put(key, content, condition)
        self._count(key)
        return self.objects.put(key, content, condition)

    def list(self, prefix: str) -> list[str]:
        """See ObjectStore.list."""
        self._count(prefix)
        return self.objects.list(prefix)

    def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        self._count(key)
        self.objects.delete(key)

    def _count(self, key: str) -> None:
        self.operations += 1
        if self.allowed is not None and self.operations > self.allowed:
            raise Unreachable(f"{key}: no answer (told to break)", "mend it")


def memory_vault(name: str = "memory") -> tuple[ObjectVault, BreakingObjects]:
    """A fresh vault, and the store below it, in which faults are made."""
    objects = BreakingObjects(memory_objects(name))
    return ObjectVault(objects, name), objects
