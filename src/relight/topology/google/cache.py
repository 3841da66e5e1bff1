"""The file system that a site's workloads read from: Managed Lustre or Filestore."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.estate import Filestore, GoogleSite, ManagedLustre, fit_name
from relight.topology.frame import Frame
from relight.topology.google.places import RESOURCE_NAME

_SHARE = "relight"


@dataclass(frozen=True)
class CacheArgs:
    """The cache of a site, and what it stands on."""

    frame: Frame
    site: GoogleSite
    declared: ManagedLustre | Filestore
    network: pulumi.Input[str]
    key: pulumi.Input[str]


class Cache(pulumi.ComponentResource):
    """One file system in the pools' zone, at full size from the start: none of them is made within minutes.

    `mount` is what nodes mount. Filling it is a step of a runbook; what it holds can be read from the vault
    again, and it is protected all the same, as that takes hours. Neither kind can be in two zones: with its
    zone it is gone.

    Billed while asleep: the whole provisioned capacity, and of Lustre the throughput that it stands for.
    """

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Cache", name, None, opts)
        self._args = args
        self._called = fit_name(args.frame.name("cache"), RESOURCE_NAME)
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        self.mount: pulumi.Output[str]
        if isinstance(args.declared, ManagedLustre):
            self.mount = self._make_lustre(args.declared, kept)
        else:
            self.mount = self._make_filestore(args.declared, kept)
        self.register_outputs({"mount": self.mount})

    def _make_lustre(self, declared: ManagedLustre, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        args = self._args
        mount: pulumi.Output[str] = gcp.lustre.Instance(
            "cache",
            instance_id=self._called,
            location=args.site.zones[0],
            filesystem=_SHARE,
            capacity_gib=str(declared.gib),
            per_unit_storage_throughput=str(declared.mb_per_second_per_tib),
            network=args.network,
            kms_key=args.key,
            gke_support_enabled=False,  # its older port, which kernels of GKE no longer need
            labels=args.frame.labels("data"),
            opts=opts,
        ).mount_point
        return mount

    def _make_filestore(self, declared: Filestore, opts: pulumi.ResourceOptions) -> pulumi.Output[str]:
        args = self._args
        instance = gcp.filestore.Instance(
            "cache",
            name=self._called,
            location=args.site.zones[0],
            tier="ZONAL",
            file_shares=gcp.filestore.InstanceFileSharesArgs(name=_SHARE, capacity_gb=declared.gib),
            networks=[
                gcp.filestore.InstanceNetworkArgs(
                    network=args.network,
                    modes=["MODE_IPV4"],
                    connect_mode="PRIVATE_SERVICE_ACCESS",
                )
            ],
            kms_key_name=args.key,
            deletion_protection_enabled=True,
            deletion_protection_reason="workloads read from it",
            labels=args.frame.labels("data"),
            opts=opts,
        )
        mount: pulumi.Output[str] = instance.networks.apply(
            lambda networks: f"{networks[0].ip_addresses[0]}:/{_SHARE}"
        )
        return mount
