"""Policies of IAM, KMS and S3 as plain documents: what each may do, on exactly which things.

Nothing here names a region where AWS keeps a control plane: roles and keys go on working while it is down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

from relight.topology.aws.places import Place

Document = Mapping[str, Any]

USE_KEY = ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")
_READ = ("s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion", "s3:GetObjectAttributes")
_WRITE = ("s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject", "s3:PutObjectRetention")
_LIST = ("s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:ListBucket", "s3:ListBucketVersions")
_DESCRIBE = (  # these cannot be narrowed to a resource (IAM, "Service Authorization Reference")
    "autoscaling:DescribeAutoScalingGroups",
    "autoscaling:DescribeScalingActivities",
    "autoscaling:DescribeWarmPool",
    "ec2:DescribeCapacityReservations",
    "ec2:DescribeInstanceTypeOfferings",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "servicequotas:GetServiceQuota",
)


def document(*statements: Document) -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(
    actions: Sequence[str], resources: Sequence[pulumi.Input[str]], condition: Document | None = None
) -> dict[str, Any]:
    """A statement of an identity's policy."""
    said = {"Effect": "Allow", "Action": sorted(actions), "Resource": list(resources)}
    return {**said, "Condition": condition} if condition else said


def trust(principal: Document, actions: Sequence[str] = ("sts:AssumeRole",)) -> dict[str, Any]:
    """Who may become a role."""
    return document({"Effect": "Allow", "Principal": principal, "Action": list(actions)})


def key_policy(here: Place, copiers: Sequence[str] = ()) -> dict[str, Any]:
    """Of a key for data: its account governs it, services of the account use it, `copiers` seal with it.

    Service-linked roles (Auto Scaling for disks, FSx for its file system and bucket) are admitted by
    pattern: one that is named before it was first used makes KMS refuse the policy.
    """
    own = {"StringEquals": {"kms:CallerAccount": here.account}}
    service_roles = {"ArnLike": {"aws:PrincipalArn": here.iam("role/aws-service-role/*")}}
    logs = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": here.arn("logs", "log-group:*")}}
    use = {"Effect": "Allow", "Action": sorted(USE_KEY), "Resource": "*"}
    everyone = {"Principal": {"AWS": "*"}}  # narrowed by each condition
    statements: list[dict[str, Any]] = [
        {
            "Sid": "Account",
            "Effect": "Allow",
            "Principal": {"AWS": here.iam("root")},
            "Action": "kms:*",
            "Resource": "*",
        },
        {"Sid": "ServiceRoles", **use, **everyone, "Condition": own | service_roles},
        {
            "Sid": "ServiceRolesGrant",
            **everyone,
            "Effect": "Allow",
            "Action": "kms:CreateGrant",
            "Resource": "*",
            "Condition": own | service_roles | {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
        {"Sid": "Logs", **use, "Principal": {"Service": here.service("logs")}, "Condition": logs},
    ]
    if copiers:
        accounts = sorted({_root_of(role) for role in copiers})
        names = {"ArnEquals": {"aws:PrincipalArn": list(copiers)}}
        statements.append({"Sid": "Copies", **use, "Principal": {"AWS": accounts}, "Condition": names})
    return document(*statements)


def bucket_policy(bucket: str, copiers: Sequence[str] = ()) -> dict[str, Any]:
    """Of a bucket by its ARN: TLS 1.2 or newer only; `copiers` are roles of other accounts."""
    both = [bucket, f"{bucket}/*"]
    refuse = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": both}
    statements: list[dict[str, Any]] = [
        {"Sid": "TlsOnly", **refuse, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {"Sid": "RecentTlsOnly", **refuse, "Condition": {"NumericLessThan": {"s3:TlsVersion": "1.2"}}},
    ]
    if copiers:
        accounts = sorted({_root_of(role) for role in copiers})
        statements.append(
            {
                "Sid": "Copies",
                "Effect": "Allow",
                "Principal": {"AWS": accounts},
                "Action": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
                "Resource": f"{bucket}/*",
                "Condition": {"ArnEquals": {"aws:PrincipalArn": list(copiers)}},
            }
        )
    return document(*statements)


def vault_statements(buckets: Sequence[str], keys: Sequence[pulumi.Input[str]]) -> list[dict[str, Any]]:
    """Read and write recovery points in buckets by their ARNs, opening and sealing with these keys."""
    return [*bucket_statements(buckets), allow(USE_KEY, keys)]


def bucket_statements(buckets: Sequence[str]) -> list[dict[str, Any]]:
    """Read and write objects of buckets by their ARNs; no version is ever removed for good."""
    if not buckets:
        return []
    return [
        allow(_LIST, buckets),
        allow((*_READ, *_WRITE), [f"{bucket}/*" for bucket in buckets]),
    ]


def sizing_statements(
    here: Place, groups: Sequence[str], node_groups: Sequence[str], cluster: str
) -> list[dict[str, Any]]:
    """Look at what the region has, and set the size of exactly these groups, by their ARNs."""
    in_region = {"StringEquals": {"aws:RequestedRegion": here.region}}
    statements = [allow(_DESCRIBE, ["*"], in_region)]
    if groups:
        statements.append(
            allow(("autoscaling:SetDesiredCapacity", "autoscaling:UpdateAutoScalingGroup"), groups)
        )
    if node_groups:
        named, within = here.arn("eks", f"cluster/{cluster}"), here.arn("eks", f"nodegroup/{cluster}/*")
        statements.append(
            allow(("eks:DescribeCluster", "eks:DescribeNodegroup", "eks:ListNodegroups"), [named, within])
        )
        statements.append(allow(("eks:UpdateNodegroupConfig",), node_groups))
    return statements


def use_declared_key(here: Place, key: str, actions: Sequence[str] = USE_KEY) -> dict[str, Any]:
    """Use a key that the estate names, by ARN or by the ARN of an alias.

    IAM knows no alias as a resource, only as a condition, and that in the key's own account only; in
    another one it is that account's policy of the key which says who may use which.
    """
    region, _, alias = key.partition(":alias/")
    if not alias:
        return allow(actions, [key])
    named = {"ForAnyValue:StringEquals": {"kms:ResourceAliases": f"alias/{alias}"}}
    own = f":{here.account}" in region
    return allow(actions, [f"{region}:key/*"], named if own else None)


def copying_policy(
    here: Place, source: str, target: str, sealed_with: pulumi.Input[str], target_key: str
) -> Document:
    """Copy from one bucket to another (ARNs), opening with one key and sealing with the other."""
    read = (
        "s3:GetObjectLegalHold",
        "s3:GetObjectRetention",
        "s3:GetObjectVersionAcl",
        "s3:GetObjectVersionForReplication",
        "s3:GetObjectVersionTagging",
    )
    write = ("s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags")
    return document(
        allow(("s3:GetReplicationConfiguration", "s3:ListBucket"), [source]),
        allow(read, [f"{source}/*"]),
        allow(write, [f"{target}/*"]),
        allow(("kms:Decrypt",), [sealed_with]),
        use_declared_key(here, target_key, ("kms:Encrypt", "kms:GenerateDataKey")),
    )


def _root_of(role: str) -> str:
    """The account that a role is of, as a principal."""
    return f"{role.rsplit(':', 1)[0]}:root"
