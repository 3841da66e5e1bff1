"""Pools of machines outside of any cluster: a managed instance group for each rung; its size is the knob."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_gcp as gcp

from relight.estate import CloudPool, GoogleSite, Rung, fit_name
from relight.topology.frame import Frame
from relight.topology.google.machines import boot_disk, is_compact
from relight.topology.google.places import RESOURCE_NAME

GROUP = "gcp:compute/instanceGroupManager:InstanceGroupManager"
_MOST_PREFIX = 36  # of a template's name; Google Cloud adds 26 characters


@dataclass(frozen=True)
class GroupArgs:
    """One pool of a site, how large each of its rungs is to be, and what its machines stand on."""

    frame: Frame
    site: GoogleSite
    pool: str
    sizes: dict[str, int]
    network: pulumi.Input[str]
    subnetwork: pulumi.Input[str]
    key: pulumi.Input[str]
    nodes: pulumi.Input[str]  # e-mail of the machines' service account
    working: bool = False  # what runs there carries work: no update may delete or replace its groups

    @property
    def declared(self) -> CloudPool:
        """The pool as the estate has it."""
        return self.site.pools[self.pool]

    @property
    def zone(self) -> str:
        """Where all of it stands."""
        return self.declared.zone or self.site.zones[0]


class Groups(pulumi.ComponentResource):
    """A template and a group for each rung of a pool, all in one zone; `sized` is the stack's output for it.

    Reservation: exactly the one that is named; on-demand and spot take from none. On-demand machines with
    GPU NICs stand close together. A new template changes machines only as they are made anew: nothing
    restarts a training. Groups that carry work are protected: an update from an old checkout that would
    delete or replace one fails before it does. A spot machine that is taken back is deleted, and the
    group asks for another.

    The image brings driver and agents; secure boot is off, as most drivers of GPUs are not signed for it.
    There is one network card: what GPUs have of their own needs VPCs that no stack makes here.

    Billed while asleep: nothing; but a reservation costs its full price, used or not.
    """

    def __init__(self, name: str, args: GroupArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:google:Groups", name, None, opts)
        self._args = args
        close = any(rung.kind == "on-demand" for rung in args.declared.rungs) and is_compact(
            args.declared.machine
        )
        self._placement = self._make_placement() if close else None
        self.sized = {rung.key: self._rung(rung) for rung in args.declared.rungs}
        self.register_outputs({"sized": self.sized})

    def _child(self) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self)

    def _make_placement(self) -> pulumi.Output[str]:
        args = self._args
        policy: pulumi.Output[str] = gcp.compute.ResourcePolicy(
            f"{args.pool}-close",
            name=fit_name(args.frame.name(f"{args.pool}-close"), RESOURCE_NAME),
            region=args.site.region,
            group_placement_policy=gcp.compute.ResourcePolicyGroupPlacementPolicyArgs(
                collocation="COLLOCATED"
            ),
            opts=self._child(),
        ).id
        return policy

    def _rung(self, rung: Rung) -> dict[str, Any]:
        args, nodes = self._args, self._args.sizes[rung.key]
        logical = f"{args.pool}-{rung.key}"
        called = args.frame.name(logical)  # the knob finds it by that, with no state at hand
        group = gcp.compute.InstanceGroupManager(
            logical,
            name=called,
            base_instance_name=called,
            zone=args.zone,
            target_size=nodes,
            versions=[
                gcp.compute.InstanceGroupManagerVersionArgs(
                    instance_template=self._template(rung, logical).self_link
                )
            ],
            update_policy=gcp.compute.InstanceGroupManagerUpdatePolicyArgs(
                type="OPPORTUNISTIC",
                minimal_action="REPLACE",
                max_surge_fixed=0,
                max_unavailable_fixed=1,
                replacement_method="RECREATE",
            ),
            wait_for_instances=False,  # the handler waits, and knows how long
            opts=pulumi.ResourceOptions(parent=self, protect=args.working and nodes > 0),
        )
        return {"urn": group.urn, "resource": GROUP, "id": group.id, "nodes": nodes}

    def _template(self, rung: Rung, logical: str) -> gcp.compute.InstanceTemplate:
        compute, args = gcp.compute, self._args
        return compute.InstanceTemplate(
            logical,
            name_prefix=fit_name(args.frame.name(logical), _MOST_PREFIX) + "-",
            machine_type=args.declared.machine,
            region=args.site.region,
            disks=[self._disk()],
            network_interfaces=[
                compute.InstanceTemplateNetworkInterfaceArgs(
                    network=args.network, subnetwork=args.subnetwork, nic_type="GVNIC"
                )
            ],
            scheduling=_scheduling(rung),
            reservation_affinity=_affinity(rung),
            resource_policies=self._placement if rung.kind == "on-demand" else None,
            service_account=compute.InstanceTemplateServiceAccountArgs(
                email=args.nodes, scopes=["https://www.googleapis.com/auth/cloud-platform"]
            ),
            shielded_instance_config=compute.InstanceTemplateShieldedInstanceConfigArgs(
                enable_secure_boot=False, enable_vtpm=True, enable_integrity_monitoring=True
            ),
            metadata={"enable-oslogin": "TRUE", "block-project-ssh-keys": "TRUE"},
            labels=args.frame.labels("compute") | {"relight-pool": args.pool, "relight-rung": rung.key},
            opts=self._child(),
        )

    def _disk(self) -> gcp.compute.InstanceTemplateDiskArgs:
        declared = self._args.declared
        return gcp.compute.InstanceTemplateDiskArgs(
            boot=True,
            auto_delete=True,
            source_image=declared.image,
            disk_size_gb=declared.disk_gib,
            disk_type=boot_disk(declared.machine),
            disk_encryption_key=gcp.compute.InstanceTemplateDiskDiskEncryptionKeyArgs(
                kms_key_self_link=self._args.key
            ),
            labels=self._args.frame.labels("compute"),
        )


def _scheduling(rung: Rung) -> gcp.compute.InstanceTemplateSchedulingArgs:
    is_spot = rung.kind == "spot"
    return gcp.compute.InstanceTemplateSchedulingArgs(
        on_host_maintenance="TERMINATE",  # no machine with GPUs can move while it runs
        automatic_restart=not is_spot,
        provisioning_model="SPOT" if is_spot else "STANDARD",
        preemptible=is_spot,
        instance_termination_action="DELETE" if is_spot else None,
    )


def _affinity(rung: Rung) -> gcp.compute.InstanceTemplateReservationAffinityArgs:
    compute = gcp.compute
    if rung.kind != "reservation":
        return compute.InstanceTemplateReservationAffinityArgs(type="NO_RESERVATION")
    return compute.InstanceTemplateReservationAffinityArgs(
        type="SPECIFIC_RESERVATION",
        specific_reservation=compute.InstanceTemplateReservationAffinitySpecificReservationArgs(
            key="compute.googleapis.com/reservation-name", values=[rung.id]
        ),
    )
