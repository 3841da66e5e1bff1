"""A cloud's side of a link, as the link finds it: the site's own outputs, read from its stack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp

from relight.estate import AwsSite, GoogleSite, fit_name
from relight.topology.aws import provider as aws_provider
from relight.topology.frame import Frame
from relight.topology.google import provider as google_provider
from relight.topology.google.places import RESOURCE_NAME
from relight.topology.links.ends import End


@dataclass(frozen=True)
class AwsSide:
    """A site of AWS: its provider and its transit gateway."""

    end: End
    site: AwsSite
    provider: aws.Provider
    transit_gateway: pulumi.Output[str]

    @classmethod
    def read(cls, frame: Frame, end: End, site: AwsSite, parent: pulumi.Resource) -> AwsSide:
        """From the outputs of the site's stack."""
        own = pulumi.ResourceOptions(parent=parent)
        provider = aws_provider(frame, site, own, name=f"aws-{end.name}")
        return cls(end, site, provider, output_of(end, outputs_of(end, parent), "transitGateway"))


@dataclass(frozen=True)
class GoogleSide:
    """A site of Google Cloud: its provider, network, cloud router and HA VPN gateway."""

    end: End
    site: GoogleSite
    frame: Frame
    provider: gcp.Provider
    network: pulumi.Output[str]
    router: pulumi.Output[str]
    gateway: pulumi.Output[str]

    @classmethod
    def read(cls, frame: Frame, end: End, site: GoogleSite, parent: pulumi.Resource) -> GoogleSide:
        """From the outputs of the site's stack."""
        own = pulumi.ResourceOptions(parent=parent)
        provider = google_provider(frame, site, own, name=f"google-{end.name}")
        outputs = outputs_of(end, parent)
        network, router, gateway = (
            output_of(end, outputs, key) for key in ("network", "router", "vpnGateway")
        )
        return cls(end, site, frame, provider, network, router, gateway)

    def options(self, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """For what stands on this side."""
        return pulumi.ResourceOptions(parent=parent, provider=self.provider)

    def addresses(self, parent: pulumi.Resource) -> Sequence[pulumi.Output[str]]:
        """The two outside addresses of the site's gateway."""
        gateway = gcp.compute.HaVpnGateway.get(
            f"{self.end.name}-gateway", self.gateway, opts=self.options(parent)
        )
        return [gateway.vpn_interfaces.apply(lambda each, at=at: each[at].ip_address) for at in (0, 1)]

    def gateways(self, count: int, parent: pulumi.Resource) -> list[pulumi.Input[str]]:
        """So many HA VPN gateways: the site's own, then the link's; a pair of them shares two tunnels."""
        more = [
            gcp.compute.HaVpnGateway(
                f"{self.end.name}-{at}",
                gcp.compute.HaVpnGatewayArgs(
                    name=fit_name(self.frame.name(f"{self.end.name}-{at}"), RESOURCE_NAME),
                    network=self.network,
                    region=self.site.region,
                    labels=self.frame.labels("network"),
                ),
                self.options(parent),
            ).id
            for at in range(1, count)
        ]
        return [self.gateway, *more]


def outputs_of(end: End, parent: pulumi.Resource) -> pulumi.StackReference:
    """What the stack of a site gives out; it fails, and says so, where that stack is not up."""
    return pulumi.StackReference(
        end.name,
        stack_name=f"{pulumi.get_organization()}/{pulumi.get_project()}/{end.name}",
        opts=pulumi.ResourceOptions(parent=parent),
    )


def output_of(end: End, outputs: pulumi.StackReference, key: str) -> pulumi.Output[str]:
    """One of them. Raise RunError, once the engine has answered, where that stack is not up yet."""

    def need(value: str | None) -> str:
        if value is None:
            raise pulumi.RunError(
                f"the stack of {end.name} gives out no {key}: "
                f"bring up {end.name} before the link {pulumi.get_stack()}"
            )
        return value

    return outputs.get_output(key).apply(need)
