"""Rules about dependencies: a site comes up while every other is dark, and global control planes too."""

from __future__ import annotations

import re
from collections.abc import Iterator

from relight.estate import CONTROL_PLANE_REGION, GLOBAL
from relight.topology.policy.subjects import Breach, Rule, Scene, Subject, texts

ONE_REGION = {
    "aws:route53/": (
        CONTROL_PLANE_REGION["route53"],
        "health checks, failover records and routing controls go on without it",
    ),
    "aws:route53recoverycontrol/": ("us-west-2", "its switches are thrown at five endpoints of their own"),
    "aws:cloudfront/": (CONTROL_PLANE_REGION["cloudfront"], "distributions go on serving as they are"),
    "aws:globalaccelerator/": ("us-west-2", "accelerators go on routing, and move by health"),
    "aws:shield/": ("us-east-1", "what is protected stays so"),
    "aws:organizations/": ("us-east-1", "accounts and their policies stay as they are"),
}
"""Services whose every change needs one region, which region, and what works all the same when it is dark.

From AWS "Fault isolation boundaries", appendices A and B. IAM belongs to them (us-east-1), and is not
refused: roles are made with the site, long before, and are assumed without it; neither the knob nor any
runbook changes one.
"""

_COPYING = (
    "aws:s3/bucketReplicationConfig:",  # its destination is another site's bucket: that is what it is for
    "aws:iam/rolePolicy:",
    "aws:iam/policy:",
    "aws:iam/role:",
    "aws:s3/bucketPolicy:",
    "aws:kms/key:",
    "gcp:storage/bucketIAMMember:",
)
_SAID = ("tags", "labels", "description", "comment")


def _alone(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if scene.stack not in scene.estate.sites:
        return
    if subject.type == "pulumi:pulumi:StackReference":
        yield (
            f"it reads the stack {subject.inputs.get('name', subject.name)}",
            "take it from the estate instead",
        )
    if subject.type.startswith(_COPYING):
        return
    yield from _regions(subject, scene)
    others = [name for name in scene.estate.sites if name != scene.stack]
    buckets = {store.bucket: store.site for store in scene.estate.stores.values() if store.site in others}
    said = [text for key, value in subject.inputs.items() if key not in _SAID for text in texts(value)]
    for bucket, site in sorted(buckets.items()):
        if any(re.search(rf"(?<![a-z0-9.-]){re.escape(bucket)}(?![a-z0-9.-])", text) for text in said):
            yield f"it needs the bucket {bucket}, which dies with {site}", "use the site's own store"


def _regions(subject: Subject, scene: Scene) -> Iterator[Breach]:
    own = scene.region_of(scene.stack)
    if own is None:
        return
    others = {
        region: name for name in scene.estate.sites if (region := scene.region_of(name)) and region != own
    }
    declared = subject.inputs.get("region")
    if declared in others:
        yield f"it stands in {declared}, the region of {others[declared]}", f"let it stand in {own}"
    said = [text for key, value in subject.inputs.items() if key not in _SAID for text in texts(value)]
    for region, name in others.items():
        foreign = re.compile(rf"arn:aws[a-z-]*:[a-z0-9-]+:{region}:|/regions/{region}/|/locations/{region}/")
        if any(foreign.search(text) for text in said):
            yield f"it needs what stands in {region}, the region of {name}", f"use what stands in {own}"


def _no_one_region(subject: Subject, scene: Scene) -> Iterator[Breach]:
    if scene.stack == GLOBAL:
        return
    for prefix, (region, goes_on) in ONE_REGION.items():
        if subject.type.startswith(prefix):
            yield f"every change of it needs {region}", f"let it stand in the global stack; {goes_on}"


RULES = (
    Rule("stands-alone", "a site needs no other site", _alone),
    Rule("no-one-region", "a site's stack changes nothing that hangs on one region", _no_one_region),
)
