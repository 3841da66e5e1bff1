"""A machine beside the tunnels to a site's BMCs, which is started when somebody needs it."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.topology.frame import Frame
from relight.topology.metal.access_network import BMC_PORTS

# Resolved by EC2 when a machine starts: no image goes stale in a template that is used once in years.
_IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"


@dataclass(frozen=True)
class JumpHostArgs:
    """The network it stands in, and the one that it may speak to."""

    frame: Frame
    vpc: pulumi.Input[str]
    subnet: pulumi.Input[str]
    network: str


class JumpHost(pulumi.ComponentResource):
    """A launch template, and an Instance Connect endpoint that brings SSH to what is started from it.

    The machine has no public address, takes SSH from that endpoint alone, and speaks to BMCs alone. Who may
    come in is a matter of IAM, and each tunnel that is opened stands in CloudTrail.
    Billed while asleep: nothing; no machine runs, and the endpoint costs nothing.
    """

    def __init__(self, name: str, args: JumpHostArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:JumpHost", name, None, opts)
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        door = self._make_group("door", "the way in: SSH to jump hosts")
        host = self._make_group("jump", "jump hosts: to BMCs")
        self._admit(door, host)
        aws.ec2transitgateway.InstanceConnectEndpoint(
            "door",
            subnet_id=args.subnet,
            security_group_ids=[door.id],
            preserve_client_ip=False,
            tags=self._tags("door"),
            opts=self._child,
        )
        self.template = self._make_template(host)
        self.register_outputs({"template": self.template.id})

    def _tags(self, what: str) -> dict[str, str]:
        return self._args.frame.tags("network", self._args.frame.name(what))

    def _make_group(self, what: str, about: str) -> aws.ec2.SecurityGroup:
        return aws.ec2.SecurityGroup(
            what, vpc_id=self._args.vpc, description=about, tags=self._tags(what), opts=self._child
        )

    def _admit(self, door: aws.ec2.SecurityGroup, host: aws.ec2.SecurityGroup) -> None:
        ssh = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "opts": self._child}
        aws.vpc.SecurityGroupEgressRule(
            "door-to-jump",
            security_group_id=door.id,
            referenced_security_group_id=host.id,
            tags=self._tags("door-to-jump"),
            **ssh,
        )
        aws.vpc.SecurityGroupIngressRule(
            "jump-from-door",
            security_group_id=host.id,
            referenced_security_group_id=door.id,
            tags=self._tags("jump-from-door"),
            **ssh,
        )
        for protocol, port in BMC_PORTS:
            aws.vpc.SecurityGroupEgressRule(
                f"jump-to-bmc-{protocol}-{port}",
                security_group_id=host.id,
                cidr_ipv4=self._args.network,
                ip_protocol=protocol,
                from_port=port,
                to_port=port,
                tags=self._tags(f"bmc-{protocol}-{port}"),
                opts=self._child,
            )

    def _make_template(self, group: aws.ec2.SecurityGroup) -> aws.ec2.LaunchTemplate:
        disk = aws.ec2.LaunchTemplateBlockDeviceMappingEbsArgs(
            encrypted="true", delete_on_termination="true", volume_type="gp3", volume_size=8
        )
        card = aws.ec2.LaunchTemplateNetworkInterfaceArgs(
            subnet_id=self._args.subnet,
            security_groups=[group.id],
            associate_public_ip_address="false",
            delete_on_termination="true",
        )
        started = [
            aws.ec2.LaunchTemplateTagSpecificationArgs(resource_type=kind, tags=self._tags("jump"))
            for kind in ("instance", "volume")
        ]
        return aws.ec2.LaunchTemplate(
            "jump",
            aws.ec2.LaunchTemplateArgs(
                name=self._args.frame.name("jump"),
                image_id=_IMAGE,
                instance_type="t4g.nano",
                block_device_mappings=[
                    aws.ec2.LaunchTemplateBlockDeviceMappingArgs(device_name="/dev/xvda", ebs=disk)
                ],
                metadata_options=aws.ec2.LaunchTemplateMetadataOptionsArgs(
                    http_tokens="required", http_put_response_hop_limit=1
                ),
                network_interfaces=[card],
                tag_specifications=started,
                tags=self._tags("jump"),
            ),
            self._child,
        )
