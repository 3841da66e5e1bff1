"""Do sites stand where there is such a place, and is Pulumi's state outside of what it describes?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qs, urlsplit

from relight.estate.check import Check, doubtful, wrong
from relight.estate.clouds import AwsAccount, GoogleProject
from relight.estate.model import Estate
from relight.estate.regions import AWS_REGIONS, GOOGLE_REGIONS
from relight.estate.sites import AwsSite, ClusterSite, GoogleSite, MetalSite
from relight.estate.spelling import Spelling
from relight.estate.stacks import Stacks
from relight.estate.stores import GcsStore

GLOBAL = "global"
"""The stack of what must outlive every site."""


def check_placement(estate: Estate) -> Iterator[Check]:
    """Regions and zones that are none, and state that would die with what it describes."""
    for path, cloud, region in _regions(estate):
        yield from _check_region(estate, path, cloud, region)
    for name, site in estate.sites.items():
        if isinstance(site, (AwsSite, GoogleSite)):
            yield from _check_zones(f"sites.{name}.zones", site)
    yield from _check_names_of_stacks(estate)
    yield from _check_buckets(estate)
    if estate.stacks is None:
        yield from _check_nothing_declared(estate)
        return
    yield from _check_backend(estate, estate.stacks)
    yield from _check_outside(estate, estate.stacks)


def _regions(estate: Estate) -> Iterator[tuple[str, str, str]]:
    """Every region: where it is written, of which cloud, and which."""
    for name, site in estate.sites.items():
        if isinstance(site, (AwsSite, GoogleSite)):
            yield f"sites.{name}.region", site.kind, site.region
        if isinstance(site, MetalSite) and site.cloud is not None:
            yield f"sites.{name}.cloud.region", site.cloud.kind, site.cloud.region
    if estate.stacks is not None and estate.stacks.outside is not None:
        yield "stacks.outside.region", estate.stacks.outside.kind, estate.stacks.outside.region
    for name, store in estate.stores.items():
        if store.managed is not None and not isinstance(store, GcsStore):
            yield f"stores.{name}.region", "aws", store.region


def _check_region(estate: Estate, path: str, cloud: str, region: str) -> Iterator[Check]:
    known = AWS_REGIONS if cloud == "aws" else GOOGLE_REGIONS
    newer = estate.stacks.newer_regions if estate.stacks else ()
    if region not in known and region not in newer:
        closest = Spelling().closest(region, sorted(known))
        instead = f'did you mean "{closest}"? ' if closest else ""
        yield wrong(
            "no-such-region",
            path,
            f'{"AWS" if cloud == "aws" else "Google Cloud"} has no region "{region}"',
            f"{instead}one that is new: name it in stacks.newer_regions",
        )


def _check_zones(path: str, site: AwsSite | GoogleSite) -> Iterator[Check]:
    form = rf"{re.escape(site.region)}{'' if isinstance(site, AwsSite) else '-'}[a-z]"
    for index, zone in enumerate(site.zones):
        if not re.fullmatch(form, zone):
            example = f"{site.region}{'' if isinstance(site, AwsSite) else '-'}a"
            yield wrong(
                "no-such-zone",
                f"{path}.{index}",
                f'"{zone}" is no zone of {site.region}',
                f'write "{example}", say',
            )
        if zone in site.zones[:index]:
            yield wrong("zone-twice", f"{path}.{index}", f'"{zone}" is there already', "name another zone")


def _check_names_of_stacks(estate: Estate) -> Iterator[Check]:
    taken: Collection[str] = {GLOBAL, *estate.sites}
    if GLOBAL in estate.sites:
        yield wrong(
            "name-of-a-stack",
            f"sites.{GLOBAL}",
            f'the stack "{GLOBAL}" is of what outlives every site',
            "call the site something else",
        )
    for name in estate.links:
        if name in taken:
            yield wrong(
                "name-of-a-stack",
                f"links.{name}",
                f'there is a stack "{name}" already',
                "call the link something else",
            )


def _check_buckets(estate: Estate) -> Iterator[Check]:
    """Two things in one bucket: the names are the whole world's."""
    first: dict[str, str] = {}
    named = [(f"stores.{n}.bucket", s.bucket) for n, s in estate.stores.items() if s.managed]
    named += [
        (f"sites.{name}.image_bucket", site.image_bucket)
        for name, site in estate.sites.items()
        if isinstance(site, MetalSite) and site.image_bucket
    ]
    for path, bucket in named:
        if first.setdefault(bucket, path) != path:
            yield wrong(
                "bucket-twice",
                path,
                f'"{bucket}" is {first[bucket]} already, and a stack makes it',
                "give each its own bucket",
            )


def _check_nothing_declared(estate: Estate) -> Iterator[Check]:
    for name, site in estate.sites.items():
        if isinstance(site, (AwsSite, GoogleSite, ClusterSite)) and site.pools:
            yield doubtful(
                "no-stacks",
                f"sites.{name}.pools",
                "nothing makes this site grow: the estate does not say where its stack is kept",
                "add stacks: {backend: …, owner: …}",
            )
            return


def _check_backend(estate: Estate, stacks: Stacks) -> Iterator[Check]:
    remedy = "keep it in a bucket outside of every site"
    if stacks.site is not None and stacks.site in estate.sites:
        yield wrong(
            "dead-site-state",
            "stacks.site",
            f'Pulumi\'s state dies with "{stacks.site}", which it describes',
            remedy,
        )
    where = urlsplit(stacks.backend)
    bucket = where.netloc
    for name, store in estate.stores.items():
        if store.bucket == bucket and store.site is not None and where.scheme in ("s3", "gs"):
            yield wrong(
                "dead-site-state",
                "stacks.backend",
                f'the bucket "{bucket}" is the store "{name}", which dies with "{store.site}"',
                remedy,
            )
    region = "".join(parse_qs(where.query).get("region", []))
    for name, site in estate.sites.items():
        if isinstance(site, AwsSite) and where.scheme == "s3" and site.region == region:
            yield wrong(
                "dead-site-state",
                "stacks.backend",
                f'Pulumi\'s state stands in {region}, as "{name}" does, which it describes',
                "keep it in a region without a site",
            )
    if where.scheme == "file":
        yield doubtful(
            "state-on-one-machine",
            "stacks.backend",
            "Pulumi's state is on one machine: whoever recovers from another has none",
            remedy,
        )
    if where.scheme != "https" and stacks.passphrase is None and stacks.secrets_provider is None:
        yield wrong(
            "open-state",
            "stacks.backend",
            "nothing says how secrets in Pulumi's state are sealed",
            "add stacks.secrets_provider or stacks.passphrase",
        )


def _check_outside(estate: Estate, stacks: Stacks) -> Iterator[Check]:
    apart = [name for name, store in estate.stores.items() if store.managed and store.site is None]
    outside = stacks.outside
    if outside is None:
        for path, what in [(f"stores.{name}.managed", "this store") for name in apart] + (
            [("traffic", "these names")] if estate.traffic else []
        ):
            yield wrong(
                "no-outside",
                path,
                f"the global stack makes {what}, and nothing says where that stands",
                "add stacks.outside: {kind: aws, account: …, region: …, credentials: …}",
            )
        return
    if estate.traffic and (estate.traffic.kind == "route53") != isinstance(outside, AwsAccount):
        yield wrong(
            "traffic-elsewhere",
            "traffic.kind",
            f"the global stack stands in {outside.kind}, which has no {estate.traffic.kind}",
            "write the DNS of the cloud of stacks.outside",
        )
    for name, site in estate.sites.items():
        same = isinstance(site, AwsSite) and isinstance(outside, AwsAccount)
        same = same or (isinstance(site, GoogleSite) and isinstance(outside, GoogleProject))
        if same and isinstance(site, (AwsSite, GoogleSite)) and site.region == outside.region:
            yield wrong(
                "dead-site-outside",
                "stacks.outside.region",
                f'what must outlive every site would stand in {site.region}, as "{name}" does',
                "write a region without a site",
            )
