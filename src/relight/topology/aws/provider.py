"""How Pulumi speaks to an account: pinned to it, over the region's own endpoints."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from relight.estate import AwsAccount, AwsSite
from relight.topology.frame import Frame


def provider(
    frame: Frame,
    account: AwsSite | AwsAccount,
    opts: pulumi.ResourceOptions | None = None,
    name: str = "aws",
) -> aws.Provider:
    """The provider of a stack, explicit and refusing every other account.

    STS is asked in the region itself: the global endpoint stands in one region, which may be the dark one.
    """
    credentials = account.credentials
    newer = frame.estate.stacks.newer_regions if frame.estate.stacks else ()
    role = aws.ProviderAssumeRoleArgs(role_arn=credentials.role, session_name=f"relight-{frame.stack}"[:64])
    return aws.Provider(
        name,
        region=account.region,
        sts_region=account.region,
        allowed_account_ids=[account.account],
        profile=credentials.profile,
        assume_roles=[role] if credentials.role else None,
        skip_region_validation=True if account.region in newer else None,
        opts=opts,
    )
