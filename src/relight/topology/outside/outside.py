"""The global stack, whole: names that follow the work, and the stores that stand apart from every site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from relight.errors import Reason, UsageError
from relight.estate import AwsAccount, CloudAccount, Estate, GcsStore, S3Store
from relight.topology import aws, google
from relight.topology.aws import store as s3
from relight.topology.frame import Frame
from relight.topology.google import store as gcs
from relight.topology.outside.cloud_dns import CloudDns, CloudDnsArgs
from relight.topology.outside.route53 import Route53, Route53Args


@dataclass(frozen=True)
class OutsideArgs:
    """The estate; the account is `frame.estate.stacks.outside`."""

    frame: Frame


class Outside(pulumi.ComponentResource):
    """DNS (`Route53` or `CloudDns`) and every managed store without a site: the witness is one of them.

    Raise UsageError, before anything is registered, where the account is missing, of the wrong cloud, or
    what is declared cannot be provisioned.

    What it depends on: the witness stands in the one region of its account, and nothing else does; every
    other dependency is named by the components. A witness that is dark stops failover (nobody can prove
    the fence), not work: choose a region where no site stands.

    Billed while asleep: what `Route53`, `RoutingControls` or `CloudDns` say, a KMS key per store by the
    month, and the stored bytes and requests of the witness, which are few.
    """

    def __init__(self, name: str, args: OutsideArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        frame = args.frame
        account = account_of(frame.estate)
        super().__init__("relight:outside:Outside", name, None, opts)
        provider = (
            aws.provider(frame, account)
            if isinstance(account, AwsAccount)
            else google.provider(frame, account)
        )
        own = pulumi.ResourceOptions(parent=self, providers=[provider])
        outputs: dict[str, pulumi.Input[Any]] = {}
        if frame.estate.traffic:
            dns = (
                Route53("names", Route53Args(frame, frame.estate.traffic), own)
                if isinstance(account, AwsAccount)
                else CloudDns("names", CloudDnsArgs(frame, frame.estate.traffic, account), own)
            )
            outputs |= dns.outputs
        outputs["stores"] = {
            key: self._store(frame, key, store, own) for key, store in stores_of(frame.estate).items()
        }
        self.outputs: Mapping[str, pulumi.Input[Any]] = outputs
        self.register_outputs(outputs)

    def _store(
        self, frame: Frame, key: str, store: S3Store | GcsStore, own: pulumi.ResourceOptions
    ) -> pulumi.Input[str]:
        if isinstance(store, S3Store):
            s3.VaultBucket(key, s3.BucketArgs(frame, key), own)
        else:
            gcs.VaultBucket(key, gcs.BucketArgs(frame, key), own)
        return store.bucket


def stores_of(estate: Estate) -> dict[str, S3Store | GcsStore]:
    """The managed stores that stand apart from every site."""
    return {key: store for key, store in estate.stores.items() if store.managed and store.site is None}


def account_of(estate: Estate) -> CloudAccount:
    """The account of the global stack. Raise UsageError with all that does not fit it."""
    account = estate.stacks.outside if estate.stacks else None
    if account is None:
        raise UsageError(
            "the global stack has no account", "write stacks.outside: kind, account or project, region"
        )
    faults = tuple(_faults(estate, account))
    if faults:
        raise UsageError("the global stack cannot be what is declared", reasons=faults)
    return account


def _faults(estate: Estate, account: CloudAccount) -> Iterator[Reason]:
    is_aws = isinstance(account, AwsAccount)
    if estate.traffic and (estate.traffic.kind == "route53") != is_aws:
        fitting = "route53" if is_aws else "cloud-dns"
        yield Reason(
            f"{estate.traffic.kind} does not stand in an account of kind {account.kind}",
            f"write kind: {fitting}, or another stacks.outside",
            path="traffic.kind",
        )
    if estate.traffic and estate.traffic.adopt and "." in estate.traffic.adopt:
        yield Reason(
            f"{estate.traffic.adopt} is how the zone is called, not what it is found by",
            "write its id, as Z0123456789ABC"
            if is_aws
            else "write the name of the managed zone, without dots",
            path="traffic.adopt",
        )
    for key, store in stores_of(estate).items():
        if isinstance(store, S3Store) != is_aws:
            yield Reason(
                f"a store of kind {store.kind} does not stand in an account of kind {account.kind}",
                "write another kind, name its site, or leave managed out",
                path=f"stores.{key}.kind",
            )
        elif isinstance(store, S3Store) and store.endpoint:
            yield Reason(
                f"a store at {store.endpoint} is not made by AWS",
                "leave endpoint out, or managed",
                path=f"stores.{key}.endpoint",
            )
