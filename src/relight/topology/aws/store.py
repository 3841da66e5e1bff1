"""A bucket where recovery points live: versioned, locked, sealed, private, copied.

Billed while asleep: what is stored, its old versions, and its copies; what is copied, by the byte, and
again for Replication Time Control; keys by the month.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.errors import UsageError
from relight.topology.aws.copies import Copies, CopiesArgs
from relight.topology.aws.keys import DataKey, KeyArgs
from relight.topology.aws.places import place_of, stack_account
from relight.topology.aws.policies import bucket_policy
from relight.topology.aws.vaults import foreign_copiers, key_alias, key_of, managed_bucket
from relight.topology.frame import Frame

UNFINISHED_DAYS = 7  # an upload that is older is no upload any more
COLD = "GLACIER_IR"  # the coldest tier that still answers at once: a restore must not wait for a thaw


@dataclass(frozen=True)
class BucketArgs:
    """A managed store of the estate, by name; `key` is the ARN that seals it, none: declared, or its own."""

    frame: Frame
    store: str
    key: pulumi.Input[str] | None = None


class VaultBucket(pulumi.ComponentResource):
    """The bucket of a managed store; `bucket` is its name, `arn` its ARN, `key` what seals it.

    The witness's bucket is versioned and may lock single objects, but locks none by default: leases and
    intents are replaced all the time. Raise UsageError, before anything is declared, for a store that is no
    managed bucket, or is declared in another region than its stack stands in.
    """

    def __init__(self, name: str, args: BucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        estate = args.frame.estate
        self._store, self._managed = managed_bucket(estate, args.store)
        self._place = place_of(stack_account(args.frame))
        if self._store.region != self._place.region:
            raise UsageError(
                f'the store "{args.store}" is declared in {self._store.region}, '
                f"and its stack stands in {self._place.region}",
                f"write region: {self._place.region}",
            )
        super().__init__("relight:aws:VaultBucket", name, None, opts)
        self._name, self._args = name, args
        self._copiers = tuple(foreign_copiers(estate, args.store, self._place))
        self.key = self._key()
        self._bucket = self._make()
        self.bucket: pulumi.Output[str] = self._bucket.bucket
        self.arn: pulumi.Output[str] = self._bucket.arn
        versioning = self.versioning = self._keep_versions()
        self._close()
        self._seal()
        if self._managed.replicate_to is not None:
            self._copy(self._managed.replicate_to, versioning)
        self.register_outputs({"bucket": self.bucket, "arn": self.arn, "key": self.key})

    @property
    def _is_witness(self) -> bool:
        return self._args.frame.estate.witness.store == self._args.store

    def _here(self, *, protect: bool = False) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, protect=protect or None)

    def _key(self) -> pulumi.Output[str]:
        if self._managed.key is not None:
            declared = key_of(self._args.frame.estate, self._args.store, self._store, self._place)
            return pulumi.Output.from_input(declared)
        if self._args.key is not None:
            return pulumi.Output.from_input(self._args.key)
        alias = key_alias(self._args.frame, self._args.store)
        own = KeyArgs(self._args.frame, self._place, alias, self._copiers)
        return DataKey(f"{self._name}-key", own, self._here()).arn

    def _make(self) -> aws.s3.Bucket:
        kind = "state" if self._is_witness else "data"
        return aws.s3.Bucket(
            self._name,
            bucket=self._store.bucket,
            object_lock_enabled=True,  # cannot be switched on later without asking AWS
            force_destroy=False,
            tags=self._args.frame.tags(kind, self._store.bucket),
            opts=self._here(protect=True),
        )

    def _keep_versions(self) -> aws.s3.BucketVersioning:
        versioning = aws.s3.BucketVersioning(
            f"{self._name}-versioning",
            bucket=self._bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._here(protect=True),
        )
        if not self._is_witness:
            retention = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
                mode=self._managed.lock.upper(), days=self._managed.lock_days
            )
            aws.s3.BucketObjectLockConfiguration(
                f"{self._name}-lock",
                bucket=self._bucket.id,
                rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
                opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=[versioning]),
            )
        aws.s3.BucketLifecycleConfiguration(
            f"{self._name}-lifecycle",
            bucket=self._bucket.id,
            rules=self._lifecycle(),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        return versioning

    def _lifecycle(self) -> list[aws.s3.BucketLifecycleConfigurationRuleArgs]:
        everything = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
        unfinished = aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=UNFINISHED_DAYS
        )
        old = aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
            noncurrent_days=self._managed.keep_old_versions_days
        )
        rule = aws.s3.BucketLifecycleConfigurationRuleArgs
        rules = [
            rule(
                id="tidy",
                status="Enabled",
                filter=everything,
                abort_incomplete_multipart_upload=unfinished,
                noncurrent_version_expiration=old,
                expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                    expired_object_delete_marker=True
                ),
            )
        ]
        if self._managed.cool_after_days is not None:
            colder = aws.s3.BucketLifecycleConfigurationRuleTransitionArgs(
                days=self._managed.cool_after_days, storage_class=COLD
            )
            rules.append(rule(id="cool", status="Enabled", filter=everything, transitions=[colder]))
        return rules

    def _close(self) -> None:
        block = aws.s3.BucketPublicAccessBlock(
            f"{self._name}-private",
            bucket=self._bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._here(),
        )
        aws.s3.BucketOwnershipControls(
            f"{self._name}-ownership",
            bucket=self._bucket.id,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._here(),
        )
        aws.s3.BucketPolicy(
            f"{self._name}-policy",
            bucket=self._bucket.id,
            policy=json.dumps(bucket_policy(self._place.bucket(self._store.bucket), self._copiers)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),  # both at once conflict in S3
        )

    def _seal(self) -> None:
        by_key = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=self.key
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{self._name}-encryption",
            bucket=self._bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=by_key, bucket_key_enabled=True
                )
            ],
            opts=self._here(),
        )

    def _copy(self, target: str, versioning: pulumi.Resource) -> None:
        args = CopiesArgs(
            self._args.frame, self._args.store, target, self._place, self._bucket.id, self.key, versioning
        )
        Copies(f"{self._name}-copies", args, self._here())
