"""A machine beside the tunnels to a site's BMCs, which is started when somebody needs it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from relight.topology.frame import Frame
from relight.topology.metal.access_network import BMC_PORTS

_IDENTITY_AWARE_PROXY = "35.235.240.0/20"  # from where its TCP forwarding comes (Google, "Using IAP")
_IMAGE = "projects/debian-cloud/global/images/family/debian-12"
_TAG = "relight-jump"


@dataclass(frozen=True)
class JumpHostArgs:
    """The network it stands in, and the one that it may speak to."""

    frame: Frame
    region: str
    vpc: pulumi.Input[str]
    subnetwork: pulumi.Input[str]
    network: str


class JumpHost(pulumi.ComponentResource):
    """An instance template, and firewall rules that let SSH in through Identity-Aware Proxy alone.

    The machine has no public address, no service account, and speaks to BMCs alone.
    Billed while asleep: nothing; no machine runs.
    """

    def __init__(self, name: str, args: JumpHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:JumpHost", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        self._shut()
        disk = gcp.compute.RegionInstanceTemplateDiskArgs(
            source_image=_IMAGE, boot=True, auto_delete=True, disk_size_gb=10, disk_type="pd-balanced"
        )
        self.template = gcp.compute.RegionInstanceTemplate(
            "jump",
            gcp.compute.RegionInstanceTemplateArgs(
                name=args.frame.name("jump"),
                region=args.region,
                machine_type="e2-micro",
                disks=[disk],
                network_interfaces=[
                    gcp.compute.RegionInstanceTemplateNetworkInterfaceArgs(subnetwork=args.subnetwork)
                ],
                shielded_instance_config=gcp.compute.RegionInstanceTemplateShieldedInstanceConfigArgs(
                    enable_secure_boot=True, enable_vtpm=True, enable_integrity_monitoring=True
                ),
                metadata={"enable-oslogin": "TRUE", "block-project-ssh-keys": "TRUE"},
                tags=[_TAG],
                labels=args.frame.labels("network"),
            ),
            self._child,
        )
        self.register_outputs({"template": self.template.id})

    def _shut(self) -> None:
        self._rule(
            "door",
            direction="INGRESS",
            source_ranges=[_IDENTITY_AWARE_PROXY],
            target_tags=[_TAG],
            allows=[gcp.compute.FirewallAllowArgs(protocol="tcp", ports=["22"])],
        )
        self._rule(
            "bmcs",
            direction="EGRESS",
            priority=1000,
            destination_ranges=[self._args.network],
            allows=[
                gcp.compute.FirewallAllowArgs(protocol=name, ports=[str(port)]) for name, port in BMC_PORTS
            ],
        )
        # Google Cloud lets everything out unless a rule says otherwise.
        self._rule(
            "nothing-else",
            direction="EGRESS",
            priority=65_534,
            destination_ranges=["0.0.0.0/0"],
            denies=[gcp.compute.FirewallDenyArgs(protocol="all")],
        )

    def _rule(self, what: str, **said: object) -> None:
        called = self._args.frame.name(what)
        gcp.compute.Firewall(what, name=called, network=self._args.vpc, opts=self._child, **said)
