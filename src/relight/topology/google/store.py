"""The bucket that recovery points, or the witness, live in."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.errors import UsageError
from relight.estate import GcsStore, Managed
from relight.topology.frame import Frame
from relight.topology.google.keys import Key, KeyArgs
from relight.topology.google.locations import locate
from relight.topology.google.places import stack_project

_DAY = 86_400
_SOFT_DELETE_DAYS = (7, 90)  # what Cloud Storage offers


@dataclass(frozen=True)
class BucketArgs:
    """One managed store of the estate, by its name, and who may write to it (IAM members)."""

    frame: Frame
    store: str
    writers: tuple[pulumi.Input[str], ...] = ()


class VaultBucket(pulumi.ComponentResource):
    """A private, versioned bucket with a key in its own location, held against deletion.

    In two regions it is replicated by Cloud Storage itself: within 15 minutes for all new objects where the
    store says within_minutes (turbo replication), else most objects within an hour and no promise. One dark
    region changes neither its name nor its key: the key stands in both regions, too.

    The lock is soft delete: a version that is deleted, by whomever, can be brought back for lock_days, 7 to
    90. Who may change the bucket can end that for what is deleted later: a governance lock. There is no
    compliance lock here, and asking for it is refused: a bucket's retention policy also forbids to replace
    objects (a vault's head moves with each point), excludes versioning, and so would stop every seal; a
    lock on each object needs requests that Relight does not make. Keep a copy in S3 where nobody at all may
    shorten the lock.

    Billed while asleep: what is stored, with old and soft-deleted versions; writes to two regions by the
    byte, turbo dearer; the key.
    """

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        store, managed = _declared(args)
        location = locate(store.location)
        soft_days = _soft_delete_days(args, managed)
        project = stack_project(args.frame).project
        super().__init__("relight:google:VaultBucket", name, None, opts)
        within = pulumi.ResourceOptions(parent=self)
        key = KeyArgs(args.frame, project, location.key, ("storage",), args.store)
        self.key: pulumi.Input[str] = managed.key or Key(f"{name}-key", key, within).id
        turbo = "ASYNC_TURBO" if managed.within_minutes else "DEFAULT"
        self.bucket = gcp.storage.Bucket(
            name,
            name=store.bucket,
            location=location.name,
            custom_placement_config=gcp.storage.BucketCustomPlacementConfigArgs(
                data_locations=list(location.regions)
            )
            if location.regions
            else None,
            rpo=turbo if location.is_dual else None,
            storage_class="STANDARD",
            enable_object_retention=True,  # so that single objects can be locked; nothing here does
            uniform_bucket_level_access=True,
            public_access_prevention="enforced",
            versioning=gcp.storage.BucketVersioningArgs(enabled=True),
            soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
                retention_duration_seconds=soft_days * _DAY
            ),
            encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=self.key),
            lifecycle_rules=_rules(managed, is_witness=args.frame.estate.witness.store == args.store),
            labels=args.frame.labels("data"),
            force_destroy=False,
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True),
        )
        for index, writer in enumerate(args.writers):
            gcp.storage.BucketIAMMember(
                f"{name}-writer-{index}",
                bucket=self.bucket.name,
                role="roles/storage.objectUser",
                member=writer,
                opts=within,
            )
        self.register_outputs({"bucket": self.bucket.name})


def require_storable(frame: Frame, store: str) -> None:
    """Return if a bucket can be made for the store. Raise UsageError."""
    args = BucketArgs(frame, store)
    declared, managed = _declared(args)
    locate(declared.location)
    _soft_delete_days(args, managed)


def _declared(args: BucketArgs) -> tuple[GcsStore, Managed]:
    store = args.frame.estate.stores.get(args.store)
    if not isinstance(store, GcsStore) or store.managed is None:
        raise UsageError(
            f'"{args.store}" is no managed store of Google Cloud', "write kind: gcs and managed: {} for it"
        )
    if store.managed.replicate_to:
        raise UsageError(
            f'Cloud Storage does not copy "{args.store}" to another bucket',
            'leave replicate_to out, and write a location of two regions, as "us-central1+us-east1"',
        )
    return store, store.managed


def _soft_delete_days(args: BucketArgs, managed: Managed) -> int:
    if args.frame.estate.witness.store == args.store:
        return _SOFT_DELETE_DAYS[0]  # the witness is written all the time, and what was, is worth little
    if managed.lock == "compliance":
        raise UsageError(
            f'"{args.store}" cannot have a compliance lock on Google Cloud',
            "a retention policy forbids to replace a vault's heads; write lock: governance, or a copy in S3",
        )
    least, most = _SOFT_DELETE_DAYS
    if managed.lock_days > most:
        raise UsageError(
            f'"{args.store}" is to be locked for {managed.lock_days} days; soft delete holds {most} at most',
            f"write lock_days: {most} or fewer, or keep a copy in S3",
        )
    return max(least, managed.lock_days)


def _rules(managed: Managed, *, is_witness: bool) -> list[gcp.storage.BucketLifecycleRuleArgs]:
    """Old versions go after their time, uploads that were cut off after a week, and what is old gets cold."""

    def rule(action: str, storage_class: str | None = None, **condition: object) -> object:
        return gcp.storage.BucketLifecycleRuleArgs(
            action=gcp.storage.BucketLifecycleRuleActionArgs(type=action, storage_class=storage_class),
            condition=gcp.storage.BucketLifecycleRuleConditionArgs(**condition),
        )

    rules = [
        rule("Delete", days_since_noncurrent_time=managed.keep_old_versions_days, with_state="ARCHIVED"),
        rule("AbortIncompleteMultipartUpload", age=7),
    ]
    if managed.cool_after_days and not is_witness:
        rules.append(
            rule(
                "SetStorageClass",
                "NEARLINE",  # read at once, as the others; colder ones cost more to read than to keep
                age=managed.cool_after_days,
                matches_storage_classes=["STANDARD"],
                with_state="ANY",
            )
        )
    return rules
