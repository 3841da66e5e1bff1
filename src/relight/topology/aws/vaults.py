"""What the estate says of the buckets of AWS: where each stands, which key seals it, who copies into it.

Everything here is known from the estate alone: a bucket copies to one whose stack may not exist yet.
"""

from __future__ import annotations

from relight.errors import UsageError
from relight.estate import GLOBAL, AwsSite, Estate, Managed, S3Store, fit_name
from relight.topology.aws.places import ROLE_NAME, Place, account_of, place_of
from relight.topology.frame import Frame


def managed_bucket(estate: Estate, store: str) -> tuple[S3Store, Managed]:
    """A store that a stack makes in AWS. Raise UsageError for any other."""
    declared = estate.stores.get(store)
    if isinstance(declared, S3Store) and declared.managed is not None and declared.endpoint is None:
        return declared, declared.managed
    raise UsageError(
        f'the store "{store}" is no bucket that a stack makes in AWS',
        "write kind: s3 and managed:, without endpoint",
    )


def home_of(estate: Estate, store: S3Store) -> Place | None:
    """Where a bucket stands; None: nothing says whose account it is in."""
    if store.site is None and store.managed is None:
        return None
    account = account_of(estate, store.site or GLOBAL)
    return place_of(account) if account else None


def key_alias(frame: Frame, store: str | None = None) -> str:
    """The alias of a site's key for data, or of the own key of one store."""
    return f"alias/{frame.name(store or 'data')}"


def key_of(estate: Estate, name: str, store: S3Store, here: Place) -> str:
    """The ARN of what seals a bucket, by alias where a stack makes the key; `here` is who asks."""
    home = home_of(estate, store) or Place(here.account, store.region)
    site = estate.sites.get(store.site) if store.site else None
    if store.managed is None:
        return home.arn("kms", "alias/aws/s3")
    if store.managed.key is not None:
        named = store.managed.key
        return named if named.startswith("arn:") else home.arn("kms", f"alias/{named.removeprefix('alias/')}")
    if isinstance(site, AwsSite):
        return site.adopt.key or home.arn("kms", key_alias(Frame(estate, str(store.site))))
    return home.arn("kms", key_alias(Frame(estate, store.site or GLOBAL), name))


def copies_both_ways(estate: Estate, store: str) -> bool:
    """Whether the bucket that this one copies to copies back."""
    there = _target(estate, store)
    declared = estate.stores.get(there) if there else None
    return declared is not None and declared.managed is not None and declared.managed.replicate_to == store


def copying_role(estate: Estate, stack: str, store: str) -> str:
    """The name of the role that copies out of a bucket."""
    return fit_name(f"{estate.name}-{stack}-{store}-copies", ROLE_NAME)


def foreign_copiers(estate: Estate, store: str, here: Place) -> list[str]:
    """ARNs of the roles in other accounts that copy into a bucket of `here`."""
    found = []
    for name, source in estate.stores.items():
        home = home_of(estate, source) if isinstance(source, S3Store) else None
        if home and _target(estate, name) == store and home.account != here.account:
            stack = source.site or GLOBAL
            found.append(home.iam(f"role/{copying_role(estate, stack, name)}"))
    return sorted(found)


def _target(estate: Estate, store: str) -> str | None:
    managed = estate.stores[store].managed if store in estate.stores else None
    return managed.replicate_to if managed else None
