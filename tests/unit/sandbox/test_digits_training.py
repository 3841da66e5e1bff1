"""The model of the sandbox trains, and a training that is resumed is the one that never stopped."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relight.errors import RelightError
from relight.sandbox.checkpoint import OPTIMIZER, RNG, from_members, load_weights, to_members
from relight.sandbox.digits import TRAINED_ON, Digits, load_digits, unpack_digits
from relight.sandbox.model import Training, TrainingState, predict

STEPS = 60  # more than five passes over the data, so the order is shuffled anew in between


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Digits:
    path: Path = tmp_path_factory.mktemp("digits") / "digits.npz"
    unpack_digits(path)
    return load_digits(path)


@pytest.fixture(scope="module")
def uninterrupted(digits: Digits) -> list[float]:
    training = begin(digits)
    return [training.train_step() for _ in range(STEPS)]


def begin(digits: Digits, state: TrainingState | None = None) -> Training:
    state = state or TrainingState.fresh(TRAINED_ON)
    return Training(digits.images[:TRAINED_ON], digits.labels[:TRAINED_ON], state)


@settings(max_examples=12, deadline=None)
@given(cut=st.integers(min_value=0, max_value=STEPS - 1))
def test_a_resumed_training_has_bit_for_bit_the_losses_of_one_that_never_stopped(
    digits: Digits, uninterrupted: list[float], cut: int
) -> None:
    first = begin(digits)
    losses = [first.train_step() for _ in range(cut)]
    members = to_members(first.state)
    first.train_step()  # what happens after the checkpoint must not reach into it
    second = begin(digits, from_members(members))
    losses += [second.train_step() for _ in range(STEPS - cut)]
    assert losses == uninterrupted
    assert second.state.step == STEPS


def test_the_next_loss_is_the_one_that_the_next_step_has(digits: Digits, uninterrupted: list[float]) -> None:
    training = begin(digits)
    foretold = []
    for _ in range(STEPS):
        foretold.append(training.next_loss())
        training.train_step()
    assert foretold == uninterrupted


def test_the_random_numbers_matter(digits: Digits, uninterrupted: list[float]) -> None:
    first = begin(digits)
    for _ in range(10):
        first.train_step()
    members = to_members(first.state) | {RNG: to_members(TrainingState.fresh(TRAINED_ON))[RNG]}
    assert begin(digits, from_members(members)).train_step() != uninterrupted[10]


def test_the_optimizer_matters(digits: Digits, uninterrupted: list[float]) -> None:
    first = begin(digits)
    for _ in range(10):
        first.train_step()
    members = to_members(first.state) | {OPTIMIZER: to_members(TrainingState.fresh(TRAINED_ON))[OPTIMIZER]}
    second = begin(digits, from_members(members))
    assert [second.train_step() for _ in range(3)] != uninterrupted[10:13]


def test_training_learns_and_its_losses_scatter_little(digits: Digits) -> None:
    training = begin(digits)
    losses = [training.train_step() for _ in range(600)]
    shown = predict(
        load_weights(to_members(training.state)["weights.safetensors"]), digits.images[TRAINED_ON:]
    )
    assert np.mean(shown == digits.labels[TRAINED_ON:]) > 0.85
    # What VerifyTraining asks of the steps after a restore must hold after any point of a healthy training.
    assert all(max(losses[i : i + 5]) < 1.2 * max(losses[i - 20 : i]) for i in range(20, 595))


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\xff" * 64])
def test_members_that_are_no_tensors_are_refused_with_a_reason(damage: bytes) -> None:
    members = to_members(TrainingState.fresh(TRAINED_ON))
    for name in members:
        with pytest.raises(RelightError, match="no state of the digits model"):
            from_members(members | {name: damage})
    with pytest.raises(RelightError, match="no state of the digits model"):
        from_members({})
