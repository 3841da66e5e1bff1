"""An estate file is loaded whole or not at all; every fault is told at once, at its place, in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest

from relight.errors import InvalidFile
from relight.estate import Estate, check_estate, load_estate, load_with_places
from rig.files import ESTATE_CASES, EXAMPLES, GOOD_ESTATE

GOOD = GOOD_ESTATE.read_text(encoding="utf-8")


def reasons_of(content: str | bytes, folder: Path) -> list[str]:
    path = folder / "estate.yaml"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return told_about(path)


def told_about(path: Path) -> list[str]:
    with pytest.raises(InvalidFile) as caught:
        load_estate(path)
    return [str(reason).removeprefix(f"{path}:") for reason in caught.value.reasons]


def test_there_are_bad_files_to_load() -> None:
    assert len(ESTATE_CASES) > 30


@pytest.mark.parametrize("path", ESTATE_CASES, ids=lambda path: path.stem)
def test_a_bad_file_is_told_about_in_the_words_beside_it(path: Path) -> None:
    assert told_about(path) == path.with_suffix(".txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("path", ESTATE_CASES, ids=lambda path: path.stem)
def test_no_message_repeats_a_secret_nor_speaks_as_a_validator(path: Path) -> None:
    told = "\n".join(told_about(path)).lower()
    assert "hunter" not in told
    assert "1234567" not in told
    for jargon in ("input should", "pydantic", "dictionary", "tuple", "value error", "none", "str "):
        assert jargon not in told.replace("finite number", "")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_every_example_loads_and_checks_clean(path: Path) -> None:
    assert check_estate(load_estate(path)) == ()


def test_the_good_file_of_the_cases_loads_and_checks_clean() -> None:
    assert check_estate(load_estate(GOOD_ESTATE)) == ()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty (relight init writes a first estate)"),
        (b" \n\n", "the file is empty (relight init writes a first estate)"),
        (b"\xef\xbb\xbf", "the file says nothing (relight init writes a first estate)"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "the file is binary (an estate is YAML, which is text)"),
        ("version: 1".encode("utf-16"), "the file is UTF-16 (save it as UTF-8)"),
        (b"version: 1\nname: caf\xe9\n", "2:10: is not UTF-8 from here on (save it as UTF-8)"),
        (b"version: 1\nname: a\x1bb\n", "2:8: a character that no text has: U+001B (remove it)"),
        (b"# " + b"x" * 2**23, "the file is larger than 8 MiB (is it an estate?)"),
    ],
    ids=["empty", "blank", "bom", "binary", "utf-16", "latin-1", "control", "large"],
)
def test_what_is_no_text_is_refused(content: bytes, told: str, tmp_path: Path) -> None:
    assert reasons_of(content, tmp_path) == [told]


def test_a_missing_file_is_told_with_what_writes_one(tmp_path: Path) -> None:
    assert told_about(tmp_path / "none.yaml") == [
        "there is no such file (relight init writes a first estate)"
    ]


def test_a_folder_is_no_estate(tmp_path: Path) -> None:
    assert told_about(tmp_path) == ["the file cannot be read: Is a directory (check path and rights)"]


def test_an_endless_file_is_refused() -> None:
    assert told_about(Path("/dev/zero")) == ["the file is larger than 8 MiB (is it an estate?)"]


def test_the_error_names_the_file_and_ends_the_command_as_wrong_usage(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("version: 3\n")
    with pytest.raises(InvalidFile, match=r"mine\.yaml is not a usable estate") as caught:
        load_estate(path)
    assert caught.value.exit_code == 2
    assert caught.value.reasons[0].place is not None


def test_an_alias_stands_for_what_it_names(tmp_path: Path) -> None:
    path = tmp_path / "estate.yaml"
    aliased = GOOD.replace("address: 127.0.6.53\n      key: {", "address: 127.0.6.53\n      key: &key {")
    aliased = aliased.replace("  names:\n", "    ns2: {address: 127.0.6.54, key: *key}\n  names:\n")
    path.write_text(aliased)
    servers = load_estate(path).dns.servers
    assert servers["ns"].key == servers["ns2"].key


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "estate.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_estate(path) == load_estate(GOOD_ESTATE)


def test_thousands_of_faults_are_cut_short_and_counted(tmp_path: Path) -> None:
    told = reasons_of("sites:\n" + "".join(f"  S{n}: 1\n" for n in range(2_000)), tmp_path)
    assert len(told) < 1_100
    assert told[-1] == "and 3,007 more faults (mend these first)"


def test_what_is_loaded_dumps_to_what_loads_again(tmp_path: Path) -> None:
    estate = load_estate(GOOD_ESTATE)
    path = tmp_path / "again.yaml"
    path.write_text(estate.model_dump_json(by_alias=True))  # JSON is YAML
    assert load_estate(path) == estate
    assert load_estate(path).digest == estate.digest
    assert Estate.model_validate_json(estate.model_dump_json(by_alias=True)) == estate


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        ("", 1, 1),
        ("name", 2, 7),
        ("sites.north", 4, 3),  # at its key: its value begins a line below
        ("sites.north.nodes", 7, 12),
        ("workloads.digits.writes", 34, 5),
        ("workloads.digits.writes.1", 34, 21),
        ("workloads.digits.reads", 29, 3),  # left out: where it would belong
        ("dns.names.app.targets.south", 48, 42),
        ("no.such.thing", 1, 1),
    ],
)
def test_a_path_is_found_in_the_file(path: str, line: int, column: int) -> None:
    _, places = load_with_places(GOOD_ESTATE)
    place = places.place(path)
    assert (place.line, place.column) == (line, column)
    assert place.file == str(GOOD_ESTATE)
