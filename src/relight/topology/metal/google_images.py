"""System images and netboot files of a site, in Cloud Storage."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.topology.frame import Frame

_KEEP_DAYS = 30
_KEEP_OLD_DAYS = 90
_ROTATION_SECONDS = 90 * 86_400


@dataclass(frozen=True)
class ImageBucketArgs:
    """Whose it is, where it stands, and what it is called."""

    frame: Frame
    location: str
    bucket: str


class ImageBucket(pulumi.ComponentResource):
    """A versioned, private bucket with a key of its own.

    Cloud Storage has no rule against writing over an object but a retention policy, which a bucket with
    versions cannot have; so every version is kept, for 90 days after it was replaced and 30 days after it
    was deleted, and images are named by their digests.
    Billed while asleep: what is stored, and the key by the month.
    """

    def __init__(self, name: str, args: ImageBucketArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:ImageBucket", name, None, opts)
        holds_data = pulumi.ResourceOptions(parent=self, protect=True)
        ring = gcp.kms.KeyRing(
            "images", name=args.frame.name("images"), location=args.location, opts=holds_data
        )
        key = gcp.kms.CryptoKey(
            "images",
            name=args.frame.name("images"),
            key_ring=ring.id,
            rotation_period=f"{_ROTATION_SECONDS}s",
            labels=args.frame.labels("data"),
            opts=holds_data,
        )
        allowed = gcp.kms.CryptoKeyIAMMember(
            "images",
            crypto_key_id=key.id,
            role="roles/cloudkms.cryptoKeyEncrypterDecrypter",
            member=gcp.storage.get_project_service_account_output(
                opts=pulumi.InvokeOutputOptions(parent=self)
            ).member,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.bucket = gcp.storage.Bucket(
            "images",
            _bucket(args, key.id),
            pulumi.ResourceOptions(parent=self, protect=True, depends_on=[allowed]),
        )
        self.register_outputs({"bucket": self.bucket.name, "key": key.id})


def _bucket(args: ImageBucketArgs, key: pulumi.Input[str]) -> gcp.storage.BucketArgs:
    old = gcp.storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=_KEEP_OLD_DAYS)
    return gcp.storage.BucketArgs(
        name=args.bucket,
        location=args.location,
        uniform_bucket_level_access=True,
        public_access_prevention="enforced",
        force_destroy=False,
        versioning=gcp.storage.BucketVersioningArgs(enabled=True),
        soft_delete_policy=gcp.storage.BucketSoftDeletePolicyArgs(
            retention_duration_seconds=_KEEP_DAYS * 86_400
        ),
        encryption=gcp.storage.BucketEncryptionArgs(default_kms_key_name=key),
        lifecycle_rules=[
            gcp.storage.BucketLifecycleRuleArgs(
                action=gcp.storage.BucketLifecycleRuleActionArgs(type="Delete"), condition=old
            )
        ],
        labels=args.frame.labels("data"),
    )
