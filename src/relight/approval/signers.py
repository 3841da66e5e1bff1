"""The file that says whose key is whose, in OpenSSH's form (ssh-keygen(1), ALLOWED SIGNERS).

What is read here explains, checks and finds keys; whether a signature counts is decided by ssh-keygen alone.
Times without a final Z are read in UTC, on every machine alike, where ssh-keygen by itself would take the
local zone: we run it with TZ=UTC0.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from relight.approval.envelope import KEY_FIELDS, fingerprint, kind_of, plain_key
from relight.approval.statement import NAMESPACE
from relight.errors import Refused

_PRINCIPALS = re.compile(r'(?:"([^"]*)"|([^\s"]+))[ \t]+')
_OPTIONS = re.compile(r'(?:[^\s"]|"(?:[^"\\]|\\.)*")+')
_OPTION = re.compile(r'([A-Za-z-]+)(?:="((?:[^"\\]|\\.)*)")?(?:,|$)')
_FLAGS = frozenset({"cert-authority"})
_VALUES = frozenset({"namespaces", "valid-after", "valid-before"})
_TIME = re.compile(r"([0-9]{8}(?:[0-9]{4}(?:[0-9]{2})?)?)(Z?)")
_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}


@dataclass(frozen=True)
class Signer:
    """One line: a key, and the identities that it speaks for."""

    line: int
    principals: str  # patterns, as "ada@example.net" or "*@example.net,!eve@example.net"
    key: bytes
    is_authority: bool = False  # the key signs certificates of keys, not statements
    namespaces: str | None = None  # patterns of what it may sign; None: anything
    valid_after: datetime | None = None
    valid_before: datetime | None = None
    has_local_times: bool = False  # a time without Z, which other tools read in their own zone

    @property
    def fingerprint(self) -> str:
        """The key's fingerprint."""
        return fingerprint(self.key)

    @property
    def public_key(self) -> str:
        """The key as a line of a .pub file."""
        return f"{kind_of(self.key)} {base64.b64encode(self.key).decode()}"

    @property
    def names(self) -> tuple[str, ...]:
        """The identities that stand there by name, not by pattern."""
        return tuple(n for n in self.principals.split(",") if n and not set("*?!") & set(n))

    def speaks_for(self, identity: str) -> bool:
        """Whether the key is this identity's."""
        return matches(identity, self.principals)

    def may_approve(self, now: datetime) -> bool:
        """Whether the key may sign approvals, now."""
        if self.namespaces is not None and not matches(NAMESPACE, self.namespaces):
            return False
        after, before = self.valid_after or now, self.valid_before or now
        return after <= now <= before


@dataclass(frozen=True)
class Malformed:
    """A line that says nothing; ssh-keygen passes over it."""

    line: int
    what: str


@lru_cache(maxsize=4)
def read_signers(text: str) -> tuple[tuple[Signer, ...], tuple[Malformed, ...]]:
    """Every line of the file, and every one that is malformed."""
    signers: list[Signer] = []
    faults: list[Malformed] = []
    for number, line in enumerate(text.split("\n"), 1):
        content = line.strip()
        if not content or content.startswith("#"):
            continue
        try:
            signers.append(_read_line(number, content))
        except ValueError as error:
            faults.append(Malformed(number, str(error)))
    return tuple(signers), tuple(faults)


def read_key(text: str) -> bytes:
    """The public key in "ssh-ed25519 AAAA… comment", plain. Raise ValueError."""
    kind, *words = text.split(maxsplit=2) or [""]
    if not words:
        raise ValueError(f"no key stands after {kind[:40]!r}")
    try:
        key = plain_key(base64.b64decode(words[0], validate=True))
    except (binascii.Error, ValueError, Refused):
        raise ValueError("the key is cut or changed: it cannot be read") from None
    if kind_of(key) != kind and "-cert-v01@" not in kind:
        raise ValueError(f"the key is not of the kind {kind[:40]!r}")
    return key


def matches(text: str, patterns: str) -> bool:
    """Whether a text fits a pattern list as ssh_config(5) has it; a fitting "!pattern" rules it out."""
    is_in = False
    for pattern in patterns.split(","):
        if _glob(pattern.removeprefix("!")).fullmatch(text):
            if pattern.startswith("!"):
                return False
            is_in = True
    return is_in


@lru_cache(maxsize=1024)
def _glob(pattern: str) -> re.Pattern[str]:
    shortest = re.sub(r"\*+", "*", pattern)
    return re.compile(re.escape(shortest).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _read_line(number: int, content: str) -> Signer:
    found = _PRINCIPALS.match(content)
    if not found:
        raise ValueError("write: principals, options if any, kind of key, key")
    principals, rest = found[1] if found[1] is not None else found[2], content[found.end() :].lstrip()
    if not principals:
        raise ValueError("it names nobody")
    options: dict[str, str] = {}
    if rest.split(maxsplit=1)[0] not in KEY_FIELDS:
        given = _OPTIONS.match(rest)
        if not given or rest[given.end() :].startswith('"'):
            raise ValueError("a quote is not closed")
        options = dict(_read_options(given[0]))
        rest = rest[given.end() :].lstrip()
    times = {name: _read_time(options[name]) for name in ("valid-after", "valid-before") if name in options}
    return Signer(
        line=number,
        principals=principals,
        key=read_key(rest),
        is_authority="cert-authority" in options,
        namespaces=options.get("namespaces"),
        valid_after=times.get("valid-after"),
        valid_before=times.get("valid-before"),
        has_local_times=any(not options[name].endswith("Z") for name in times),
    )


def _read_options(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        found = _OPTION.match(text, position)
        name = found[1].lower() if found else ""
        if not found or not (name in _VALUES if found[2] is not None else name in _FLAGS):
            raise ValueError(f"neither an option nor a kind of key: {text[position : position + 40]!r}")
        yield name, (found[2] or "").replace('\\"', '"')
        position = found.end()


def _read_time(text: str) -> datetime:
    found = _TIME.fullmatch(text)
    try:
        if found:
            return datetime.strptime(found[1], _FORMS[len(found[1])]).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise ValueError(f'not a time: {text[:40]!r}; write "20271231Z" or "202712311800Z"')
