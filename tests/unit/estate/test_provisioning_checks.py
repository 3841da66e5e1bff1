"""What no provider checks before the cloud does is told by `relight check`, each with one clear sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight.errors import InvalidFile
from relight.estate import Check, check_estate, check_provisioning, load_estate
from rig.files import EXAMPLES

TEXTS = {path.stem: path.read_text(encoding="utf-8") for path in EXAMPLES}


def checks_of(folder: Path, example: str, *changes: tuple[str, str]) -> tuple[Check, ...]:
    text = TEXTS[example]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "estate.yaml"
    path.write_text(text, encoding="utf-8")
    return check_estate(load_estate(path))


CASES = [
    # placement
    ("active-passive", "region: us-east-2", "region: us-east-3", "no-such-region", 'no region "us-east-3"'),
    (
        "pilot-light",
        "region: us-central1",
        "region: us-central9",
        "no-such-region",
        "Google Cloud has no region",
    ),
    ("cloud-burst", "region: ca-central-1", "region: ca-center-1", "no-such-region", '"ca-center-1"'),
    (
        "active-passive",
        "[us-east-2a, us-east-2b]",
        "[us-east-2a, us-east-1b]",
        "no-such-zone",
        '"us-east-1b"',
    ),
    ("active-passive", "[us-east-2a, us-east-2b]", "[us-east-2a, us-east-2a]", "zone-twice", "already"),
    (
        "active-passive",
        "s3://example-pulumi-state?",
        "s3://example-ap-points-ohio?",
        "dead-site-state",
        "dies with",
    ),
    ("active-passive", "state?region=eu-north-1", "state?region=us-east-2", "dead-site-state", "us-east-2"),
    ("active-passive", "  owner: ml", "  site: ohio\n  owner: ml", "dead-site-state", 'dies with "ohio"'),
    (
        "active-passive",
        "s3://example-pulumi-state?region=eu-north-1",
        "file:///srv/state",
        "state-on-one-machine",
        "one",
    ),
    ("clusters", "  passphrase: env:PULUMI_PASSPHRASE\n", "", "open-state", "sealed"),
    (
        "active-passive",
        "    region: eu-north-1\n    cred",
        "    region: us-west-2\n    cred",
        "dead-site-outside",
        "oregon",
    ),
    ("active-passive", "kind: route53", "kind: cloud-dns", "traffic-elsewhere", "aws"),
    ("active-passive", "  backbone: ", "  ohio: ", "name-of-a-stack", '"ohio"'),
    ("active-passive", "  backbone: ", "  global: ", "name-of-a-stack", '"global"'),
    # networks
    (
        "active-passive",
        "cidr: 10.17.0.0/16",
        "cidr: 10.16.128.0/17",
        "networks-overlap",
        "overlaps 10.16.0.0/16",
    ),
    ("active-passive", "cidr: 10.17.0.0/16", "cidr: 10.17.0.0/24", "network-of-wrong-size", "/16 to /20"),
    (
        "pilot-light",
        "control_plane: 10.32.32.0/28",
        "control_plane: 10.32.32.0/27",
        "network-of-wrong-size",
        "/28",
    ),
    ("active-passive", "asn: 64513", "asn: 64512", "one-asn-for-two", "AS 64512"),
    ("active-passive", "asn: 64513", "asn: 701", "public-asn", "AS 701"),
    ("active-passive", "between: [ohio, oregon]", "between: [ohio, ohio]", "link-to-itself", "itself"),
    ("active-passive", "replication: 4Gbit/s", "replication: 10Gbit/s", "nothing-left", "starve"),
    ("cloud-burst", "    preshared_key: env:HALL_IOWA_KEY\n", "", "no-preshared-key", "key"),
    ("cloud-burst", "    networks: [10.1.0.0/16]\n", "", "no-way-in", "no networks"),
    # capacity
    (
        "active-passive",
        "machine: p5.48xlarge",
        "machine: p5.48xlagre",
        "no-such-machine",
        "no GPU machine type",
    ),
    (
        "active-passive",
        "machine: p5.48xlarge",
        "machine: a3-highgpu-8g",
        "machine-of-another-cloud",
        "kind aws",
    ),
    (
        "active-passive",
        "machine: p5.48xlarge",
        "machine: p5.48xlarge\n        gpus_per_node: 4",
        "other-gpus",
        "8 GPUs",
    ),
    (
        "active-passive",
        "nodes: 10\n        rungs",
        "nodes: 11\n        rungs",
        "pool-larger-than-its-rungs",
        "reservation 10",
    ),
    (
        "active-active",
        "nodes: 9, ready_in",
        "nodes: 8, ready_in",
        "pool-larger-than-its-rungs",
        "(6 x n/(n-1))",
    ),
    (
        "active-passive",
        "kind: reservation, id: cr-0a1b2c3d4e5f70718, nodes: 10, ready_in: 15m,",
        "kind: on-demand, nodes: 10,",
        "capacity-unknown",
        "of the rest nobody knows",
    ),
    (
        "pilot-light",
        "kind: reservation, id: train-h100, nodes: 10, ready_in: 20m,",
        "kind: spot, nodes: 10,",
        "capacity-unknown",
        "within 2h",
    ),
    (
        "active-passive",
        "kind: reservation, id: cr-0a1b2c3d4e5f60718, nodes: 10, ready_in: 15m,",
        "kind: flex-start, nodes: 10,",
        "no-such-rung",
        "no flex-start",
    ),
    (
        "cloud-burst",
        "{kind: spot, nodes: 10, usd_per_node_hour: 27.10}",
        "{kind: on-demand, nodes: 10}",
        "rung-twice",
        "already",
    ),
    (
        "active-passive",
        "machine: p5.48xlarge",
        "machine: p5.48xlarge\n        zone: us-east-2c",
        "zone-elsewhere",
        "us-east-2c",
    ),
    (
        "active-passive",
        "machine: p5.48xlarge",
        "machine: p5.48xlarge\n        form: instances",
        "no-image",
        "image",
    ),
    (
        "active-passive",
        "machine: p5.48xlarge",
        "machine: p5.48xlarge\n        warm: 2",
        "no-warm-pool",
        "kept warm",
    ),
    ("active-passive", "    pool: train", "    pool: trian", "no-such-pool", '"trian"'),
    ("clusters", "gpus_each: 4", "gpus_each: 5", "part-of-a-replica", "replicas of 5"),
    # delivery
    ("active-passive", "name: chat.example.net.", "name: chat.example.org.", "outside-zone", "example.org"),
    ("active-passive", "policy: failover", "policy: failover\n      ttl: 1h", "ttl-longer-than-rto", "15m"),
    ("pilot-light", "policy: failover", "policy: latency", "no-latency", '"iowa"'),
    ("active-active", "policy: weighted", "policy: failover", "one-of-many", "one of them"),
    ("active-passive", "        oregon: chat.oregon.example.net\n", "", "no-target", '"oregon"'),
    (
        "active-passive",
        "region: us-east-2\n    site",
        "region: us-east-1\n    site",
        "store-in-another-region",
        "us-east-2",
    ),
    (
        "active-passive",
        "replicate_to: points-oregon",
        "replicate_to: points-ohio",
        "no-replication",
        "points-ohio",
    ),
    (
        "active-passive",
        "lock_days: 14, replicate_to: points-oregon",
        "lock_days: 20, replicate_to: points-oregon",
        "copy-locked-shorter",
        "14 days",
    ),
    # what only some clouds can
    (
        "pilot-light",
        "iowa: 198.51.100.10",
        "iowa: chat.iowa.example.net",
        "host-as-target",
        "beside addresses",
    ),
    ("active-passive", "name: chat.example.net.", "name: example.net.", "host-as-target", "top of its zone"),
    ("pilot-light", "iowa: 198.51.100.10", "iowa: 10.32.0.10", "private-target", "10.32.0.10"),
    (
        "active-passive",
        "policy: failover",
        "policy: failover\n      health: {interval_seconds: 30, failures: 10}\n      ttl: 14m",
        "detection-longer-than-rto",
        "5m",
    ),
    (
        "pilot-light",
        "points-iowa\n    location: us-central1+us-east1\n    site: iowa\n    managed: {lock_days: 14}",
        "points-iowa\n    site: iowa\n    managed: {lock_days: 14, lock: compliance}",
        "no-compliance-lock",
        "seal",
    ),
    (
        "pilot-light",
        "site: iowa\n    managed: {lock_days: 14}",
        "site: iowa\n    managed: {lock_days: 3}",
        "lock-of-wrong-length",
        "7 to 90",
    ),
    ("active-passive", "id: cr-0a1b2c3d4e5f60718", "id: train", "no-such-reservation", '"cr-'),
    ("cloud-burst", "image: ami-0123456789abcdef0", "image: my-image", "no-image", "ami-"),
    ("pilot-light", "bandwidth: 4Gbit/s", "bandwidth: 40Gbit/s", "too-wide-for-tunnels", "30 Gbit/s"),
    (
        "cloud-burst",
        "second_address: 203.0.113.8",
        "second_address: 203.0.113.7",
        "one-router-twice",
        "first",
    ),
    (
        "cloud-burst",
        "    gateway: {address: 203.0.113.7, second_address: 203.0.113.8, asn: 65010}\n",
        "",
        "no-way-in",
        "BMCs",
    ),
    (
        "cloud-burst",
        "image_bucket: example-cb-hall-images",
        "image_bucket: example-cb-witness",
        "bucket-twice",
        "already",
    ),
    (
        "clusters",
        "gpus_each: 8\n      secrets",
        "gpus_each: 16\n      secrets",
        "replica-larger-than-a-node",
        "16 GPUs",
    ),
    # topology
    (
        "active-active",
        "sites: [ireland, ohio, oregon]",
        "sites: [ireland, ohio, ohio]",
        "site-twice",
        '"ohio"',
    ),
    ("active-active", "weights: {ireland: 100", "weights: {ireland: 0, hall: 3", "dangling-name", '"hall"'),
    ("active-active", "gpus: 24", "gpus: 36", "no-headroom", "needs 84"),
    ("cloud-burst", "ladder: [ohio, oregon, iowa]", "ladder: [ohio, hall]", "site-twice", '"hall"'),
]


@pytest.mark.parametrize(
    ("example", "old", "new", "code", "said"), CASES, ids=[f"{case[3]}-{i}" for i, case in enumerate(CASES)]
)
def test_a_mistake_is_told_with_its_code_and_a_remedy(
    tmp_path: Path, example: str, old: str, new: str, code: str, said: str
) -> None:
    found = [check for check in checks_of(tmp_path, example, (old, new)) if check.code == code]
    assert found, [check.code for check in checks_of(tmp_path, example, (old, new))]
    assert said in f"{found[0].message} {found[0].remedy}"
    assert found[0].remedy


@pytest.mark.parametrize(
    ("example", "old", "new", "said"),
    [
        ("active-passive", "    credentials: {profile: dr}\n    agent", "    agent", 'needs "credentials"'),
        ("active-passive", "{profile: dr}\n    agent", "{}\n    agent", "names nobody"),
        (
            "pilot-light",
            "{impersonate: relight@example-training.iam.gserviceaccount.com}",
            "{}",
            "names nobody",
        ),
        ("clusters", '{kubeconfig: "file:kubeconfig-north", context: north}', "{}", "names no cluster"),
        ("active-passive", "gib: 4800", "gib: 5000", "write 1200 or a multiple of 2400: 7200"),
        ("pilot-light", "gib: 18000", "gib: 20000", "multiple of 18000: 36000"),
        ("cloud-burst", "kind: spot, nodes: 10", "kind: spot, nodes: 10, ready_in: 5m", "nobody knows"),
        (
            "active-passive",
            "kind: reservation, id: cr-0a1b2c3d4e5f60718, ",
            "kind: reservation, ",
            "has an id",
        ),
        (
            "cloud-burst",
            'ends: "2027-01-31T11:30:00Z"',
            'ends: "2026-01-31T11:30:00Z"',
            "ends before it starts",
        ),
        ("cloud-burst", 'ends: "2027-01-31T11:30:00Z", ', "", "write starts and ends"),
        ("active-passive", "cidr: 10.16.0.0/16", "cidr: 10.16.0.1/16", "is no IPv4 network"),
        ("active-passive", 'account: "111122223333"', 'account: "11112222"', "is no AWS account"),
        ("active-passive", "lock_days: 14", "lock_days: 60", "keep_old_versions_days: 60"),
    ],
)
def test_what_cannot_be_is_refused_when_the_file_is_read(
    tmp_path: Path, example: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(InvalidFile) as caught:
        checks_of(tmp_path, example, (old, new))
    assert said in str(caught.value)


def test_a_region_and_a_machine_that_are_newer_than_the_release_can_be_used(tmp_path: Path) -> None:
    newer = (
        (
            "region: us-east-2\n    zones: [us-east-2a, us-east-2b]",
            "region: us-east-9\n    zones: [us-east-9a, us-east-9b]",
        ),
        ("region: us-east-2\n    site", "region: us-east-9\n    site"),
        ("  owner: ml", "  newer_regions: [us-east-9]\n  owner: ml"),
        ("machine: p5.48xlarge", "machine: p9.48xlarge\n        gpus_per_node: 8"),
    )
    assert checks_of(tmp_path, "active-passive", *newer) == ()


def test_what_only_worries_the_runbooks_does_not_hold_up_a_stack(tmp_path: Path) -> None:
    found = checks_of(tmp_path, "active-passive", ("checkpoint_every: 10m", "checkpoint_every: 40m"))
    assert [check.code for check in found] == ["objective-tighter-than-cadence"]
    assert check_provisioning(load_estate(tmp_path / "estate.yaml")) == ()
