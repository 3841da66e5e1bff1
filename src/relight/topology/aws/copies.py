"""Copies of a bucket that S3 itself keeps in another one.

The other bucket is named as the estate declares it, nothing of its stack is read. S3 wants it to be there,
and versioned, when the copying is declared: where two buckets copy to each other, the first `pulumi up` of
the first site ends with that one resource failed, and succeeds when it is repeated after the other site's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.errors import UsageError
from relight.estate import S3Store
from relight.topology.aws.places import Place
from relight.topology.aws.policies import copying_policy, trust
from relight.topology.aws.vaults import copies_both_ways, copying_role, home_of, key_of, managed_bucket
from relight.topology.frame import Frame

CONTROLLED_MINUTES = 15  # of Replication Time Control; S3 knows no other figure


@dataclass(frozen=True)
class CopiesArgs:
    """From `store`, in `place`, to the store `target`; `bucket` and `key` are what was made for `store`."""

    frame: Frame
    store: str
    target: str
    place: Place
    bucket: pulumi.Input[str]
    key: pulumi.Output[str]
    versioning: pulumi.Resource  # S3 copies versions only


class Copies(pulumi.ComponentResource):
    """S3 replication, delete markers included, with time control where the estate wants it.

    Raise UsageError for a target that S3 cannot copy to: no bucket of Amazon's, or another prefix.
    """

    def __init__(self, name: str, args: CopiesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        estate = args.frame.estate
        target = require_target(args)
        super().__init__("relight:aws:Copies", name, None, opts)
        there = home_of(estate, target) or Place(args.place.account, target.region)
        target_key = key_of(estate, args.target, target, args.place)
        role = self._role(name, args, there.bucket(target.bucket), target_key)
        source, managed = managed_bucket(estate, args.store)
        aws.s3.BucketReplicationConfig(
            name,
            bucket=args.bucket,
            role=role.arn,
            rules=[
                aws.s3.BucketReplicationConfigRuleArgs(
                    id="all",
                    status="Enabled",
                    priority=1,
                    filter=aws.s3.BucketReplicationConfigRuleFilterArgs(
                        prefix=f"{source.prefix}/" if source.prefix else ""
                    ),
                    delete_marker_replication=aws.s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs(
                        status="Enabled"
                    ),
                    source_selection_criteria=_criteria(both_ways=copies_both_ways(estate, args.store)),
                    destination=_destination(
                        there.bucket(target.bucket), target_key, controlled=managed.within_minutes is not None
                    ),
                )
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[args.versioning]),
        )
        self.register_outputs({"role": role.arn})

    def _role(self, name: str, args: CopiesArgs, target: str, target_key: str) -> aws.iam.Role:
        frame = args.frame
        source, _ = managed_bucket(frame.estate, args.store)
        role = aws.iam.Role(
            name,
            name=copying_role(frame.estate, frame.stack, args.store),
            description=f"S3 copies {source.bucket} with it",
            assume_role_policy=json.dumps(trust({"Service": "s3.amazonaws.com"})),
            tags=frame.tags("identity"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        here = args.place.bucket(source.bucket)
        aws.iam.RolePolicy(
            name,
            role=role.id,
            policy=pulumi.Output.json_dumps(copying_policy(args.place, here, target, args.key, target_key)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return role


def require_target(args: CopiesArgs) -> S3Store:
    """The store that is copied to. Raise UsageError where S3 cannot."""
    stores = args.frame.estate.stores
    source, target = stores.get(args.store), stores.get(args.target)
    if not isinstance(target, S3Store) or target.endpoint is not None:
        raise UsageError(
            f'S3 cannot copy from "{args.store}" to "{args.target}": that is no bucket of Amazon S3',
            "leave replicate_to out; Relight copies across clouds itself",
        )
    if source is not None and source.prefix != target.prefix:
        raise UsageError(
            f'S3 keeps the names of what it copies: "{args.store}" and "{args.target}" differ in prefix',
            "write the same prefix in both",
        )
    return target


def _criteria(*, both_ways: bool) -> aws.s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs:
    kinds = aws.s3
    changes = kinds.BucketReplicationConfigRuleSourceSelectionCriteriaReplicaModificationsArgs(
        status="Enabled"
    )
    sealed = kinds.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs(
        status="Enabled"
    )
    return kinds.BucketReplicationConfigRuleSourceSelectionCriteriaArgs(
        sse_kms_encrypted_objects=sealed, replica_modifications=changes if both_ways else None
    )


def _destination(
    bucket: str, key: str, *, controlled: bool
) -> aws.s3.BucketReplicationConfigRuleDestinationArgs:
    kinds = aws.s3
    within = kinds.BucketReplicationConfigRuleDestinationReplicationTimeArgs(
        status="Enabled",
        time=kinds.BucketReplicationConfigRuleDestinationReplicationTimeTimeArgs(minutes=CONTROLLED_MINUTES),
    )
    metrics = kinds.BucketReplicationConfigRuleDestinationMetricsArgs(
        status="Enabled",
        event_threshold=kinds.BucketReplicationConfigRuleDestinationMetricsEventThresholdArgs(
            minutes=CONTROLLED_MINUTES
        ),
    )
    return kinds.BucketReplicationConfigRuleDestinationArgs(
        bucket=bucket,
        encryption_configuration=kinds.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs(
            replica_kms_key_id=key
        ),
        replication_time=within if controlled else None,
        metrics=metrics if controlled else None,
    )
