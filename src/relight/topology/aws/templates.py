"""How a node of one rung is launched: machine, image, disk, interfaces, place, and from which capacity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.estate import CloudPool, Rung, fit_name, machine_of
from relight.topology.aws.fabric import interfaces_of
from relight.topology.aws.places import TEMPLATE_NAME
from relight.topology.frame import Frame

EKS_ROOT_DISK = "/dev/xvda"  # of Amazon Linux 2023


@dataclass(frozen=True)
class TemplateArgs:
    """One rung of one pool; `profile` and `user_data` where its form has them, `placement` by its name."""

    frame: Frame
    pool: str
    declared: CloudPool
    rung: Rung
    guards: Sequence[pulumi.Input[str]]
    key: pulumi.Input[str]
    placement: pulumi.Input[str] | None = None
    profile: pulumi.Input[str] | None = None
    user_data: pulumi.Input[str] | None = None


def rung_tags(frame: Frame, pool: str, rung: str) -> dict[str, str]:
    """Tags by which the nodes of a rung, and what makes them, are found again."""
    return frame.tags("compute", frame.name(f"{pool}-{rung}")) | {
        "relight:pool": pool,
        "relight:rung": rung,
    }


def launch_template(args: TemplateArgs, opts: pulumi.ResourceOptions) -> aws.ec2.LaunchTemplate:
    """The template; its latest version is the one in use.

    What EKS forbids in a template of its node groups stays out for pools in a cluster: subnet, instance
    profile and spot options (EKS guide, "Customize managed nodes with launch templates").
    """
    frame, pool, rung = args.frame, args.declared, args.rung
    logical = f"{args.pool}-{rung.key}"
    tags = rung_tags(frame, args.pool, rung.key)
    return aws.ec2.LaunchTemplate(
        logical,
        name=fit_name(frame.name(logical), TEMPLATE_NAME),
        update_default_version=True,
        instance_type=pool.machine,
        image_id=pool.image,
        user_data=args.user_data,
        iam_instance_profile=(
            aws.ec2.LaunchTemplateIamInstanceProfileArgs(name=args.profile) if args.profile else None
        ),
        block_device_mappings=[_disk(pool, args.key, opts)],
        network_interfaces=_interfaces(pool, args.guards),
        placement=aws.ec2.LaunchTemplatePlacementArgs(group_name=args.placement) if args.placement else None,
        capacity_reservation_specification=_reservation(rung),
        instance_market_options=_market(pool, rung),
        metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
            http_endpoint="enabled",
            http_tokens="required",
            http_put_response_hop_limit=1,  # pods get their roles from EKS, never the node's
        ),
        tag_specifications=[
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=what, tags=tags)
            for what in ("instance", "volume")
        ],
        tags=tags,
        opts=opts,
    )


def _disk(
    pool: CloudPool, key: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> aws.ec2.LaunchTemplateBlockDeviceMappingArgs:
    device: pulumi.Input[str] = EKS_ROOT_DISK
    if pool.image is not None:  # each image names its root disk itself; that there is none is said here, too
        wanted = aws.ec2.GetAmiFilterArgs(name="image-id", values=[pool.image])
        found = aws.ec2.get_ami_output(filters=[wanted], opts=pulumi.InvokeOptions(parent=opts.parent))
        device = found.root_device_name
    return aws.ec2.LaunchTemplateBlockDeviceMappingArgs(
        device_name=device,
        ebs=aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            volume_size=pool.disk_gib,
            volume_type="gp3",
            encrypted="true",
            kms_key_id=key,
            delete_on_termination="true",
        ),
    )


def _interfaces(
    pool: CloudPool, guards: Sequence[pulumi.Input[str]]
) -> list[aws.ec2.LaunchTemplateNetworkInterfaceArgs]:
    return [
        aws.ec2.LaunchTemplateNetworkInterfaceArgs(
            network_card_index=interface.card,
            device_index=interface.device,
            interface_type=interface.kind,
            security_groups=list(guards),
            delete_on_termination="true",
        )
        for interface in interfaces_of(machine_of(pool.machine))
    ]


def _reservation(rung: Rung) -> aws.ec2.LaunchTemplateCapacityReservationSpecificationArgs | None:
    """The reservation or block by its id; on demand takes none: reserved nodes are for their own rung."""
    kinds = aws.ec2
    if rung.kind == "spot":
        return None
    if rung.id is None:
        return kinds.LaunchTemplateCapacityReservationSpecificationArgs(
            capacity_reservation_preference="none"
        )
    target = kinds.LaunchTemplateCapacityReservationSpecificationCapacityReservationTargetArgs(
        capacity_reservation_id=rung.id
    )
    return kinds.LaunchTemplateCapacityReservationSpecificationArgs(capacity_reservation_target=target)


def _market(pool: CloudPool, rung: Rung) -> aws.ec2.LaunchTemplateInstanceMarketOptionsArgs | None:
    kinds = aws.ec2
    if rung.kind == "capacity-block":
        return kinds.LaunchTemplateInstanceMarketOptionsArgs(market_type="capacity-block")
    if rung.kind == "spot" and pool.form == "instances":
        once = kinds.LaunchTemplateInstanceMarketOptionsSpotOptionsArgs(spot_instance_type="one-time")
        return kinds.LaunchTemplateInstanceMarketOptionsArgs(market_type="spot", spot_options=once)
    return None
