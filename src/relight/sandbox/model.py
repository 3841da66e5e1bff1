"""A small model of handwritten digits, trained in plain numpy: 64 inputs, one hidden layer, ten digits.

Small, but with all that makes a real training hard to resume: an optimizer with state (Adam), an order of the
data that is shuffled anew every pass, and dropout, which draws from the same random numbers. Everything is
float32 and drawn from one generator, so that a training that is resumed has, bit for bit, the losses of one
that never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Tensors = dict[str, Floats]

HIDDEN = 128
BATCH = 128
SEED = 20_260_713
_RATE, _BETA1, _BETA2, _EPSILON = np.float32(1e-3), np.float32(0.9), np.float32(0.999), np.float32(1e-8)
_KEEP = np.float32(0.8)  # dropout
# Smoothed labels give the loss a floor well above zero: late losses scatter little, so that "within 1.5 times
# the losses before" is a fair question to ask of a resumed training.
_SMOOTHING = np.float32(0.1)


@dataclass
class TrainingState:
    """All that a training is made of between two steps."""

    step: int
    weights: Tensors
    moments: Tensors  # Adam's: "m.<weight>" and "v.<weight>"
    rng: np.random.Generator
    order: NDArray[np.int64]  # of the images, in this pass
    cursor: int  # how many of `order` were used

    @classmethod
    def fresh(cls, images: int) -> TrainingState:
        """The state before the first step, the same each time."""
        rng = np.random.default_rng(SEED)
        shapes = {"hidden.weight": (64, HIDDEN), "digits.weight": (HIDDEN, 10)}
        weights: Tensors = {}
        for name, shape in shapes.items():
            scale = np.float32(np.sqrt(2 / shape[0]))
            weights[name] = rng.standard_normal(shape, dtype=np.float32) * scale
            weights[name.replace("weight", "bias")] = np.zeros(shape[1], np.float32)
        moments = {f"{kind}.{name}": np.zeros_like(w) for kind in "mv" for name, w in weights.items()}
        return cls(0, weights, moments, rng, rng.permutation(images), 0)


class Training:
    """Takes one step after another; `state` belongs to it."""

    def __init__(self, images: Floats, labels: NDArray[np.int64], state: TrainingState) -> None:
        self._images = images
        self._labels = labels
        self.state = state

    def train_step(self) -> float:
        """Take one step; the loss is that of its batch before the weights change."""
        state = self.state
        images, targets, kept = self._next_batch()
        hidden, logits = _forward(state.weights, images, kept)
        loss, slope = _loss(logits, targets)
        through = (slope @ state.weights["digits.weight"].T) * kept * (hidden > 0)
        self._adjust(
            {
                "digits.weight": hidden.T @ slope,
                "digits.bias": slope.sum(axis=0),
                "hidden.weight": images.T @ through,
                "hidden.bias": through.sum(axis=0),
            }
        )
        state.step += 1
        return loss

    def next_loss(self) -> float:
        """The loss that the next step will have; nothing changes."""
        state = self.state
        before: tuple[Any, ...] = (state.rng.bit_generator.state, state.order, state.cursor)
        images, targets, kept = self._next_batch()
        state.rng.bit_generator.state, state.order, state.cursor = before
        return _loss(_forward(state.weights, images, kept)[1], targets)[0]

    def _next_batch(self) -> tuple[Floats, Floats, Floats]:
        """Images, smoothed targets, and what dropout keeps (scaled), of the next batch."""
        state = self.state
        if state.cursor + BATCH > len(state.order):
            state.order, state.cursor = state.rng.permutation(len(self._images)), 0
        chosen = state.order[state.cursor : state.cursor + BATCH]
        state.cursor += BATCH
        targets = np.full((BATCH, 10), _SMOOTHING / np.float32(10), np.float32)
        targets[np.arange(BATCH), self._labels[chosen]] += np.float32(1) - _SMOOTHING
        kept = (state.rng.random((BATCH, HIDDEN), dtype=np.float32) < _KEEP).astype(np.float32) / _KEEP
        return self._images[chosen], targets, kept

    def _adjust(self, slopes: Tensors) -> None:
        """Adam (Kingma and Ba, 2015, algorithm 1)."""
        state = self.state
        nth = state.step + 1
        correct1, correct2 = np.float32(1 - float(_BETA1) ** nth), np.float32(1 - float(_BETA2) ** nth)
        for name, slope in slopes.items():
            m, v = state.moments[f"m.{name}"], state.moments[f"v.{name}"]
            m += (np.float32(1) - _BETA1) * (slope - m)
            v += (np.float32(1) - _BETA2) * (slope * slope - v)
            state.weights[name] -= _RATE * (m / correct1) / (np.sqrt(v / correct2) + _EPSILON)


def predict(weights: Tensors, images: Floats) -> NDArray[np.int64]:
    """The digit that each image shows, as far as the weights can tell."""
    logits = _forward(weights, images, np.float32(1))[1]
    digits: NDArray[np.int64] = logits.argmax(axis=1).astype(np.int64)
    return digits


def _forward(weights: Tensors, images: Floats, kept: Floats | np.float32) -> tuple[Floats, Floats]:
    hidden = np.maximum(images @ weights["hidden.weight"] + weights["hidden.bias"], np.float32(0)) * kept
    return hidden, hidden @ weights["digits.weight"] + weights["digits.bias"]


def _loss(logits: Floats, targets: Floats) -> tuple[float, Floats]:
    """Cross-entropy, the mean over the batch, and its slope by the logits."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    loss = -(targets * logs).sum(axis=1).mean()
    return float(loss), (np.exp(logs) - targets) / np.float32(len(logits))
