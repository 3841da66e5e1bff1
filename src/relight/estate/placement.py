"""Do sites stand where there is such a place, and is Pulumi's state outside of what it describes?"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from urllib.parse import parse_qs, urlsplit

from relight.estate.check import Check, doubtful, wrong
from relight.estate.clouds import AwsAccount, GoogleProject
from relight.estate.model import Estate
from relight.estate.regions import is_region, regions_of
from relight.estate.sites import AwsSite, ClusterSite, GoogleSite, MetalSite
from relight.estate.spelling import Spelling
from relight.estate.stacks import Stacks
from relight.estate.stores import GcsStore

_KEY_LOCATION = re.compile(r"/locations/([^/]+)/keyRings/")  # of a key of Google Cloud

GLOBAL = "global"
"""The stack of what must outlive every site."""


def check_placement(estate: Estate) -> Iterator[Check]:
    """Regions and zones that are none, and state that would die with what it describes."""
    newer = estate.stacks.newer_regions if estate.stacks else ()
    for path, cloud, region in _regions(estate):
        if not is_region(cloud, region, newer):
            yield _no_region(path, cloud, region)
    for name, site in estate.sites.items():
        if isinstance(site, (AwsSite, GoogleSite)) and is_region(site.kind, site.region, newer):
            yield from _check_zones(f"sites.{name}.zones", site)
    yield from _check_names_of_stacks(estate)
    yield from _check_buckets(estate)
    if estate.stacks is None:
        yield from _check_nothing_declared(estate)
        return
    yield from _check_backend(estate, estate.stacks)
    yield from _check_sealing(estate, estate.stacks)
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


def _no_region(path: str, cloud: str, region: str) -> Check:
    closest = Spelling().closest(region, sorted(regions_of(cloud)))
    instead = f'did you mean "{closest}"? ' if closest else ""
    return wrong(
        "no-such-region",
        path,
        f'{"AWS" if cloud == "aws" else "Google Cloud"} has no region "{region}"',
        f"{instead}one that is new: name it in stacks.newer_regions",
    )


def _check_zones(path: str, site: AwsSite | GoogleSite) -> Iterator[Check]:
    # No region has more than six zones.
    form = rf"{re.escape(site.region)}{'' if isinstance(site, AwsSite) else '-'}[a-f]"
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
    asked = parse_qs(where.query)
    region = "".join(asked.get("region", [])) if where.scheme == "s3" else None
    aws = {name: site for name, site in estate.sites.items() if isinstance(site, AwsSite)}
    if region == "" and aws and not asked.get("endpoint"):
        yield _somewhere("stacks.backend", "Pulumi's state")
    for name, site in aws.items():
        if site.region == region:
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


def _check_sealing(estate: Estate, stacks: Stacks) -> Iterator[Check]:
    """Whether the key that opens the state stands apart from every site."""
    where = urlsplit(stacks.secrets_provider or "")
    if where.scheme == "awskms":
        cloud, region = "aws", "".join(parse_qs(where.query).get("region", []))
    elif where.scheme == "gcpkms":
        cloud, region = "gcp", (_KEY_LOCATION.findall(where.path) or [""])[0]
    else:
        return
    sites = {name: site for name, site in estate.sites.items() if isinstance(site, (AwsSite, GoogleSite))}
    if cloud == "aws" and not region and any(site.kind == cloud for site in sites.values()):
        yield _somewhere("stacks.secrets_provider", "the key of Pulumi's state")
    for name, site in sites.items():
        if site.kind == cloud and site.region == region:
            yield wrong(
                "dead-site-state",
                "stacks.secrets_provider",
                f'the key stands in {region}, as "{name}" does: without it nobody reads Pulumi\'s state',
                "use a key in a region without a site",
            )


def _somewhere(path: str, what: str) -> Check:
    return doubtful(
        "state-anywhere",
        path,
        f"nothing says in which region {what} stands: it may be that of a site, and die with it",
        "add ?region=…, a region without a site",
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
