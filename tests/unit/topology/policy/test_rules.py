"""Each rule, with a resource that breaks it and one that keeps it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from relight.topology.policy import RULES, UNKNOWN, Subject, judge
from rig.linked import RECORD, WITNESS, a_linked_estate

POINTS = {"kind": "s3", "bucket": "points-of-north", "region": "eu-north-1", "site": "north", "managed": {}}
COOL = {"kind": "gcs", "bucket": "points-of-east", "location": "europe-west4", "site": "east", "managed": {}}
AFAR = {"kind": "s3", "bucket": "points-of-south", "region": "eu-south-1", "site": "south", "managed": {}}
TRAFFIC = {"kind": "route53", "zone": "example.net.", "records": {"chat": RECORD}}
ESTATE = a_linked_estate(
    stores={"points": POINTS, "cool": COOL, "afar": AFAR, "witness": WITNESS}, traffic=TRAFFIC
)
TAGS = {f"relight:{key}": "x" for key in ("estate", "owner", "class")} | {"relight:site": "north"}
LABELS = {f"relight-{key}": "x" for key in ("estate", "owner", "class")} | {"relight-site": "north"}
EASTERN = LABELS | {"relight-site": "east"}
CLUSTER_LABELS = {f"relight.dev/{key}": "x" for key in ("estate", "owner", "class")} | {
    "relight.dev/site": "north"
}
S3, GCS = "aws:s3/bucket:Bucket", "gcp:storage/bucket:Bucket"
BUCKET = f"{S3}::points"
ANYBODY = json.dumps({"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:*"}]})
SOMEBODY = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::111122223333:root"}}]}
)


def subject(type_: str, name: str = "it", **inputs: Any) -> Subject:
    return Subject(type_, name, inputs)


def around(kind: str, **inputs: Any) -> Subject:
    """Something that says more about the bucket "points"."""
    return Subject(f"aws:s3/{kind[0].lower()}{kind[1:]}:{kind}", kind, inputs, depends_on=(BUCKET,))


def s3(**inputs: Any) -> Subject:
    return Subject(S3, "points", {"bucket": "points-of-north", "tags": TAGS, **inputs}, protect=True)


def gcs(**inputs: Any) -> Subject:
    return Subject(GCS, "cool", {"name": "points-of-east", "labels": EASTERN, **inputs}, protect=True)


def broken(*subjects: Subject, stack: str = "north") -> set[str]:
    return {violation.rule for violation in judge(subjects, ESTATE, stack)}


LOCK = around("BucketObjectLockConfiguration", rule={"defaultRetention": {"mode": "GOVERNANCE", "days": 30}})
VERSIONS = around("BucketVersioning", versioningConfiguration={"status": "Enabled"})
BLOCK = around(
    "BucketPublicAccessBlock",
    blockPublicAcls=True,
    blockPublicPolicy=True,
    ignorePublicAcls=True,
    restrictPublicBuckets=True,
)
POLICY = around(
    "BucketPolicy", policy='{"Statement": {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}}'
)
SEALED = around(
    "BucketServerSideEncryptionConfiguration",
    rules=[{"applyServerSideEncryptionByDefault": {"kmsMasterKeyId": UNKNOWN}}],
)
COMPANY = {
    "store-locked": LOCK,
    "store-versioned": VERSIONS,
    "store-private": BLOCK,
    "store-over-tls": POLICY,
    "store-encrypted": SEALED,
}


def test_a_bucket_in_good_company_keeps_every_rule() -> None:
    assert broken(s3(objectLockEnabled=True), *COMPANY.values()) == set()


@pytest.mark.parametrize("rule", COMPANY)
def test_a_bucket_breaks_the_rule_whose_companion_is_missing(rule: str) -> None:
    company = [each for name, each in COMPANY.items() if name != rule]
    assert broken(s3(objectLockEnabled=True), *company) == {rule}


def test_a_companion_of_another_bucket_is_no_help() -> None:
    stranger = Subject(LOCK.type, "lock", LOCK.inputs, depends_on=(f"{S3}::other",))
    assert broken(s3(objectLockEnabled=True), stranger, VERSIONS, BLOCK, POLICY, SEALED) == {"store-locked"}


def test_the_witness_is_written_over_and_not_locked() -> None:
    witness = Subject(
        S3, "points", {"bucket": "witness-of-rig", "tags": TAGS | {"relight:site": "global"}}, protect=True
    )
    assert broken(witness, VERSIONS, BLOCK, POLICY, SEALED, stack="global") == set()


GOOD_GCS: dict[str, Any] = {
    "location": "EUROPE-WEST4",
    "softDeletePolicy": {"retentionDurationSeconds": 30 * 86_400},
    "versioning": {"enabled": True},
    "publicAccessPrevention": "enforced",
    "uniformBucketLevelAccess": True,
    "encryption": {"defaultKmsKeyName": UNKNOWN},
}


@pytest.mark.parametrize(
    ("missing", "rules"),
    [
        (None, set()),
        ("softDeletePolicy", {"store-locked"}),
        ("versioning", {"store-versioned"}),
        ("publicAccessPrevention", {"store-private"}),
        ("uniformBucketLevelAccess", {"store-private"}),
        ("encryption", {"store-encrypted"}),
    ],
)
def test_a_bucket_of_cloud_storage_says_all_of_it_itself(missing: str | None, rules: set[str]) -> None:
    found = broken(gcs(**{key: value for key, value in GOOD_GCS.items() if key != missing}), stack="east")
    assert found == rules


def test_soft_delete_must_last_as_long_as_the_store_is_to_be_locked() -> None:
    week = {"softDeletePolicy": {"retentionDurationSeconds": 7 * 86_400}}
    assert broken(gcs(**GOOD_GCS | week), stack="east") == {"store-locked"}


def test_a_switch_that_lets_objects_be_locked_locks_none() -> None:
    inputs = {key: value for key, value in GOOD_GCS.items() if key != "softDeletePolicy"}
    assert broken(gcs(**inputs, enableObjectRetention=True), stack="east") == {"store-locked"}


def test_data_in_two_regions_needs_a_key_in_two_regions() -> None:
    def stands(location: str) -> set[str]:
        ring = Subject("gcp:kms/keyRing:KeyRing", "ring", {"location": location}, protect=True)
        inputs = {"rotationPeriod": "7776000s", "labels": EASTERN}
        key = Subject("gcp:kms/cryptoKey:CryptoKey", "key", inputs, protect=True, depends_on=(ring.address,))
        bucket = Subject(
            GCS, "cool", {**gcs(**GOOD_GCS).inputs, "location": "EUR4"}, True, (), (key.address,)
        )
        return broken(ring, key, bucket, stack="east")

    assert stands("europe-west4") == {"key-elsewhere"}
    assert stands("eur4") == set()


def kept(type_: str, **inputs: Any) -> Subject:
    return Subject(type_, "it", inputs, protect=True)


KEY = {"tags": TAGS, "enableKeyRotation": True, "multiRegion": True}
NODES = "aws:eks/nodeGroup:NodeGroup"
LAUNCH = "aws:ec2/launchTemplate:LaunchTemplate"
EKS, GKE = "aws:eks/cluster:Cluster", "gcp:container/cluster:Cluster"
PRIVATE_GKE: dict[str, Any] = {
    "resourceLabels": LABELS,
    "privateClusterConfig": {"enablePrivateEndpoint": True},
}
GROUP = "aws:ec2/securityGroup:SecurityGroup"
SERVICE = "kubernetes:core/v1:Service"
RECORD_SET = "aws:route53/record:Record"
ROUTE = "aws:ec2/route:Route"

CASES: list[tuple[str, Subject, Subject]] = [
    (
        "key-elsewhere",
        kept("aws:kms/key:Key", **KEY | {"multiRegion": False}),
        kept("aws:kms/key:Key", **KEY),
    ),
    (
        "key-turned",
        kept("aws:kms/key:Key", **KEY | {"enableKeyRotation": False}),
        kept("aws:kms/key:Key", **KEY),
    ),
    (
        "key-turned",
        kept("gcp:kms/cryptoKey:CryptoKey", labels=LABELS),
        kept("gcp:kms/cryptoKey:CryptoKey", labels=LABELS, rotationPeriod="7776000s"),
    ),
    (
        "store-encrypted",
        kept("aws:fsx/lustreFileSystem:LustreFileSystem", tags=TAGS),
        kept("aws:fsx/lustreFileSystem:LustreFileSystem", tags=TAGS, kmsKeyId=UNKNOWN),
    ),
    (
        "store-encrypted",
        kept("gcp:filestore/instance:Instance", labels=LABELS),
        kept("gcp:filestore/instance:Instance", labels=LABELS, kmsKeyName=UNKNOWN),
    ),
    (
        "store-encrypted",
        subject(
            LAUNCH, tags=TAGS, blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 500}}]
        ),
        subject(
            LAUNCH, tags=TAGS, blockDeviceMappings=[{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true"}}]
        ),
    ),
    ("labelled", subject("aws:ec2/vpc:Vpc"), subject("aws:ec2/vpc:Vpc", tags=TAGS)),
    (
        "labelled",
        subject("aws:ec2/vpc:Vpc", tags=TAGS | {"relight:site": "south"}),
        subject("aws:ec2/vpc:Vpc", tags=UNKNOWN),
    ),
    (
        "labelled",
        subject("aws:autoscaling/group:Group", tags=[{"key": "relight:estate", "value": "x"}]),
        subject(
            "aws:autoscaling/group:Group", tags=[{"key": key, "value": value} for key, value in TAGS.items()]
        ),
    ),
    (
        "labelled",
        subject("gcp:compute/address:Address", labels={"relight-estate": "x"}),
        subject("gcp:compute/address:Address", labels=LABELS),
    ),
    (
        "labelled",
        subject("kubernetes:core/v1:Namespace", metadata={"name": "relight"}),
        subject("kubernetes:core/v1:Namespace", metadata={"labels": CLUSTER_LABELS}),
    ),
    (
        "no-way-in",
        subject(GROUP, tags=TAGS, ingress=[{"cidrBlocks": ["0.0.0.0/0"]}]),
        subject(
            GROUP, tags=TAGS, ingress=[{"cidrBlocks": ["10.0.0.0/8"]}], egress=[{"cidrBlocks": ["0.0.0.0/0"]}]
        ),
    ),
    (
        "no-way-in",
        subject("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", tags=TAGS, cidrIpv6="::/0"),
        subject(
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", tags=TAGS, cidrIpv4="10.0.0.0/8"
        ),
    ),
    (
        "no-way-in",
        subject("gcp:compute/firewall:Firewall", allows=[{"protocol": "tcp"}], sourceRanges=["0.0.0.0/0"]),
        subject("gcp:compute/firewall:Firewall", denies=[{"protocol": "all"}], sourceRanges=["0.0.0.0/0"]),
    ),
    (
        "no-way-in",
        subject(
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            metadata={"labels": CLUSTER_LABELS},
            spec={"ingress": [{"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}]},
        ),
        subject(
            "kubernetes:networking.k8s.io/v1:NetworkPolicy",
            metadata={"labels": CLUSTER_LABELS},
            spec={"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}]},
        ),
    ),
    (
        "no-public-address",
        subject("aws:ec2/subnet:Subnet", tags=TAGS, mapPublicIpOnLaunch=True),
        subject("aws:ec2/subnet:Subnet", tags=TAGS),
    ),
    (
        "no-public-address",
        subject(LAUNCH, tags=TAGS, networkInterfaces=[{"associatePublicIpAddress": "true"}]),
        subject(LAUNCH, tags=TAGS, networkInterfaces=[{"associatePublicIpAddress": "false"}]),
    ),
    (
        "no-public-address",
        subject(
            "gcp:compute/instanceTemplate:InstanceTemplate",
            labels=LABELS,
            networkInterfaces=[{"accessConfigs": [{"a": 1}]}],
        ),
        subject(
            "gcp:compute/instanceTemplate:InstanceTemplate",
            labels=LABELS,
            networkInterfaces=[{"network": "n"}],
        ),
    ),
    (
        "no-public-endpoint",
        subject(EKS, tags=TAGS, vpcConfig={"endpointPrivateAccess": True}),
        subject(EKS, tags=TAGS, vpcConfig={"endpointPublicAccess": False}),
    ),
    ("no-public-endpoint", subject(GKE, resourceLabels=LABELS), subject(GKE, **PRIVATE_GKE)),
    (
        "no-public-endpoint",
        subject("aws:lb/loadBalancer:LoadBalancer", tags=TAGS),
        subject("aws:lb/loadBalancer:LoadBalancer", tags=TAGS, internal=True),
    ),
    (
        "no-public-endpoint",
        subject(SERVICE, metadata={"labels": CLUSTER_LABELS}, spec={"type": "LoadBalancer"}),
        subject(SERVICE, metadata={"labels": CLUSTER_LABELS}, spec={"type": "ClusterIP"}),
    ),
    (
        "no-unknown-principal",
        subject("aws:s3/bucketPolicy:BucketPolicy", policy=ANYBODY),
        subject("aws:s3/bucketPolicy:BucketPolicy", policy=SOMEBODY),
    ),
    (
        "no-unknown-principal",
        subject("gcp:storage/bucketIAMMember:BucketIAMMember", member="allUsers"),
        subject("gcp:storage/bucketIAMMember:BucketIAMMember", member="user:ada@example.net"),
    ),
    ("stands-alone", subject("pulumi:pulumi:StackReference", "o/p/south"), subject(ROUTE)),
    ("stands-alone", subject(ROUTE, region="eu-south-1"), subject(ROUTE, region="eu-north-1")),
    (
        "stands-alone",
        subject(ROUTE, arn="arn:aws:ec2:eu-south-1:111122223333:x"),
        subject(ROUTE, arn="arn:aws:ec2:eu-north-1:1:x"),
    ),
    (
        "stands-alone",
        subject(
            "aws:fsx/dataRepositoryAssociation:DataRepositoryAssociation",
            tags=TAGS,
            dataRepositoryPath="s3://points-of-south/a",
        ),
        subject(
            "aws:s3/bucketReplicationConfig:BucketReplicationConfig", rules=["arn:aws:s3:::points-of-south"]
        ),
    ),
    ("no-one-region", subject(RECORD_SET, "a.example.net"), subject(ROUTE)),
    (
        "protected",
        subject("gcp:dns/managedZone:ManagedZone", labels=LABELS),
        kept("gcp:dns/managedZone:ManagedZone", labels=LABELS),
    ),
    (
        "protected",
        kept("gcp:dns/managedZone:ManagedZone", labels=LABELS, forceDestroy=True),
        kept("gcp:dns/managedZone:ManagedZone", labels=LABELS, forceDestroy=False),
    ),
    (
        "no-ignored-sizes",
        Subject(NODES, "train-spot", {"tags": TAGS}, ignored=("scaling_config",)),
        Subject(NODES, "train-spot", {"tags": TAGS}, ignored=("description",)),
    ),
]


@pytest.mark.parametrize(("rule", "bad", "good"), CASES, ids=[f"{rule}-{bad.type}" for rule, bad, _ in CASES])
def test_a_rule_catches_what_breaks_it_and_nothing_else(rule: str, bad: Subject, good: Subject) -> None:
    assert broken(bad) == {rule}
    assert broken(good) == set()


@pytest.mark.parametrize(("ttl", "rules"), [(60, set()), (900, {"ttl-within-rto"}), (UNKNOWN, set())])
def test_detection_and_ttl_together_stay_within_the_objective(ttl: Any, rules: set[str]) -> None:
    assert (
        broken(Subject(RECORD_SET, "chat", {"name": "chat.example.net", "ttl": ttl}), stack="global") == rules
    )


def test_the_global_stack_may_hold_what_hangs_on_one_region() -> None:
    zone = kept("aws:route53/zone:Zone", tags=TAGS | {"relight:site": "global"})
    assert broken(zone, stack="global") == set()
    assert broken(zone, stack="bridge") == {"no-one-region", "labelled"}


def test_what_nobody_knows_yet_breaks_no_rule() -> None:
    hidden = dict.fromkeys(
        ("tags", "vpcConfig", "ingress", "policy", "internal", "labels", "metadata"), UNKNOWN
    )
    for type_ in (EKS, GROUP, LAUNCH, "aws:lb/loadBalancer:LoadBalancer", "aws:s3/bucketPolicy:BucketPolicy"):
        assert broken(Subject(type_, "it", hidden)) == set()


def test_what_is_adopted_is_its_owners_affair() -> None:
    assert broken(Subject("aws:ec2/vpc:Vpc", "theirs", {}, adopted=True)) == set()


def test_a_violation_says_where_what_and_how_to_mend_it() -> None:
    (violation,) = judge(
        (subject("aws:ec2/subnet:Subnet", tags=TAGS, mapPublicIpOnLaunch=True),), ESTATE, "north"
    )
    assert str(violation) == (
        "aws:ec2/subnet:Subnet::it: machines get public addresses by default "
        "(write map_public_ip_on_launch=False) [no-public-address]"
    )


def test_every_rule_has_a_case_that_breaks_it() -> None:
    shown = {rule for rule, _, _ in CASES} | set(COMPANY) | {"ttl-within-rto"}
    assert {rule.name for rule in RULES} == shown
