"""What spans sections, asked of an estate of which parts are faulty: of the parts that are whole.

Entries that cannot be read are left out, and what cannot be known without them is not asked: nothing that is
said here would go away by mending them.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Annotated, Any, get_origin

from pydantic import TypeAdapter, ValidationError

from relight.estate.check import Check
from relight.estate.checks import PARTS
from relight.estate.model import Estate
from relight.estate.references import check_names
from relight.estate.stores import Witness
from relight.estate.topologies import PilotLight

_STAND_INS: dict[str, Any] = {
    "version": 1,
    "name": "estate",
    "topology": PilotLight.model_construct(kind="pilot-light", primary="", standby="?"),
    "witness": Witness.model_construct(store=""),
}
"""What stands for a section that cannot be read and has no default; none of its names leads anywhere."""

_NEEDED: dict[str, str] = {
    "dead-site-dependency": "stores",
    "dead-site-observers": "observers",
    "dead-site-points": "stores",
    "even-observers": "observers",
    "lock-of-wrong-length": "witness",
    "name-too-long": "name",
    "no-preshared-key": "sites",
    "no-such-pool": "sites",
    "no-such-region": "stacks",
    "too-large-for-site": "topology",
    "too-wide-for-tunnels": "sites",
}
"""The section that must be whole before an error is believed; tests break every entry of many estates."""


class Parts:
    """The sections of a document that can be read; `broken` are the dotted paths of what cannot."""

    def __init__(self, document: Mapping[str, Any], faulty: Collection[str]) -> None:
        self.broken: set[str] = set()
        self._faulty = {tuple(path.split(".")[:2]) for path in faulty}
        values = {name: self._read(name, document) for name in Estate.model_fields}
        self._estate = Estate.model_construct(**values)

    def check(self) -> tuple[Check, ...]:
        """Every error that stays when the broken parts are mended."""
        hidden = {name: self._hidden(name) for name in ("sites", "stores", "workloads")}
        sections = {path.partition(".")[0] for path in self.broken}
        parts = [check_names(self._estate, hidden), *(part(self._estate) for part in PARTS[1:])]
        return tuple(
            dict.fromkeys(
                check
                for check in chain.from_iterable(parts)
                if check.severity == "error"
                and _NEEDED.get(check.code) not in sections
                and not any(f"{check.path}.".startswith(f"{path}.") for path in self.broken)
            )
        )

    def _hidden(self, section: str) -> Collection[str] | None:
        """Names that the section has, though what they name cannot be read; None: nobody knows which."""
        if section in self.broken:
            return None
        return {name for at, _, name in (path.partition(".") for path in self.broken) if at == section}

    def _read(self, section: str, document: Mapping[str, Any]) -> Any:
        field, found = Estate.model_fields[section], document.get(section)
        if section in document and (section,) not in self._faulty:
            if get_origin(field.annotation) is dict and isinstance(found, dict):
                return dict(self._entries(section, found))
            value = _validated(section, found)
            faulty = any(path[0] == section for path in self._faulty)
            if value is not None and not faulty:
                return value[0]
        elif (
            section not in document
            and not field.is_required()
            and document.keys() <= Estate.model_fields.keys()
        ):
            return field.get_default()  # else it may be there, misspelt
        self.broken.add(section)
        if section in _STAND_INS:
            return _STAND_INS[section]
        return {} if field.is_required() else field.get_default()

    def _entries(self, section: str, found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
        for name, entry in found.items():
            value = _validated(section, {name: entry})
            if value is None or (section, name) in self._faulty:
                self.broken.add(f"{section}.{name}")
            else:
                yield name, value[0][name]


def _validated(section: str, found: Any) -> tuple[Any] | None:
    """The section as the model has it, which may be None; None: it cannot be read.

    No check reads as whom a cloud is spoken to: where only that is faulty, the rest is looked at.
    """
    for tried in (found, _as_anybody(found)):
        try:
            return (_adapter(section).validate_json(json.dumps(tried), strict=True),)
        except ValidationError:
            continue
    return None


def _as_anybody(found: Any) -> Any:
    """The same with credentials that can be read."""
    if not isinstance(found, dict):
        return found
    speaks = found.get("kind") in ("aws", "gcp", "kubernetes")
    inner = {key: _as_anybody(value) for key, value in found.items()}
    return {**inner, "credentials": {"environment": True}} if speaks else inner


@lru_cache
def _adapter(section: str) -> TypeAdapter[Any]:
    field = Estate.model_fields[section]
    wanted: Any = field.annotation
    if get_origin(wanted) is not dict:  # a section of entries may be empty here
        wanted = Annotated[wanted, field]
    return TypeAdapter(wanted)
