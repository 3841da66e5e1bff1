"""The key that seals what a site keeps.

Billed while asleep: each key by the month, and again for each replica of it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from relight.topology.aws.places import Place
from relight.topology.aws.policies import key_policy
from relight.topology.frame import Frame

DELETION_DAYS = 30  # the longest that KMS waits, and so the longest to change one's mind


@dataclass(frozen=True)
class KeyArgs:
    """A key, and the alias that others name it by; `copiers`: roles of other accounts that seal with it."""

    frame: Frame
    place: Place
    alias: str
    copiers: tuple[str, ...] = ()
    adopted: str | None = None  # ARN of a key that is there


class DataKey(pulumi.ComponentResource):
    """A multi-Region KMS key, turned every year; `arn` is what others seal with.

    Each site has its own and needs no other's: copies are sealed anew with the key where they arrive. A
    multi-Region key may be given a replica in any region later, which a key of one region never can.
    """

    def __init__(self, name: str, args: KeyArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("relight:aws:DataKey", name, None, opts)
        self.arn: pulumi.Output[str]
        if args.adopted:
            self.arn = pulumi.Output.from_input(args.adopted)
        else:
            self.arn = self._make(name, args)
        self.register_outputs({"arn": self.arn})

    def _make(self, name: str, args: KeyArgs) -> pulumi.Output[str]:
        key = aws.kms.Key(
            name,
            description=f"seals what {args.frame.name()} keeps",
            multi_region=True,
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_DAYS,
            policy=json.dumps(key_policy(args.place, args.copiers)),
            tags=args.frame.tags("data", args.alias.removeprefix("alias/")),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        aws.kms.Alias(
            name, name=args.alias, target_key_id=key.key_id, opts=pulumi.ResourceOptions(parent=self)
        )
        arn: pulumi.Output[str] = key.arn
        return arn
