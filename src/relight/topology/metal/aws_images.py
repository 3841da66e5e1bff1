"""System images and netboot files of a site, in S3."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame

_LOCK_DAYS = 30
_KEEP_OLD_DAYS = 90


@dataclass(frozen=True)
class ImageBucketArgs:
    """Whose it is, and what it is called."""

    frame: Frame
    bucket: str


class ImageBucket(pulumi.ComponentResource):
    """A versioned, private bucket with a key of its own, over TLS only.

    An image is never replaced: below `images/` nothing is written over, and no version of anything goes
    away within 30 days. Files below `netboot/` point at images, and may change.
    Billed while asleep: what is stored, and the key by the month.
    """

    def __init__(self, name: str, args: ImageBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:ImageBucket", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        holds_data = pulumi.ResourceOptions(parent=self, protect=True)
        self.key = aws.kms.Key(
            "images",
            aws.kms.KeyArgs(
                description=f"system images of {args.frame.stack}",
                enable_key_rotation=True,
                multi_region=True,
                deletion_window_in_days=30,
                tags=args.frame.tags("data"),
            ),
            holds_data,
        )
        self.bucket = aws.s3.Bucket(
            "images",
            aws.s3.BucketArgs(
                bucket=args.bucket,
                object_lock_enabled=True,
                force_destroy=False,
                tags=args.frame.tags("data", args.bucket),
            ),
            holds_data,
        )
        self._keep_versions()
        self._shut()
        self.register_outputs({"bucket": self.bucket.bucket, "key": self.key.arn})

    def _keep_versions(self) -> None:
        bucket = self.bucket.bucket
        versioning = aws.s3.BucketVersioning(
            "images",
            bucket=bucket,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(status="Enabled"),
            opts=self._child,
        )
        after = pulumi.ResourceOptions(parent=self, depends_on=[versioning])
        lock = aws.s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
            mode="GOVERNANCE", days=_LOCK_DAYS
        )
        aws.s3.BucketObjectLockConfiguration(
            "images",
            bucket=bucket,
            rule=aws.s3.BucketObjectLockConfigurationRuleArgs(default_retention=lock),
            opts=after,
        )
        aws.s3.BucketLifecycleConfiguration(
            "images",
            bucket=bucket,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="old-versions",
                    status="Enabled",
                    filter=aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=""),
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=_KEEP_OLD_DAYS
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=7
                    ),
                )
            ],
            opts=after,
        )

    def _shut(self) -> None:
        bucket = self.bucket.bucket
        block = aws.s3.BucketPublicAccessBlock(
            "images",
            bucket=bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        aws.s3.BucketOwnershipControls(
            "images",
            bucket=bucket,
            rule=aws.s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),
            opts=self._child,
        )
        encryption = aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=self.key.arn
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            "images",
            bucket=bucket,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=encryption, bucket_key_enabled=True
                )
            ],
            opts=self._child,
        )
        aws.s3.BucketPolicy(
            "images",
            bucket=bucket,
            policy=self.bucket.arn.apply(lambda arn: json.dumps(_policy(arn))),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[block]),
        )


def _policy(arn: str) -> dict[str, Any]:
    """TLS only; and what is below `images/` is written only if it is not there.

    Parts of a multipart upload carry no condition, so they are let pass and its completion is not (AWS,
    "Enforce conditional writes on Amazon S3 buckets").
    """
    everyone = {"Effect": "Deny", "Principal": "*"}
    tls = {
        "Sid": "TlsOnly",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    once = {
        "Sid": "ImagesAreWrittenOnce",
        "Action": "s3:PutObject",
        "Resource": f"{arn}/images/*",
        "Condition": {
            "Null": {"s3:if-none-match": "true"},
            "Bool": {"s3:ObjectCreationOperation": "true"},
        },
    }
    return {"Version": "2012-10-17", "Statement": [everyone | tls, everyone | once]}
