"""Buckets: versioned, locked, sealed, private, over TLS only, and copied to where the estate says."""

from __future__ import annotations

import json
from typing import Any

import pulumi
import pytest

from relight.errors import UsageError
from relight.estate import Estate
from relight.topology.aws import BucketArgs, VaultBucket, provider
from relight.topology.aws.places import stack_account
from relight.topology.frame import Frame
from relight.topology.graph import Graph, run_under_mocks
from rig.aws_sites import ACCOUNT, REGIONS, a_store, an_aws_estate, declare

COPIES = "aws:s3/bucketReplicationConfig:BucketReplicationConfig"
FOREIGN = "444455556666"


def stores(**changes: Any) -> dict[str, Any]:
    declared: dict[str, Any] = an_aws_estate().model_dump(mode="json")["stores"]
    return declared | changes


def a_bucket(estate: Estate, store: str, stack: str) -> Graph:
    def program() -> None:
        frame = Frame(estate, stack)
        cloud = provider(frame, stack_account(frame))
        made = VaultBucket(store, BucketArgs(frame, store), pulumi.ResourceOptions(providers=[cloud]))
        pulumi.export("bucket", made.bucket)

    return run_under_mocks(program, stack=stack)


@pytest.fixture(scope="module")
def west() -> Graph:
    return declare(an_aws_estate(), "west")


def policy(graph: Graph, type_: str, name: str = "") -> dict[str, Any]:
    said: dict[str, Any] = json.loads(graph.one(type_, name).inputs["policy"])
    return said


def test_a_bucket_is_versioned_locked_sealed_and_private(west: Graph) -> None:
    assert west.one("aws:s3/bucket:Bucket").inputs["objectLockEnabled"] is True
    versioning = west.one("aws:s3/bucketVersioning:BucketVersioning").inputs
    assert versioning["versioningConfiguration"] == {"status": "Enabled"}
    lock = west.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs
    assert lock["rule"] == {"defaultRetention": {"mode": "GOVERNANCE", "days": 30}}
    (sealed,) = west.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    ).inputs["rules"]
    assert sealed["bucketKeyEnabled"] is True
    assert sealed["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
    assert sealed["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"].startswith("arn:aws:kms:us-west-2")
    block = west.one("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock").inputs
    assert [block[key] for key in block if key != "bucket"] == [True] * 4
    owner = west.one("aws:s3/bucketOwnershipControls:BucketOwnershipControls").inputs
    assert owner["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


@pytest.mark.parametrize(("lock", "days"), [("governance", 1), ("compliance", 365)])
def test_the_lock_is_as_declared(lock: str, days: int) -> None:
    changed = a_store("west", lock=lock, lock_days=days, keep_old_versions_days=days)
    graph = declare(an_aws_estate(stores=stores(west=changed)), "west")
    said = graph.one("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration").inputs["rule"]
    assert said == {"defaultRetention": {"mode": lock.upper(), "days": days}}


def test_nobody_gets_in_without_tls(west: Graph) -> None:
    said = policy(west, "aws:s3/bucketPolicy:BucketPolicy")["Statement"]
    assert [statement["Effect"] for statement in said] == ["Deny", "Deny"]
    assert {json.dumps(statement["Condition"]) for statement in said} == {
        '{"Bool": {"aws:SecureTransport": "false"}}',
        '{"NumericLessThan": {"s3:TlsVersion": "1.2"}}',
    }
    assert all(s["Resource"] == ["arn:aws:s3:::points-west", "arn:aws:s3:::points-west/*"] for s in said)


def test_what_is_left_over_goes_away_and_what_is_old_cools() -> None:
    changed = a_store("west", cool_after_days=60, keep_old_versions_days=45)
    graph = declare(an_aws_estate(stores=stores(west=changed)), "west")
    tidy, cool = graph.one("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration").inputs["rules"]
    assert tidy["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert tidy["noncurrentVersionExpiration"] == {"noncurrentDays": 45}
    assert "days" not in tidy["expiration"]  # what is current never expires
    assert cool["transitions"] == [{"days": 60, "storageClass": "GLACIER_IR"}]


def test_a_bucket_copies_to_the_declared_one_within_15_minutes_and_is_sealed_there_anew(west: Graph) -> None:
    said = west.one(COPIES).inputs
    (rule,) = said["rules"]
    assert rule["destination"] == {
        "bucket": "arn:aws:s3:::points-east",
        "encryptionConfiguration": {
            "replicaKmsKeyId": f"arn:aws:kms:us-east-1:{ACCOUNT}:alias/rig-east-data"
        },
        "replicationTime": {"status": "Enabled", "time": {"minutes": 15}},
        "metrics": {"status": "Enabled", "eventThreshold": {"minutes": 15}},
    }
    assert rule["deleteMarkerReplication"] == {"status": "Enabled"}
    assert rule["sourceSelectionCriteria"]["sseKmsEncryptedObjects"] == {"status": "Enabled"}
    assert "aws:s3/bucketVersioning:BucketVersioning::west-versioning" in west.one(COPIES).depends_on


def test_the_alias_that_others_name_is_the_one_that_the_site_makes() -> None:
    east = declare(an_aws_estate(), "east")
    assert east.one("aws:kms/alias:Alias").inputs["name"] == "alias/rig-east-data"


def test_changes_to_copies_are_copied_back_only_where_both_copy(west: Graph) -> None:
    (both,) = west.one(COPIES).inputs["rules"]
    assert both["sourceSelectionCriteria"]["replicaModifications"] == {"status": "Enabled"}
    one_way = declare(an_aws_estate(stores=stores(east=a_store("east"))), "west")
    (one,) = one_way.one(COPIES).inputs["rules"]
    assert "replicaModifications" not in one["sourceSelectionCriteria"]


def test_without_a_promise_there_is_no_time_control() -> None:
    graph = declare(an_aws_estate(stores=stores(west=a_store("west", "east", within_minutes=None))), "west")
    (rule,) = graph.one(COPIES).inputs["rules"]
    assert "replicationTime" not in rule["destination"]
    assert "metrics" not in rule["destination"]


def test_a_prefix_is_copied_alone() -> None:
    changed = {name: a_store(name, "west") | {"prefix": "team/vault"} for name in ("east", "west")}
    changed["west"] |= {"managed": {}}
    graph = declare(an_aws_estate(stores=stores(**changed)), "east")
    (rule,) = graph.one(COPIES).inputs["rules"]
    assert rule["filter"] == {"prefix": "team/vault/"}


def test_the_copying_role_reads_here_writes_there_and_nothing_else(west: Graph) -> None:
    statements = policy(west, "aws:iam/rolePolicy:RolePolicy", "west-copies")["Statement"]
    touched = {resource for statement in statements for resource in statement["Resource"]}
    assert touched == {
        "arn:aws:s3:::points-west",
        "arn:aws:s3:::points-west/*",
        "arn:aws:s3:::points-east/*",
        west.one(
            "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
        ).inputs["rules"][0]["applyServerSideEncryptionByDefault"]["kmsMasterKeyId"],
        f"arn:aws:kms:us-east-1:{ACCOUNT}:key/*",
    }
    (seal,) = [each for each in statements if "kms:Encrypt" in each["Action"]]
    assert seal["Condition"] == {"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/rig-east-data"}}


def test_copies_from_another_account_are_let_in_by_the_name_of_their_role() -> None:
    estate = an_aws_estate(east={"account": FOREIGN})
    graph = declare(estate, "west")
    role = f"arn:aws:iam::{FOREIGN}:role/rig-east-east-copies"
    for said in (policy(graph, "aws:s3/bucketPolicy:BucketPolicy"), policy(graph, "aws:kms/key:Key")):
        (copies,) = [statement for statement in said["Statement"] if statement["Sid"] == "Copies"]
        assert copies["Principal"] == {"AWS": [f"arn:aws:iam::{FOREIGN}:root"]}
        assert copies["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [role]}}
    there = declare(estate, "east")
    assert there.one("aws:iam/role:Role", "east-copies").inputs["name"] == role.rpartition("/")[2]
    statements = policy(there, "aws:iam/rolePolicy:RolePolicy", "east-copies")["Statement"]
    (seal,) = [each for each in statements if "kms:Encrypt" in each["Action"]]
    assert "Condition" not in seal  # an alias tells nothing of another account's keys; their policy does


def test_the_witness_keeps_versions_and_locks_none_by_default() -> None:
    graph = a_bucket(an_aws_estate(), "witness", "global")
    assert graph.one("aws:s3/bucket:Bucket").inputs["objectLockEnabled"] is True
    assert graph.of("aws:s3/bucketVersioning:BucketVersioning")
    assert not graph.of("aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration")
    assert graph.one("aws:kms/alias:Alias").inputs["name"] == "alias/rig-global-witness"
    assert graph.one("pulumi:providers:aws").inputs["region"] == "eu-north-1"


def test_a_declared_key_is_used_and_none_is_made() -> None:
    key = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/theirs"
    graph = a_bucket(an_aws_estate(stores=stores(west=a_store("west", key=key))), "west", "west")
    assert not graph.of("aws:kms/key:Key")
    sealed = graph.one(
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    )
    assert key in json.dumps(sealed.inputs["rules"])


NO_BUCKETS: dict[str, tuple[dict[str, Any], str]] = {
    "an endpoint that is not Amazon's": (
        a_store("west") | {"endpoint": "https://127.0.0.1"},
        "no bucket that a stack",
    ),
    "a bucket that is there": (a_store("west") | {"managed": None}, "no bucket that a stack makes"),
    "another region": (a_store("west") | {"region": REGIONS["east"]}, "write region: us-west-2"),
    "copies to Google": (a_store("west", "google"), "no bucket of Amazon S3"),
    "copies to another prefix": (a_store("west", "east") | {"prefix": "vault"}, "differ in prefix"),
}


@pytest.mark.parametrize("case", NO_BUCKETS)
def test_a_store_that_s3_cannot_be_is_refused(case: str) -> None:
    store, reason = NO_BUCKETS[case]
    google = {"kind": "gcs", "bucket": "points-google"}
    with pytest.raises(UsageError, match=reason):
        a_bucket(an_aws_estate(stores=stores(west=store, google=google)), "west", "west")


def test_the_global_stack_outside_of_aws_makes_no_bucket_there() -> None:
    estate = an_aws_estate(stacks={"backend": "s3://elsewhere", "owner": "oncall"})
    with pytest.raises(UsageError, match="does not stand in AWS"):
        a_bucket(estate, "witness", "global")
