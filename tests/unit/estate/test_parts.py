"""A fault hides no other: what can be read is checked, and nothing is told that would go away by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relight.estate import Estate, Reading, read_estate
from relight.estate.documents import read_document
from relight.estate.parts import Parts
from rig.mistakes import MISTAKES, TEXTS


def reading_of(folder: Path, text: str) -> Reading:
    path = folder / "estate.yaml"
    path.write_text(text, encoding="utf-8")
    return read_estate(path)


def entries_of(document: dict[str, Any]) -> Iterator[str]:
    """What may be faulty by itself: sections, and entries of those that have any."""
    for section, found in document.items():
        yield section
        yield from (f"{section}.{name}" for name in (found if isinstance(found, dict) else ()))


def errors_of(document: dict[str, Any], *broken: str) -> set[tuple[str, str]]:
    return {(check.code, check.path) for check in Parts(document, broken).check()}


def plain(text: str) -> dict[str, Any]:
    root, reasons = read_document(text, "estate.yaml")
    assert root is not None
    assert reasons == []
    return dict(root.data)


@pytest.mark.parametrize("example", sorted(TEXTS))
def test_a_good_estate_is_not_blamed_for_what_one_faulty_entry_leaves_open(example: str) -> None:
    document = plain(TEXTS[example])
    assert {path: told for path in entries_of(document) if (told := errors_of(document, path))} == {}


_MANAGED = "site: iowa\n    managed: {lock_days: 14}"
_SERVE_IN_OREGON = """\
      serve:
        machine: g6e.12xlarge
        nodes: 4
        rungs:
          - {kind: reservation, id: cr-0a1b2c3d4e5f70719, nodes: 4, ready_in: 10m, usd_per_node_hour: 10.49}
"""
_LONG = "a-site-in-the-middle-of-the-country-us"
_WITNESS = "\n  outer: {kind: gcs, bucket: outer, location: EU, managed: {lock_days: 1}}"


@pytest.mark.parametrize(
    ("example", "changes"),
    [
        (
            "active-passive",
            [("us-east-2", "us-east-9"), ("  owner: ml", "  newer_regions: [us-east-9]\n  owner: ml")],
        ),
        (
            "active-passive",
            [(_SERVE_IN_OREGON, "")],
        ),
        ("active-passive", [("bandwidth: 10Gbit/s", "bandwidth: 50Gbit/s")]),
        ("pilot-light", [(_MANAGED, _MANAGED + _WITNESS), ("  store: outside", "  store: outer")]),
        (
            "pilot-light",
            [("points-iowa", "points-us"), ("iowa", _LONG), ("name: pilot-light", "name: x")],
        ),
    ],
    ids=["newer-region", "pool-of-one-site", "line-of-one-cloud", "witness-of-google", "long-name-of-a-site"],
)
def test_what_rests_on_another_section_is_not_told_without_it(
    example: str, changes: list[tuple[str, str]]
) -> None:
    text = TEXTS[example]
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    document = plain(text)
    whole = errors_of(document)
    for path in entries_of(document):
        assert errors_of(document, path) <= whole, path


@pytest.mark.parametrize(("example", "old", "new"), sorted({mistake[:3] for mistake in MISTAKES}))
def test_a_fault_adds_no_other_to_those_that_there_are(example: str, old: str, new: str) -> None:
    document = plain(TEXTS[example].replace(old, new, 1))
    whole = errors_of(document)
    for path in entries_of(document):
        assert errors_of(document, path) <= whole, path


def test_faults_of_shape_hide_none_of_those_between_sections(tmp_path: Path) -> None:
    text = TEXTS["active-passive"]
    for old, new in (
        ("    credentials: {profile: dr}\n    agent: https://agent.ohio", "    agent: https://agent.ohio"),
        ("    region: us-east-2\n    zones", "    region: us-east-9\n    zones"),
        ("cidr: 10.17.0.0/16", "cidr: 10.16.128.0/17"),
        ("nodes: 4, ready_in", "nodes: 3, ready_in"),
        ("machine: p5.48xlarge", "machine: p5.48xlagre"),
        ("approvers: [", "aprovers: ["),
        ("primary: ohio", "primary: ohoi"),
        ("serves: chat", "serves: chta"),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    reading = reading_of(tmp_path, text)
    assert [reason.path for reason in reading.reasons] == ["sites.ohio", "aprovers"]
    assert sorted((check.code, check.path) for check in reading.check()) == [
        ("dangling-name", "topology.primary"),
        ("dangling-name", "traffic.records.chat.serves"),
        ("networks-overlap", "sites.oregon.cidr"),
        ("no-such-machine", "sites.ohio.pools.train.machine"),
        ("no-such-region", "sites.ohio.region"),
        ("pool-larger-than-its-rungs", "sites.ohio.pools.serve.nodes"),
    ]


def test_missing_credentials_hide_nothing_of_what_they_belong_to(tmp_path: Path) -> None:
    text = TEXTS["cloud-burst"].replace("\n    credentials: {profile: dr}\n\nsites", "\n\nsites")
    text = text.replace("      credentials: {profile: dr}\n", "", 1)
    text = text.replace("    region: eu-north-1", "    region: us-east-2", 1).replace(
        "ca-central-1", "ca-centre-1"
    )
    reading = reading_of(tmp_path, text)
    assert [reason.path for reason in reading.reasons] == ["stacks.outside", "sites.hall.cloud"]
    assert {check.path for check in reading.check()} == {"stacks.outside.region", "sites.hall.cloud.region"}


def test_a_misspelt_key_of_a_site_hides_no_misspelt_name_elsewhere(tmp_path: Path) -> None:
    text = TEXTS["active-passive"].replace("    cidr: 10.17", "    cdir: 10.17")
    text = text.replace("runs_on: ohio", "runs_on: ohoi", 1).replace("site: oregon}", "site: oregno}")
    reading = reading_of(tmp_path, text)
    assert [reason.path for reason in reading.reasons] == ["sites.oregon.cdir"]
    assert [(check.path, check.remedy) for check in reading.check()] == [
        ("observers.oregon.site", 'did you mean "oregon"?'),
        ("workloads.pretrain.runs_on", 'did you mean "ohio"?'),
    ]


def test_a_section_that_is_none_at_all_leaves_the_others_to_be_checked(tmp_path: Path) -> None:
    text = TEXTS["two-sites"].replace("version: 1", "version: 1\nlinks: [a]", 1)
    text = text.replace("  store: outside", "  store: outsid")
    reading = reading_of(tmp_path, text)
    assert [reason.path for reason in reading.reasons] == ["links"]
    assert [check.path for check in reading.check()] == ["witness.store"]


def test_a_section_whose_name_is_misspelt_is_not_taken_for_one_that_was_left_out() -> None:
    text = TEXTS["active-passive"].replace("us-east-2", "us-east-9")
    text = text.replace("  owner: ml", "  newer_regions: [us-east-9]\n  owner: ml")
    assert errors_of(plain(text.replace("stacks:", "stack:"))) == set()


def test_every_section_can_be_missing() -> None:
    for section in Estate.model_fields:
        document = plain(TEXTS["cloud-burst"])
        document.pop(section, None)
        assert errors_of(document) == set(), section
    assert errors_of({}) == set()
