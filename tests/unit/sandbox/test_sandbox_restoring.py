"""A trainer or server of the sandbox starts from a point only if it is whole and the right one."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight.errors import RelightError
from relight.sandbox.assignment import Assignment
from relight.sandbox.checkpoint import WEIGHTS, to_manifest, to_members
from relight.sandbox.model import TrainingState
from relight.sandbox.restoring import restore, restore_weights

WANTED = Assignment(workload="digits", token="t", epoch=2, gpus=16, point="digits-e0001-s00000007")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    state = TrainingState.fresh(10)
    state.step = 7
    members = to_members(state)
    manifest = to_manifest(
        state, members, workload="digits", epoch=1, epoch_from=0, code="c", losses=(1.0,), next_loss=0.9
    )
    (tmp_path / "point.json").write_bytes(manifest.content())
    for name, content in members.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def test_a_whole_point_is_restored(folder: Path) -> None:
    assert restore(folder, WANTED).step == 7
    point, weights = restore_weights(folder)
    assert point == "digits-e0001-s00000007"
    assert weights["hidden.weight"].shape == (64, 128)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        (Assignment("other", "t", 2, 16), "is a point of digits, not of other"),
        (Assignment("digits", "t", 2, 16, point="digits-e0001-s00000009"), "is point digits-e0001-s00000007"),
        (Assignment("digits", "t", 0, 16), "of a later epoch than 0"),
    ],
)
def test_a_point_that_was_not_meant_is_refused(folder: Path, wanted: Assignment, reason: str) -> None:
    with pytest.raises(RelightError, match=reason):
        restore(folder, wanted)


def test_a_changed_byte_is_found(folder: Path) -> None:
    content = bytearray((folder / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS).write_bytes(content)
    for ask in (lambda: restore(folder, WANTED), lambda: restore_weights(folder)):
        with pytest.raises(RelightError, match="is not what was sealed"):
            ask()


def test_a_missing_member_or_manifest_is_found(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(RelightError, match="is not whole"):
        restore(folder, WANTED)
    (folder / "point.json").write_text("{}")
    with pytest.raises(RelightError, match="is no recovery point"):
        restore(folder, WANTED)
