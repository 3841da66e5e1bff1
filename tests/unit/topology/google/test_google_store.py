"""Buckets of Google Cloud: in two regions with the key in both, versioned, and held against deletion."""

from __future__ import annotations

from typing import Any

import pytest

from relight.errors import UsageError
from relight.topology.frame import Frame
from relight.topology.google import BucketArgs, VaultBucket
from relight.topology.google.locations import locate
from relight.topology.graph import Graph, Resource, run_under_mocks
from relight.topology.policy import violations
from rig.google_sites import PROJECT, a_google_estate, graph_of

BUCKET = "gcp:storage/bucket:Bucket"
DAY = 86_400


def bucket_of(**vault: Any) -> Resource:
    return graph_of(a_google_estate(vault=vault)).one(BUCKET)


def global_graph(**witness: Any) -> Graph:
    estate = a_google_estate()
    stores = estate.model_dump(mode="json", by_alias=True)["stores"]
    stores["witness"] = {"kind": "gcs", "bucket": "acme-witness", "location": "eur4", "managed": {}} | witness
    outside = {
        "kind": "gcp",
        "project": PROJECT,
        "region": "europe-west4",
        "credentials": {"environment": True},
    }
    stacks = {"backend": "gs://acme-state", "owner": "ops", "outside": outside}
    whole = a_google_estate(stores=stores, stacks=stacks)
    args = BucketArgs(Frame(whole, "global"), "witness")
    return run_under_mocks(lambda: VaultBucket("witness", args), stack="global")


@pytest.mark.parametrize(
    ("declared", "name", "key", "regions", "dual"),
    [
        ("us-central1", "US-CENTRAL1", "us-central1", (), False),
        ("US", "US", "us", (), False),
        ("EU", "EU", "europe", (), False),
        ("nam4", "NAM4", "nam4", (), True),
        ("EUR4", "EUR4", "eur4", (), True),
        ("us-central1+us-east1", "US", "us", ("US-CENTRAL1", "US-EAST1"), True),
        ("europe-west1+europe-north1", "EU", "europe", ("EUROPE-WEST1", "EUROPE-NORTH1"), True),
        ("europe-west3+europe-west10", "DE", "de", ("EUROPE-WEST3", "EUROPE-WEST10"), True),
        ("asia-east1+asia-southeast1", "ASIA", "asia", ("ASIA-EAST1", "ASIA-SOUTHEAST1"), True),
    ],
)
def test_a_key_stands_where_its_bucket_stands(
    declared: str, name: str, key: str, regions: tuple[str, ...], dual: bool
) -> None:
    location = locate(declared)
    assert (location.name, location.key, location.regions, location.is_dual) == (name, key, regions, dual)


@pytest.mark.parametrize(
    "declared", ["us-central1+europe-west1", "us-central1+us-central1", "us-east1+us-east4+us-west1", "a+b"]
)
def test_regions_that_cannot_be_paired_are_refused_before_anything_is_made(declared: str) -> None:
    with pytest.raises(UsageError, match="keeps no bucket"):
        bucket_of(location=declared)


def test_a_vault_in_two_regions_is_copied_within_minutes_and_its_key_stands_in_both() -> None:
    graph = graph_of(a_google_estate())
    bucket = graph.one(BUCKET).inputs
    assert bucket["location"] == "US"
    assert bucket["customPlacementConfig"] == {"dataLocations": ["US-CENTRAL1", "US-EAST1"]}
    assert bucket["rpo"] == "ASYNC_TURBO"
    assert bucket["encryption"] == {"defaultKmsKeyName": "south-key-id"}
    assert graph.one("gcp:kms/keyRing:KeyRing", "south-key").inputs["location"] == "us"


def test_turbo_is_left_out_where_nothing_is_promised_and_where_there_is_one_region() -> None:
    assert bucket_of(managed={"within_minutes": None}).inputs["rpo"] == "DEFAULT"
    assert "rpo" not in bucket_of(location="us-east1").inputs


def test_a_vault_is_private_versioned_and_kept_for_as_long_as_it_is_locked() -> None:
    bucket = bucket_of(managed={"lock_days": 45, "keep_old_versions_days": 60})
    inputs = bucket.inputs
    assert inputs["publicAccessPrevention"] == "enforced"
    assert inputs["uniformBucketLevelAccess"]
    assert inputs["versioning"] == {"enabled": True}
    assert inputs["softDeletePolicy"] == {"retentionDurationSeconds": 45 * DAY}
    assert bucket.protect
    assert bucket.options["retain_on_delete"]
    delete = inputs["lifecycleRules"][0]
    assert delete["condition"]["daysSinceNoncurrentTime"] == 60
    assert delete["action"] == {"type": "Delete"}


def test_no_retention_policy_freezes_the_heads_of_a_vault() -> None:
    assert "retentionPolicy" not in bucket_of().inputs


@pytest.mark.parametrize(
    ("managed", "why"),
    [
        ({"lock": "compliance"}, "compliance"),
        ({"lock_days": 120, "keep_old_versions_days": 120}, "90 at most"),
        ({"replicate_to": "north"}, "does not copy"),
    ],
)
def test_what_cloud_storage_cannot_hold_is_refused_and_not_half_done(
    managed: dict[str, Any], why: str
) -> None:
    with pytest.raises(UsageError, match=why):
        bucket_of(managed=managed)


def test_the_shortest_lock_is_a_week() -> None:
    assert bucket_of(managed={"lock_days": 1}).inputs["softDeletePolicy"] == {
        "retentionDurationSeconds": 7 * DAY
    }


def test_old_objects_get_cold_where_it_is_asked_for() -> None:
    rules = bucket_of(managed={"cool_after_days": 90}).inputs["lifecycleRules"]
    assert rules[-1]["action"] == {"type": "SetStorageClass", "storageClass": "NEARLINE"}
    assert len(bucket_of().inputs["lifecycleRules"]) == 2


def test_a_key_of_ones_own_is_used_and_none_made() -> None:
    own = "projects/keys/locations/us/keyRings/acme/cryptoKeys/vault"
    graph = graph_of(a_google_estate(vault={"managed": {"key": own}}))
    assert graph.one(BUCKET).inputs["encryption"] == {"defaultKmsKeyName": own}
    assert [ring.name for ring in graph.of("gcp:kms/keyRing:KeyRing")] == ["key"]


def test_workloads_and_runbooks_of_the_site_write_to_its_vault_and_nobody_else() -> None:
    members = {
        member.inputs["member"]
        for member in graph_of(a_google_estate()).of("gcp:storage/bucketIAMMember:BucketIAMMember")
    }
    assert members == {
        f"serviceAccount:rig-south-{who}@{PROJECT}.iam.gserviceaccount.com" for who in ("work", "runner")
    }


def test_the_witness_can_be_written_over_even_where_locks_are_asked_for() -> None:
    bucket = global_graph(managed={"lock": "compliance", "cool_after_days": 30}).one(BUCKET).inputs
    assert bucket["versioning"] == {"enabled": True}
    assert "retentionPolicy" not in bucket
    assert bucket["softDeletePolicy"] == {"retentionDurationSeconds": 7 * DAY}
    assert {rule["action"]["type"] for rule in bucket["lifecycleRules"]} == {
        "Delete",
        "AbortIncompleteMultipartUpload",
    }


def test_a_store_that_no_stack_of_google_cloud_makes_is_refused() -> None:
    estate = a_google_estate()
    for store in ("north", "nothing"):
        with pytest.raises(UsageError, match="no managed store"):
            VaultBucket("x", BucketArgs(Frame(estate, "south"), store))


def test_a_bucket_keeps_the_policy_also_in_one_region() -> None:
    estate = a_google_estate(vault={"location": "us-east1"})
    assert violations(graph_of(estate), estate, "south") == ()
