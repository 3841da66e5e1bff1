"""The state of a training as the members of a recovery point, and back: four files of safetensors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from relight.errors import RelightError
from relight.sandbox.model import Tensors, TrainingState
from relight.vault.manifest import Manifest, Member, point_id

WEIGHTS, OPTIMIZER, RNG, POSITION = (
    f"{name}.safetensors" for name in ("weights", "optimizer", "rng", "position")
)
_WORD = 2**64


def to_members(state: TrainingState) -> dict[str, bytes]:
    """The members by file name; later steps do not change them."""
    position = {"step": np.array([state.step]), "cursor": np.array([state.cursor]), "order": state.order}
    return {
        WEIGHTS: save(state.weights),
        OPTIMIZER: save(state.moments),
        RNG: save(_rng_to_words(state.rng)),
        POSITION: save(position),
    }


def from_members(members: Mapping[str, bytes]) -> TrainingState:
    """The state as it was. Raise RelightError if the members are not those of this model."""
    try:
        position = load(members[POSITION])
        return TrainingState(
            step=int(position["step"][0]),
            weights=load_weights(members[WEIGHTS]),
            moments=_writable(members[OPTIMIZER]),
            rng=_rng_from_words(load(members[RNG])),
            order=position["order"].copy(),
            cursor=int(position["cursor"][0]),
        )
    except (KeyError, IndexError, ValueError, SafetensorError) as error:
        raise RelightError(f"this is no state of the digits model: {error!r}") from None


def load_weights(content: bytes) -> Tensors:
    """The weights alone, which is all that serving needs."""
    return _writable(content)


def to_manifest(
    state: TrainingState,
    members: Mapping[str, bytes],
    *,
    workload: str,
    epoch: int,
    epoch_from: int,
    code: str,
    losses: tuple[float, ...],
    next_loss: float,
) -> Manifest:
    """What binds the members together, sealed now."""
    return Manifest(
        id=point_id(workload, epoch, state.step),
        workload=workload,
        epoch=epoch,
        step=state.step,
        epoch_from=epoch_from,
        sealed_at=datetime.now(UTC),
        code=code,
        members=tuple(Member.of(name, content) for name, content in members.items()),
        losses=losses,
        next_loss=next_loss,
    )


def _writable(content: bytes) -> Tensors:
    return {name: array.copy() for name, array in load(content).items()}


def _rng_to_words(rng: np.random.Generator) -> dict[str, NDArray[np.uint64]]:
    """PCG64's two numbers of 128 bits as pairs of words, and the half word that it keeps for later."""
    seen: dict[str, Any] = dict(rng.bit_generator.state)
    words = {name: np.array(divmod(seen["state"][name], _WORD), np.uint64) for name in ("state", "inc")}
    return words | {"spare": np.array([seen["has_uint32"], seen["uinteger"]], np.uint64)}


def _rng_from_words(words: Mapping[str, NDArray[np.uint64]]) -> np.random.Generator:
    numbers = {name: int(words[name][0]) * _WORD + int(words[name][1]) for name in ("state", "inc")}
    state: Any = {  # numpy's own description of this dictionary is too narrow
        "bit_generator": "PCG64",
        "state": numbers,
        "has_uint32": int(words["spare"][0]),
        "uinteger": int(words["spare"][1]),
    }
    bits = np.random.PCG64()
    bits.state = state
    return np.random.Generator(bits)
