"""Seals that are cut off anywhere, and writers that are fenced anywhere in between."""

from __future__ import annotations

import contextlib
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.errors import Refused, Unreachable
from relight.objects import Condition, Object, ObjectStore, Version
from relight.objects.adapters.obstore import memory_objects
from relight.vault import Vault
from relight.vault.adapters.objects import ObjectVault
from relight.vault.copying import read_member
from relight.vault.fake import memory_vault
from rig.points import manifest_of, members_of


def assert_whole(vault: Vault, workload: str = "digits") -> None:
    for point in vault.points(workload):
        for member in vault.manifest(point).members:
            read_member(vault, point, member)


@pytest.mark.parametrize("after_effect", [False, True], ids=["not-done", "answer-lost"])
@pytest.mark.parametrize("other_bytes", [False, True], ids=["same-bytes", "other-bytes"])
def test_a_seal_that_is_cut_off_anywhere_lists_nothing_half_and_succeeds_the_second_time(
    after_effect: bool, other_bytes: bool
) -> None:
    for allowed in count():
        vault, store = memory_vault()
        old = members_of(5)
        vault.seal(manifest_of(old, step=5), old)
        store.operations, store.allowed, store.after_effect = 0, allowed, after_effect
        members = members_of(10)
        cut_off = False
        try:
            vault.seal(manifest_of(members, step=10), members)
        except Unreachable:
            cut_off = True
        store.allowed = None
        assert_whole(vault)
        listed = [point.step for point in vault.points("digits")]
        assert listed in ([5], [5, 10])
        if not cut_off:
            assert allowed > 5  # or nothing was ever cut off
            return
        # A trainer that was killed comes again; if its bytes differ, what it left behind is not in its way,
        # unless the point was sealed after all.
        if other_bytes and listed == [5]:
            members = members_of(1010)
        point = vault.seal(manifest_of(members, step=10), members)
        assert vault.points("digits")[-1] == point
        assert_whole(vault)


class Interrupted:
    """An object store that lets somebody else act before each of its operations."""

    def __init__(self, objects: ObjectStore) -> None:
        self.objects = objects
        self.before: list[object] = []

    def _let_act(self) -> None:
        if self.before:
            act = self.before.pop(0)
            if callable(act):
                act()

    def get(self, key: str) -> Object:
        self._let_act()
        return self.objects.get(key)

    def get_range(self, key: str, start: int, length: int) -> bytes:
        self._let_act()
        return self.objects.get_range(key, start, length)

    def put(self, key: str, content: bytes, condition: Condition) -> Version:
        self._let_act()
        return self.objects.put(key, content, condition)

    def list(self, prefix: str) -> list[str]:
        return self.objects.list(prefix)

    def delete(self, key: str) -> None:
        self.objects.delete(key)


actions = st.one_of(
    st.none(),
    st.tuples(st.just("raise"), st.integers(1, 4)),
    st.tuples(st.just("seal"), st.integers(1, 4)),
)


@settings(max_examples=150, deadline=None)
@given(
    writers=st.lists(
        st.tuples(st.integers(1, 3), st.lists(actions, max_size=8)),
        min_size=1,
        max_size=4,
    )
)
def test_once_the_epoch_was_raised_nothing_of_an_older_one_is_newly_listed(
    writers: list[tuple[int, list[tuple[str, int] | None]]],
) -> None:
    objects = memory_objects()
    other = ObjectVault(objects, "other")
    steps = count(1)
    raised = 0
    frozen: set[str] = set()  # what was listed of older epochs when the epoch was raised

    def listed_below(epoch: int) -> set[str]:
        return {point.id for point in other._head("digits")[0].points if point.epoch < epoch}

    def act(action: tuple[str, int] | None) -> None:
        nonlocal raised, frozen
        if action is None:
            return
        verb, epoch = action
        if verb == "raise":
            other.raise_epoch("digits", epoch)
            if epoch > raised:
                raised, frozen = epoch, listed_below(epoch)
        else:
            step = next(steps)
            members = members_of(step)
            with contextlib.suppress(Refused):
                other.seal(manifest_of(members, step=step, epoch=epoch), members)

    for epoch, interruptions in writers:
        interrupted = Interrupted(objects)
        interrupted.before = [lambda action=action: act(action) for action in interruptions]
        step = next(steps)
        members = members_of(step)
        with contextlib.suppress(Refused):
            ObjectVault(interrupted, "writer").seal(manifest_of(members, step=step, epoch=epoch), members)
        assert listed_below(raised) <= frozen
        assert_whole(other)
