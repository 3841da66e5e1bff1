"""What is wrong with a document, in plain sentences instead of a validator's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from pydantic import BaseModel, ValidationError

from relight.errors import Reason
from relight.estate.documents import Places, dotted, shortened
from relight.estate.shapes import (
    Spot,
    choices_of,
    fields_of,
    find_spot,
    has_secrets,
    in_words,
    is_model,
    members_of,
)
from relight.estate.spelling import Spelling

_MOST_TOLD = 1_000  # faults: who has more has one, many times over
_KEY = "[key]"  # how pydantic ends the location of a fault in a key

PATTERNS = {
    r"^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$": (
        "is no name",
        "write lower-case letters, digits and dashes, a letter first and no dash last, 40 at most",
    ),
    r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,79}$": (
        "does not name a person",
        'write "ada" or "ada@example.net", without spaces',
    ),
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+$": (
        "is no full DNS name",
        'write it in lower case, with its final dot: "app.example.net."',
    ),
    r"^https?://": ("is no URL", 'begin with "http://" or "https://"'),
    r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$": (
        "is no bucket name",
        "write 3 to 63 lower-case letters, digits, dots and dashes",
    ),
    r"^([A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*)?$": (
        "is no prefix of keys",
        'write "team/vault", without a slash at either end',
    ),
    r"^[0-9]{12}$": ("is no AWS account", "write its 12 digits, in quotes"),
    r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$": (
        "is no project of Google Cloud",
        "write its id, 6 to 30 lower-case letters, digits and dashes",
    ),
    r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+$": (
        "is no role of AWS",
        'write its ARN: "arn:aws:iam::123456789012:role/NAME"',
    ),
    r"^[a-z][a-z0-9-]{4,28}[a-z0-9]@[a-z][a-z0-9.-]*\.iam\.gserviceaccount\.com$": (
        "is no service account",
        'write "NAME@PROJECT.iam.gserviceaccount.com"',
    ),
    r"^(awskms|gcpkms|azurekeyvault|hashivault)://\S+$": (
        "is no secrets provider",
        'write "awskms://…", "gcpkms://…", "azurekeyvault://…" or "hashivault://…", or give a passphrase',
    ),
    r"^(s3|gs|azblob|file|https)://\S+$": (
        "is no backend of Pulumi",
        'write "s3://BUCKET?region=…", "gs://BUCKET", "azblob://…" or "https://…"',
    ),
    r"^/\S*$": ("is no path of a URL", 'write "/health"'),
    r"^1\.[0-9]{2}$": ("is no version of Kubernetes", 'write "1.34", in quotes'),
    r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$": ("names nobody", 'write "ml-platform" or "ada@example.net"'),
    r"^arn:aws[a-z-]*:kms:": ("is no key of AWS", "write the ARN of a KMS key"),
    r"^projects/.+/cryptoKeys/.+$": (
        "is no key of Google Cloud",
        'write "projects/…/locations/…/keyRings/…/cryptoKeys/…"',
    ),
    r"^tgw-[0-9a-f]{8,17}$": ("is no transit gateway", 'write its id, as "tgw-0123456789abcdef0"'),
    r"^vpc-[0-9a-f]{8,17}$": ("is no VPC", 'write its id, as "vpc-0123456789abcdef0"'),
    r"^\S(.*\S)?$": ("is no path", 'say where the file is, from the estate\'s folder: "allowed_signers"'),
}
"""What each pattern of the models means for people; a test holds it complete."""

_BOUNDS = {
    "greater_than_equal": ("is too small", "at least {ge}"),
    "greater_than": ("is too small", "more than {gt}"),
    "less_than_equal": ("is too large", "at most {le}"),
    "less_than": ("is too large", "less than {lt}"),
}
_WRONG_TYPE = ("_type", "_parsing", "_from_float", "_parsing_size")


@dataclass(frozen=True)
class _Fault:
    """One of pydantic's errors, and the spot in the document that it is about."""

    kind: str
    context: dict[str, Any]
    message: str
    spot: Spot
    about_key: bool
    value: Any

    @property
    def shown(self) -> str:
        """The value as a message may repeat it: not beside secrets, where people mix up lines."""
        if has_secrets(self.spot.owner):
            return "this"
        if isinstance(self.value, str):
            return json.dumps(shortened(self.value), ensure_ascii=False)
        return str(self.value) if isinstance(self.value, (int, float)) else "this"


def explain(error: ValidationError, model: type[BaseModel], places: Places) -> list[Reason]:
    """Every error of validating a document against `model`, each at its place."""
    spelling = Spelling()
    found = error.errors(include_url=False, include_input=False)
    faults = [_fault(one, model, places) for one in found[:_MOST_TOLD]]
    meant: set[tuple[str | int, ...]] = set()  # fields that are there, but misspelt: not missing as well
    reasons = []
    for fault in sorted(faults, key=lambda fault: fault.kind == "missing"):
        parts = fault.spot.parts
        if fault.kind == "missing" and parts in meant:
            continue
        if fault.kind == "too_short" and fault.value:  # what it has is told to be faulty already
            continue
        if fault.kind == "extra_forbidden":
            known = fields_of(fault.spot.owner) if fault.spot.owner else {}
            closest = spelling.closest(str(parts[-1]), known)
            meant |= {(*parts[:-1], closest)} if closest else set()
        what, remedy = _in_words(fault, spelling)
        reasons.append(_reason(fault, what, remedy, places))
    if len(found) > _MOST_TOLD:
        reasons.append(Reason(f"and {len(found) - _MOST_TOLD:,} more faults", "mend these first"))
    return reasons


def _fault(found: Any, model: type[BaseModel], places: Places) -> _Fault:
    location, kind = found["loc"], found["type"]
    about_key = location[-1:] == (_KEY,) and kind not in ("extra_forbidden", "missing")
    spot = find_spot(model, location[:-1] if about_key else location)
    value = spot.parts[-1] if about_key else places.value_at(spot.parts)
    return _Fault(kind, found.get("ctx", {}), found["msg"], spot, about_key, value)


def _reason(fault: _Fault, what: str, remedy: str, places: Places) -> Reason:
    parts = fault.spot.parts
    if fault.about_key or fault.kind == "extra_forbidden":
        return Reason(what, remedy, places.key_at(parts), dotted(parts))
    if fault.kind == "missing":
        parts = parts[:-1]
    if fault.kind == "union_tag_invalid":
        parts = (*parts, "kind")
    return Reason(what, remedy, places.at(parts), dotted(parts))


def _in_words(fault: _Fault, spelling: Spelling) -> tuple[str, str]:
    """What is wrong, and what to do."""
    match fault.kind:
        case "missing":
            said = _missing(fault)
        case "extra_forbidden":
            said = _unknown_key(fault, spelling)
        case _ if fault.spot.is_secret and not fault.about_key:
            said = "a secret is only pointed at", 'write "env:NAME", "file:PATH" or "cmd:COMMAND"'
        case "literal_error" | "union_tag_invalid":
            said = _no_choice(fault, spelling)
        case "union_tag_not_found":
            said = 'needs "kind"', "one of " + ", ".join(choices_of(fault.spot.wanted))
        case "string_pattern_mismatch":
            says, remedy = PATTERNS.get(fault.context["pattern"], ("is not written as it must be", ""))
            said = f"{fault.shown} {says}", remedy
        case kind if kind in _BOUNDS:
            says, remedy = _BOUNDS[kind]
            said = f"{fault.shown} {says}", remedy.format(**fault.context)
        case "too_short":
            said = "is empty", "write at least one"
        case _ if fault.spot.wanted is IPv4Address:
            said = f"{fault.shown} is no IPv4 address", 'write four numbers, as "192.0.2.10"'
        case "value_error":
            said = _said_by_model(fault)
        case kind if kind.endswith(_WRONG_TYPE):
            said = _wrong_type(fault)
        case _:
            said = fault.message[:1].lower() + fault.message[1:], ""
    return said


def _missing(fault: _Fault) -> tuple[str, str]:
    name, wanted, field = fault.spot.parts[-1], fault.spot.wanted, fault.spot.field
    choices = () if name != "kind" else choices_of(wanted)
    if choices:
        return f'needs "{name}"', ("one of " if len(choices) > 1 else "there is only ") + ", ".join(choices)
    about = field.description if field else None
    if about is None and is_model(wanted):
        needed = [key for key, inner in fields_of(wanted).items() if inner.is_required()]
        about = f"write {name}: {{{', '.join(f'{key}: …' for key in needed)}}}"
    return f'needs "{name}"', about or ""


def _unknown_key(fault: _Fault, spelling: Spelling) -> tuple[str, str]:
    name = str(fault.spot.parts[-1])
    known = fields_of(fault.spot.owner) if fault.spot.owner else {}
    remedy = spelling.remedy(name, known, otherwise="leave it out, or see the schema for what there is")
    return f'nothing is called "{shortened(name)}" here', remedy


def _no_choice(fault: _Fault, spelling: Spelling) -> tuple[str, str]:
    choices = _allowed_keys(fault) if fault.about_key else choices_of(fault.spot.wanted)
    value = fault.context.get("tag", fault.value)
    if value is None:
        return "says nothing", spelling.remedy("", choices)
    shown = fault.shown
    if "tag" in fault.context:
        is_hidden = any(has_secrets(member) for member in members_of(fault.spot.wanted))
        shown = "this" if is_hidden else json.dumps(shortened(str(value)))
    return f"cannot be {shown}", spelling.remedy(str(value), choices)


def _allowed_keys(fault: _Fault) -> tuple[str, ...]:
    listed = str(fault.context.get("expected", "")).replace(" or ", ", ")
    return tuple(word.strip(" '") for word in listed.split(","))


def _said_by_model(fault: _Fault) -> tuple[str, str]:
    """What a validator of ours said: "what is wrong; what to do"."""
    what, _, remedy = str(fault.context.get("error", fault.message)).partition("; ")
    return ("is not written as it must be" if has_secrets(fault.spot.owner) else what), remedy


def _wrong_type(fault: _Fault) -> tuple[str, str]:
    wanted, value = fault.spot.wanted, fault.value
    words = in_words(wanted)
    if value is None:
        must_be = fault.spot.field is None or fault.spot.field.is_required()
        return "says nothing", f"write {words}" if must_be else f"write {words}, or leave the key out"
    found = {bool: "true or false", int: "a number", float: "a fraction", str: "text", list: "a list"}
    remedy = ""
    if words == "text" and isinstance(value, (bool, int, float)):
        remedy = "put it in quotes"
    elif words == "a list" and not isinstance(value, dict):
        remedy = "write [a, b], also for only one"
    elif is_model(wanted):
        remedy = "it has " + ", ".join(fields_of(wanted))
    elif choices_of(wanted):
        remedy = "its kind is one of " + ", ".join(choices_of(wanted))
    elif words == "a mapping":
        remedy = 'write "name:" and below it what belongs to the name'
    elif isinstance(value, str):
        remedy = "write true or false" if wanted is bool else "write digits, without quotes"
    return f"must be {words}, not {found.get(type(value), 'a mapping')}", remedy
