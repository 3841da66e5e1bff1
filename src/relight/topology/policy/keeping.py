"""Rules about what must not go away, or change unseen."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relight.topology.policy.subjects import Breach, Rule, Scene, Subject

HOLDS_DATA = frozenset(
    {
        "aws:s3/bucket:Bucket",
        "aws:kms/key:Key",
        "aws:kms/replicaKey:ReplicaKey",
        "aws:fsx/lustreFileSystem:LustreFileSystem",
        "aws:route53/zone:Zone",
        "gcp:storage/bucket:Bucket",
        "gcp:kms/keyRing:KeyRing",
        "gcp:kms/cryptoKey:CryptoKey",
        "gcp:filestore/instance:Instance",
        "gcp:lustre/instance:Instance",
        "gcp:dns/managedZone:ManagedZone",
        "kubernetes:core/v1:PersistentVolumeClaim",
    }
)
_SIZES = re.compile(
    r"(?i)(scaling_?config|desired_?(size|capacity)|(min|max)_?size|target_?size|(initial_)?node_?count|replicas"
    r"|parallelism|auto_?scaling|^spec$|\*)"
)


def _protected(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001 (every rule is asked alike)
    if subject.type in HOLDS_DATA and not subject.protect:
        yield "pulumi destroy takes it away, and what it holds", "write protect=True"
    if subject.inputs.get("forceDestroy") is True:
        yield "it may be destroyed with all that is in it", "leave force_destroy out"


def _no_unseen_sizes(subject: Subject, scene: Scene) -> Iterator[Breach]:  # noqa: ARG001
    for path in subject.ignored:
        if _SIZES.search(path):
            yield f"changes of {path} are ignored, so that the knob turns nothing", "leave ignore_changes out"


RULES = (
    Rule("protected", "what holds data is protected", _protected),
    Rule("no-ignored-sizes", "no size is hidden from the knob", _no_unseen_sizes),
)
