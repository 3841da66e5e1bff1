"""What AWS holds for a site on premises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from relight.estate import MetalSite
from relight.topology.frame import Frame
from relight.topology.metal.aws_gateways import CustomerGateways, CustomerGatewaysArgs
from relight.topology.metal.aws_images import ImageBucket, ImageBucketArgs
from relight.topology.metal.aws_out_of_band import OutOfBand, OutOfBandArgs


@dataclass(frozen=True)
class SideArgs:
    """The site, and the key of its out-of-band tunnels, if one is declared."""

    frame: Frame
    site: MetalSite
    preshared_key: pulumi.Output[str] | None


class AwsSide(pulumi.ComponentResource):
    """Customer gateways, image bucket and out-of-band VPN, each where the site declares what it is for."""

    def __init__(self, name: str, args: SideArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:AwsSide", name, None, opts)
        self.outputs: dict[str, Any] = {}
        frame, site, child = args.frame, args.site, pulumi.ResourceOptions(parent=self)
        if site.image_bucket:
            images = ImageBucket("images", ImageBucketArgs(frame, site.image_bucket), child)
            self.outputs["imageBucket"] = images.bucket.bucket
        if site.gateway:
            routers = CustomerGateways("routers", CustomerGatewaysArgs(frame, site.gateway), child).gateways
            self.outputs["customerGateways"] = [each.id for each in routers]
            if site.out_of_band:
                way = OutOfBandArgs(frame, site.out_of_band, routers, args.preshared_key)
                self.outputs["outOfBand"] = OutOfBand("out-of-band", way, child).outputs
        self.register_outputs(self.outputs)
