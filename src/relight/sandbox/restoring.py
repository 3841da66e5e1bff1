"""From the folder of a recovery point back to the state of a training, or the weights to serve."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from relight.errors import RelightError
from relight.sandbox.assignment import Assignment
from relight.sandbox.checkpoint import WEIGHTS, from_members, load_weights
from relight.sandbox.model import Tensors, TrainingState
from relight.vault import Manifest, Member

MANIFEST = "point.json"


def restore(folder: Path, assignment: Assignment) -> TrainingState:
    """The state in a point. Raise RelightError if it is not whole, or not this workload's."""
    manifest = read_manifest(folder)
    if manifest.workload != assignment.workload:
        raise RelightError(f"{folder} is a point of {manifest.workload}, not of {assignment.workload}")
    if assignment.point not in (None, manifest.id):
        raise RelightError(f"{folder} is point {manifest.id}, not {assignment.point}")
    if manifest.epoch > assignment.epoch:
        raise RelightError(f"{manifest.id} is of a later epoch than {assignment.epoch}")
    state = from_members({member.name: _read_member(folder, member) for member in manifest.members})
    if state.step != manifest.step:
        raise RelightError(f"{manifest.id} holds step {state.step}, its manifest says {manifest.step}")
    return state


def read_manifest(folder: Path) -> Manifest:
    """The manifest that lies beside the members."""
    try:
        return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise RelightError(f"{folder} is no recovery point: {error}", "rehydrate it again") from None


def restore_weights(folder: Path) -> tuple[str, Tensors]:
    """The id of a point and its weights."""
    manifest = read_manifest(folder)
    return manifest.id, load_weights(_read_member(folder, weights_of(manifest)))


def weights_of(manifest: Manifest) -> Member:
    """The member that holds the weights."""
    for member in manifest.members:
        if member.name == WEIGHTS:
            return member
    raise RelightError(f"{manifest.id} has no {WEIGHTS}")


def _read_member(folder: Path, member: Member) -> bytes:
    try:
        content = (folder / member.name).read_bytes()
    except OSError as error:
        raise RelightError(f"{folder} is not whole: {error}", "rehydrate it again") from None
    if Member.of(member.name, content) != member:
        raise RelightError(f"{member.name} in {folder} is not what was sealed", "rehydrate it again")
    return content
