"""Rules about what holds data: locked, versioned, private, encrypted, over TLS."""

from __future__ import annotations

from collections.abc import Iterator

from relight.estate import Managed
from relight.topology.policy.subjects import UNKNOWN, Breach, Rule, Scene, Subject, at, each, is_true

S3 = "aws:s3/bucket:Bucket"
GCS = "gcp:storage/bucket:Bucket"
_DAY_SECONDS = 86_400
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


def bucket_name(subject: Subject) -> str:
    """What the bucket is called in its cloud."""
    return str(subject.inputs.get("bucket") or subject.inputs.get("name") or subject.name)


def _vault(subject: Subject, scene: Scene) -> Managed | None:
    """How it is managed, if recovery points live there; not the witness, which is written over."""
    return next(
        (
            store.managed
            for key, store in scene.estate.stores.items()
            if store.bucket == bucket_name(subject) and key != scene.estate.witness.store
        ),
        None,
    )


def _locked(subject: Subject, scene: Scene) -> Iterator[Breach]:
    managed = _vault(subject, scene) if subject.type in (S3, GCS) else None
    if managed is None:
        return
    if subject.type == GCS:
        yield from _recoverable(subject, managed)
        return
    rules = [
        at(lock.inputs, "rule", "defaultRetention")
        for lock in scene.around(
            subject, "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
        )
    ]
    if not is_true(subject.inputs.get("objectLockEnabled")):
        yield "object lock is off, and cannot be switched on later", "write object_lock_enabled=True"
    if not any(rule == UNKNOWN or at(rule, "days") or at(rule, "years") for rule in rules):
        yield (
            "versions can be deleted at any time",
            "add a BucketObjectLockConfiguration with a default retention",
        )


def _recoverable(subject: Subject, managed: Managed) -> Iterator[Breach]:
    """Soft delete brings back what was deleted; a retention policy would forbid to move a vault's head."""
    soft = at(subject.inputs, "softDeletePolicy", "retentionDurationSeconds")
    kept = at(subject.inputs, "retentionPolicy", "retentionPeriod")
    if UNKNOWN in (soft, kept):
        return
    least = managed.lock_days * _DAY_SECONDS
    if max(int(soft or 0), int(kept or 0)) < least:
        yield (
            f"what is deleted is gone before {managed.lock_days} days",
            f"write soft_delete_policy retention_duration_seconds={least}",
        )


def _versioned(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if subject.type == GCS:
        inputs = subject.inputs
        kept = at(inputs, "retentionPolicy", "retentionPeriod")  # nothing is written over while it is kept
        if not is_true(at(inputs, "versioning", "enabled")) and not kept:
            yield "what is written over is gone", "write versioning enabled=True"
    if subject.type == S3:
        states = [
            at(other.inputs, "versioningConfiguration", "status")
            for other in scene.around(subject, "aws:s3/bucketVersioning:BucketVersioning")
        ]
        if not any(state in ("Enabled", UNKNOWN) for state in states):
            yield "what is written over is gone", "add a BucketVersioning, Enabled"


def _private(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if subject.type == GCS:
        if subject.inputs.get("publicAccessPrevention") not in ("enforced", UNKNOWN):
            yield "objects can be made public", 'write public_access_prevention="enforced"'
        if not is_true(subject.inputs.get("uniformBucketLevelAccess")):
            yield "each object has an ACL of its own", "write uniform_bucket_level_access=True"
    if subject.type == S3:
        blocks = list(scene.around(subject, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"))
        if not any(all(is_true(block.inputs.get(word)) for word in _BLOCKS) for block in blocks):
            yield "objects can be made public", "add a BucketPublicAccessBlock with all four blocks"
    acl = subject.inputs.get("acl")
    if subject.type.startswith("aws:s3/") and isinstance(acl, str) and acl.startswith("public"):
        yield f"the ACL is {acl}", "leave it out"


def _over_tls(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if subject.type != S3:
        return
    policies = [
        str(policy.inputs.get("policy", ""))
        for policy in scene.around(subject, "aws:s3/bucketPolicy:BucketPolicy")
    ]
    if not any("aws:SecureTransport" in policy or policy == UNKNOWN for policy in policies):
        yield "it answers over plain HTTP", "add a BucketPolicy that denies aws:SecureTransport = false"


def _encrypted(subject: Subject, scene: Scene) -> Iterator[Breach]:
    inputs = subject.inputs
    match subject.type:
        case "aws:s3/bucket:Bucket":
            sealed = scene.around(
                subject,
                "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
            )
            keys = [
                at(other.inputs, "rules", 0, "applyServerSideEncryptionByDefault", "kmsMasterKeyId")
                for other in sealed
            ]
            if not any(keys):
                yield (
                    "no key of yours seals it",
                    "add a BucketServerSideEncryptionConfiguration with a KMS key",
                )
        case "gcp:storage/bucket:Bucket":
            if not at(inputs, "encryption", "defaultKmsKeyName"):
                yield "no key of yours seals it", "write encryption default_kms_key_name"
        case "aws:fsx/lustreFileSystem:LustreFileSystem":
            if not inputs.get("kmsKeyId"):
                yield "no key of yours seals it", "write kms_key_id"
        case "gcp:filestore/instance:Instance":
            if not inputs.get("kmsKeyName"):
                yield "no key of yours seals it", "write kms_key_name"
        case "aws:ec2/launchTemplate:LaunchTemplate":
            for device in each(inputs.get("blockDeviceMappings")):
                if at(device, "ebs") and not is_true(at(device, "ebs", "encrypted")):
                    yield f"the disk {at(device, 'deviceName')} is not encrypted", 'write encrypted="true"'
        case _:
            pass


RULES = (
    Rule("store-locked", "recovery points cannot be deleted before their time", _locked, whole=True),
    Rule("store-versioned", "what is written over is kept", _versioned, whole=True),
    Rule("store-private", "no object can be made public", _private, whole=True),
    Rule("store-over-tls", "stores answer over TLS only", _over_tls, whole=True),
    Rule("store-encrypted", "a key of yours seals what is stored", _encrypted, whole=True),
)
