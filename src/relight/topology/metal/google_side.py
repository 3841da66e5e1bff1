"""What Google Cloud holds for a site on premises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi

from relight.estate import GoogleProject, MetalSite
from relight.topology.frame import Frame
from relight.topology.metal.google_gateways import ExternalGateway, ExternalGatewayArgs
from relight.topology.metal.google_images import ImageBucket, ImageBucketArgs
from relight.topology.metal.google_out_of_band import OutOfBand, OutOfBandArgs


@dataclass(frozen=True)
class SideArgs:
    """The site, the project, and the key of its out-of-band tunnels, if one is declared."""

    frame: Frame
    site: MetalSite
    project: GoogleProject
    preshared_key: pulumi.Output[str] | None


class GoogleSide(pulumi.ComponentResource):
    """External gateway, image bucket and out-of-band VPN, each where the site declares what it is for."""

    def __init__(self, name: str, args: SideArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:metal:GoogleSide", name, None, opts)
        self.outputs: dict[str, Any] = {}
        frame, site, region = args.frame, args.site, args.project.region
        child = pulumi.ResourceOptions(parent=self)
        if site.image_bucket:
            images = ImageBucket("images", ImageBucketArgs(frame, region, site.image_bucket), child)
            self.outputs["imageBucket"] = images.bucket.name
        if site.gateway:
            routers = ExternalGateway("routers", ExternalGatewayArgs(frame, site.gateway), child)
            self.outputs["externalGateway"] = routers.gateway.self_link
            if site.out_of_band and args.preshared_key is not None:
                way = OutOfBandArgs(
                    frame, region, site.out_of_band, routers, site.gateway.asn, args.preshared_key
                )
                self.outputs["outOfBand"] = OutOfBand("out-of-band", way, child).outputs
        self.register_outputs(self.outputs)
