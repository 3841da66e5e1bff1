"""The schema that editors use says the same as the loader."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from relight.estate import estate_schema
from relight.estate.faults import PATTERNS
from rig.files import ESTATE_CASES, EXAMPLES, GOOD_ESTATE

jsonschema = pytest.importorskip("jsonschema")

# What a schema cannot see: YAML's own faults, what only a validator knows, and what YAML 1.1 reads.
_BEYOND_A_SCHEMA = {
    "alias-to-itself",
    "bad-node-sets",
    "groups-in-node-sets",
    "keys-that-are-no-text",
    "keys-twice",
    "only-comments",
    "tags",
    "units-out-of-order",
    "yaml-1.1-surprises",
}


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = json.loads(json.dumps(estate_schema()))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", [*EXAMPLES, GOOD_ESTATE], ids=lambda path: path.name)
def test_what_loads_is_valid(path: Path, validator: Any) -> None:
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_bytes()))] == []


def is_yaml(path: Path) -> bool:
    try:
        yaml.safe_load(path.read_bytes())
    except yaml.YAMLError:
        return False
    return True


@pytest.mark.parametrize(
    "path",
    [path for path in ESTATE_CASES if path.stem not in _BEYOND_A_SCHEMA and is_yaml(path)],
    ids=lambda path: path.stem,
)
def test_what_does_not_load_is_invalid(path: Path, validator: Any) -> None:
    assert not validator.is_valid(yaml.safe_load(path.read_bytes()))


def test_every_key_has_a_title_and_says_what_it_is_for() -> None:
    schema = estate_schema()
    for part in (schema, *schema["$defs"].values()):
        assert part["additionalProperties"] is False
        assert part["description"]
        for name, field in part["properties"].items():
            assert "description" in field or "$ref" in field, name
            assert "title" in field or "$ref" in field, name
    assert "objective" in schema["$defs"]["Workload"]["properties"]
    assert schema["$defs"]["SandboxSite"]["properties"]["kind"]["const"] == "sandbox"


def test_every_pattern_has_words_for_people() -> None:
    used = {pattern for pattern in _patterns(estate_schema()) if not pattern.startswith(("^(0|", "^(env"))}
    assert used == set(PATTERNS)


def _patterns(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("pattern"), str):
            yield part["pattern"]
        yield from part.get("patternProperties", {})
        for inner in part.values():
            yield from _patterns(inner)
    if isinstance(part, list):
        for inner in part:
            yield from _patterns(inner)
