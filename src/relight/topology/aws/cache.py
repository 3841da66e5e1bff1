"""The file system that workloads read from, filled from the site's bucket.

Billed while asleep: its whole capacity by the hour, which is the largest part of a site that sleeps. A site
that may take longer to come back declares none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.estate import AwsCache, S3Store
from relight.topology.frame import Frame

MOUNT = "/"  # where the bucket appears in the file system


@dataclass(frozen=True)
class CacheArgs:
    """The file system, the bucket behind it, and where it stands."""

    frame: Frame
    declared: AwsCache
    store: S3Store
    subnet: pulumi.Input[str]
    guard: pulumi.Input[str]
    key: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()  # the rules of its group, and the bucket


class Cache(pulumi.ComponentResource):
    """FSx for Lustre, PERSISTENT_2, sealed; what is new in the bucket appears in it, nothing is written back.

    `dns` and `mount` are what a node mounts. It holds copies only, so it is not backed up (with a bucket
    behind it, it cannot be); protected all the same: filling it anew takes time that an incident does not
    have.
    """

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:Cache", name, None, opts)
        declared, full = args.declared, args.frame.name("cache")
        files = aws.fsx.LustreFileSystem(
            name,
            deployment_type="PERSISTENT_2",
            file_system_type_version="2.15",
            storage_type="SSD",
            storage_capacity=declared.gib,
            per_unit_storage_throughput=declared.mb_per_second_per_tib,
            data_compression_type="LZ4",
            efa_enabled=declared.efa or None,
            metadata_configuration=aws.fsx.LustreFileSystemMetadataConfigurationArgs(mode="AUTOMATIC"),
            kms_key_id=args.key,
            subnet_ids=args.subnet,
            security_group_ids=[args.guard],
            automatic_backup_retention_days=0,
            skip_final_backup=True,
            tags=args.frame.tags("data", full),
            opts=pulumi.ResourceOptions(parent=self, protect=True, depends_on=list(args.after)),
        )
        every = ["NEW", "CHANGED", "DELETED"]
        aws.fsx.DataRepositoryAssociation(
            name,
            file_system_id=files.id,
            file_system_path=MOUNT,
            data_repository_path="/".join(
                part for part in ("s3:/", args.store.bucket, args.store.prefix) if part
            ),
            batch_import_meta_data_on_create=True,
            delete_data_in_filesystem=False,
            s3=aws.fsx.DataRepositoryAssociationS3Args(
                auto_import_policy=aws.fsx.DataRepositoryAssociationS3AutoImportPolicyArgs(events=every)
            ),
            tags=args.frame.tags("data", full),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.dns: pulumi.Output[str] = files.dns_name
        self.mount: pulumi.Output[str] = files.mount_name
        self.register_outputs({"dns": self.dns, "mount": self.mount})
