"""A site of own nodes, and what a cloud holds for it."""

from __future__ import annotations

import re
from typing import Any

import pulumi

from relight.errors import UsageError
from relight.estate import AwsAccount, MetalSite
from relight.topology import aws as amazon
from relight.topology import google
from relight.topology.frame import Frame, SiteArgs
from relight.topology.metal.access_network import require_apart
from relight.topology.metal.aws_side import AwsSide
from relight.topology.metal.aws_side import SideArgs as AwsSideArgs
from relight.topology.metal.google_side import GoogleSide
from relight.topology.metal.google_side import SideArgs as GoogleSideArgs

# What AWS takes: 8 to 64 letters, digits, "." and "_", not beginning with 0.
_AWS_KEY = re.compile(r"[A-Za-z1-9._][A-Za-z0-9._]{7,63}")


class Site(pulumi.ComponentResource):
    """What a cloud holds for a site on premises; no stack sizes its nodes, so `pools` is empty.

    Raise UsageError, before anything is registered, where there is nothing for a stack to hold, or where the
    declaration cannot stand.

    Billed while asleep: what the image bucket stores and its key; the out-of-band VPN by the hour, which is
    the price of a way in that needs nothing else of the site.
    """

    def __init__(self, name: str, args: SiteArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        frame = args.frame
        site = frame.estate.sites.get(frame.stack)
        if not isinstance(site, MetalSite):
            raise UsageError(f"{frame.stack} is no site of own nodes", "name one that is")
        key = _check(frame, site)
        super().__init__("relight:metal:Site", name, None, opts)
        side = self._side(frame, site, pulumi.Output.secret(key) if key else None)
        self.outputs: dict[str, Any] = {"pools": {}} | side.outputs
        self.register_outputs(self.outputs)

    def _side(self, frame: Frame, site: MetalSite, key: pulumi.Output[str] | None) -> AwsSide | GoogleSide:
        cloud, under = site.cloud, pulumi.ResourceOptions(parent=self)
        if isinstance(cloud, AwsAccount):
            account = amazon.provider(frame, cloud, under)
            opts = pulumi.ResourceOptions(parent=self, providers=[account])
            return AwsSide("aws", AwsSideArgs(frame, site, key), opts)
        if cloud is None:
            raise _has_no_stack(frame)
        project = google.provider(frame, cloud, under)
        opts = pulumi.ResourceOptions(parent=self, providers=[project])
        return GoogleSide("google", GoogleSideArgs(frame, site, cloud, key), opts)


def _check(frame: Frame, site: MetalSite) -> str | None:
    """The key of the out-of-band tunnels, None where AWS is to make one. Raise UsageError."""
    if site.cloud is None:
        raise _has_no_stack(frame)
    if site.out_of_band is None:
        return None
    if site.gateway is None:
        raise UsageError(
            f"nothing leads to {site.out_of_band}, the out-of-band network of {frame.stack}",
            f"declare sites.{frame.stack}.gateway, or leave out_of_band out",
        )
    require_apart(frame.stack, site)
    reference, is_aws = site.gateway.preshared_key, isinstance(site.cloud, AwsAccount)
    if reference is None:
        if is_aws:
            return None
        raise UsageError(
            f"the out-of-band tunnels of {frame.stack} have no key, and Google Cloud makes none",
            f"write sites.{frame.stack}.gateway.preshared_key: env:NAME",
        )
    key = frame.resolve(reference)
    if is_aws and not _AWS_KEY.fullmatch(key):
        raise UsageError(
            f"AWS does not take the key behind {reference}",
            'use 8 to 64 letters, digits, "." and "_", not beginning with 0',
        )
    return key


def _has_no_stack(frame: Frame) -> UsageError:
    return UsageError(
        f"the site {frame.stack} has no stack: no cloud holds anything for it",
        f"declare sites.{frame.stack}.cloud, or leave the stack",
    )
