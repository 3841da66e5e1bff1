"""Rules about keys: data that was copied is worth nothing where its key is not."""

from __future__ import annotations

from collections.abc import Iterator

from relight.estate.regions import GOOGLE_REGIONS
from relight.topology.policy.stores import GCS
from relight.topology.policy.subjects import Breach, Rule, Scene, Subject, at, is_true


def _elsewhere(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if subject.type == "aws:kms/key:Key" and not is_true(subject.inputs.get("multiRegion")):
        yield "a key of one region is dark with it, and can never be replicated", "write multi_region=True"
    if subject.type == GCS and not _is_in_one_region(subject):
        for ring in scene.beneath(subject, "gcp:kms/keyRing:KeyRing"):
            location = str(ring.inputs.get("location", ""))
            if location.lower() in GOOGLE_REGIONS:
                yield (
                    f"data in two regions is sealed by a key that stands in {location} alone",
                    "let the key ring stand where the bucket stands: its dual-region or multi-region",
                )


def _is_in_one_region(subject: Subject) -> bool:
    location = str(subject.inputs.get("location", "")).lower()
    placed = at(subject.inputs, "customPlacementConfig", "dataLocations")
    return location in GOOGLE_REGIONS and not placed


def _turned(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001 (every rule is asked alike)
    if subject.type == "aws:kms/key:Key" and not is_true(subject.inputs.get("enableKeyRotation")):
        yield "the key is never turned", "write enable_key_rotation=True"
    if subject.type == "gcp:kms/cryptoKey:CryptoKey" and not subject.inputs.get("rotationPeriod"):
        yield "the key is never turned", "write rotation_period"


RULES = (
    Rule("key-elsewhere", "keys are usable where the data is, when a region is dark", _elsewhere, whole=True),
    Rule("key-turned", "keys are turned", _turned),
)
