"""What no provider checks before the cloud does is told by `relight check`, each with one clear sentence."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from relight.errors import InvalidFile
from relight.estate import Check, check_bookings, check_estate, check_provisioning, load_estate
from rig.files import EXAMPLES
from rig.mistakes import MISTAKES, TEXTS


def checks_of(folder: Path, example: str, *changes: tuple[str, str]) -> tuple[Check, ...]:
    text = TEXTS[example]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path = folder / "estate.yaml"
    path.write_text(text, encoding="utf-8")
    return check_estate(load_estate(path))


@pytest.mark.parametrize(
    ("example", "old", "new", "code", "said"),
    MISTAKES,
    ids=[f"{case[3]}-{i}" for i, case in enumerate(MISTAKES)],
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


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("    region: us-west-2\n    zones", "    region: us-west-9\n    zones", "sites.oregon.region"),
        ("machine: p5.48xlarge", "machine: p5.48xlagre", "sites.ohio.pools.train.machine"),
        ("  region: us-west-2\n    site", "  region: us-west-9\n    site", "stores.points-oregon.region"),
    ],
)
def test_one_mistake_is_told_once(tmp_path: Path, old: str, new: str, path: str) -> None:
    found = checks_of(tmp_path, "active-passive", (old, new))
    assert [check.path for check in found] == [path]


def test_a_block_that_is_over_is_wrong_where_nothing_else_gives_its_nodes(
    tmp_path: Path,
) -> None:
    estate = load_estate(next(path for path in EXAMPLES if path.stem == "cloud-burst"))
    before, after = datetime(2027, 1, 31, 11, 29, tzinfo=UTC), datetime(2027, 1, 31, 11, 30, tzinfo=UTC)
    assert list(check_bookings(estate, before)) == []
    found, _ = check_bookings(estate, after)
    assert (found.severity, found.code) == ("warning", "block-is-over")
    assert found.path == "sites.ohio.pools.train.rungs.0.ends"
    assert "until 2027-01-31 11:30 UTC" in found.message
    path = tmp_path / "estate.yaml"
    only = [line for line in TEXTS["cloud-burst"].splitlines() if "{kind: on-demand" not in line]
    path.write_text("\n".join(line for line in only if "{kind: spot" not in line or "27.10" not in line))
    found, _ = check_bookings(load_estate(path), after)
    assert found.severity == "error"
    assert "give 0 nodes at most" in found.message


def test_a_workload_that_fits_what_runs_anyway_need_not_wait_for_the_rest(tmp_path: Path) -> None:
    chat = ("gpus: 16\n    objective: {rto: 45m}", "gpus: 4\n    objective: {rto: 1m}")
    found = checks_of(tmp_path, "active-passive", chat)
    assert "objective-missed" not in [check.code for check in found]


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
