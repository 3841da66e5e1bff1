"""What of the estate's approvals does not fit the files that they name; part of `relight check`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from relight.approval.revoked import read_revoked
from relight.approval.signers import Signer, read_signers
from relight.estate import Check, Estate

MOST_IDENTITIES = 2
"""The most people that any finding of the shipped runbooks asks for (a failover in doubt)."""

_LARGEST = 8 * 2**20  # bytes
_SIGNERS, _REVOKED = "approvals.allowed_signers", "approvals.revoked_keys"


def check_approvals(root: Path, estate: Estate, now: datetime) -> Iterator[Check]:
    """Everything that would keep people's answers from being believed, or would let one count as two."""
    declared = estate.approvals
    if declared is None:
        return
    revoked: frozenset[bytes] = frozenset()
    if declared.revoked_keys:
        revoked, trouble = read_revoked(root / declared.revoked_keys)
        if trouble:
            what, remedy = (
                f"{declared.revoked_keys} {trouble}",
                "no answer is believed while it is so: mend it",
            )
            yield Check("error", "revoked-keys", _REVOKED, what, remedy)
    path = root / declared.allowed_signers
    try:
        with path.open("rb") as stream:
            text = stream.read(_LARGEST + 1).decode(errors="replace")
            is_shared = bool(path.stat().st_mode & 0o022)
    except OSError as error:
        what = f"{declared.allowed_signers} cannot be read: {error.strerror}"
        remedy = "write a line for each approver: name, kind of key, key"
        yield Check("error", "no-signers", _SIGNERS, what, remedy)
        return
    if is_shared:
        what = f"others than its owner may write {declared.allowed_signers}, and so name approvers"
        yield Check("warning", "signers-writable", _SIGNERS, what, "chmod go-w, and keep it under review")
    yield from _check_lines(declared.allowed_signers, text)
    signers, _ = read_signers(text)
    usable = tuple(s for s in signers if s.may_approve(now) and s.key not in revoked)
    yield from _check_approvers(estate, signers, usable)
    yield from _check_shared_keys(estate, usable)
    yield from _check_count(estate, usable)


def _check_lines(file: str, text: str) -> Iterator[Check]:
    if len(text) > _LARGEST:
        what = f"{file} has more than {_LARGEST:,} bytes"
        yield Check("error", "malformed-signers", _SIGNERS, what, "is it a list of signers?")
    signers, faults = read_signers(text)
    for fault in faults:
        what = f"{file}, line {fault.line}: {fault.what}"
        remedy = "a line has name, options if any, kind of key, key; without that it counts for nothing"
        yield Check("error", "malformed-signers", _SIGNERS, what, remedy)
    if not signers and not faults:
        remedy = "write a line for each approver: name, kind of key, key"
        yield Check("error", "no-signers", _SIGNERS, f"{file} names nobody", remedy)
    for signer in signers:
        where = f"{file}, line {signer.line}"
        if signer.is_authority:
            what = f"{where}: who holds this authority's key can sign as anybody in {signer.principals}"
            remedy = "name people's own keys, so that two identities are two keys of two people"
            yield Check("warning", "signing-authority", _SIGNERS, what, remedy)
        if signer.has_local_times:
            what = f"{where}: a time without Z, which ssh-keygen by hand reads in the local zone"
            yield Check(
                "warning", "local-time", _SIGNERS, what, 'we read it as UTC: write it so, "20271231Z"'
            )


def _check_approvers(
    estate: Estate, signers: tuple[Signer, ...], usable: tuple[Signer, ...]
) -> Iterator[Check]:
    for index, who in enumerate(estate.approvers):
        if any(signer.speaks_for(who) for signer in usable):
            continue
        has_lines = any(signer.speaks_for(who) for signer in signers)
        what = (
            f"{who} has no key that counts now" if has_lines else f"{who} has no key in the list of signers"
        )
        remedy = (
            "it is expired, revoked, or for other namespaces: add one that counts"
            if has_lines
            else f"add a line: {who}, then what ssh-add -L or the .pub file says"
        )
        yield Check("error", "approver-without-key", f"approvers.{index}", what, remedy)


def _identities(estate: Estate, signers: tuple[Signer, ...]) -> tuple[str, ...]:
    """Who may approve by name: the approvers, or where there are none everybody in the list."""
    return estate.approvers or tuple(dict.fromkeys(name for s in signers for name in s.names))


def _check_shared_keys(estate: Estate, usable: tuple[Signer, ...]) -> Iterator[Check]:
    told: set[tuple[str, ...]] = set()
    for key in dict.fromkeys(s.key for s in usable if not s.is_authority):
        lines = [s for s in usable if s.key == key and not s.is_authority]
        holders = tuple(
            who for who in _identities(estate, usable) if any(line.speaks_for(who) for line in lines)
        )
        if len(holders) > 1 and holders not in told:
            told.add(holders)
            yield Check(
                "error",
                "shared-key",
                "approvers" if estate.approvers else _SIGNERS,
                f"{' and '.join(holders)} share the key {lines[0].fingerprint}, and would count once",
                "two identities are two keys of two people: give each their own",
            )


def _check_count(estate: Estate, usable: tuple[Signer, ...]) -> Iterator[Check]:
    if not estate.approvers and any(s.is_authority or not s.names for s in usable):
        return  # patterns and authorities: nobody can count them
    signing = [who for who in _identities(estate, usable) if any(s.speaks_for(who) for s in usable)]
    keys = {s.key for s in usable if any(s.speaks_for(who) for who in signing)}
    has_authority = any(s.is_authority for s in usable)
    people = len(signing) if has_authority else min(len(signing), len(keys))
    if people < MOST_IDENTITIES:
        what = f"{'nobody' if not people else 'only one person'} can sign; a failover in doubt asks for two"
        yield Check(
            "warning",
            "too-few-approvers",
            "approvers" if estate.approvers else _SIGNERS,
            what,
            "name more people, with keys of their own",
        )
