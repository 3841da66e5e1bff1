"""What runs have taken for themselves, in the witness: one document, `claims.json`, so all or nothing."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from relight.canonical import Frozen
from relight.errors import Reason, Refused
from relight.fence.adapters.documents import Documents
from relight.objects import ObjectStore

CLAIMS_KEY = "claims.json"


class Claim(Frozen):
    """Who holds one claim."""

    run: str
    holder: str  # the controller that took it, as people know it
    since: datetime


class _Claims(Frozen):
    version: Literal["provisional-1"] = "provisional-1"
    claims: dict[str, Claim] = {}


class ObjectClaims:
    """What the engine asks of the witness before a run's first effect. May raise Unreachable."""

    def __init__(self, objects: ObjectStore) -> None:
        self._documents = Documents(objects, _Claims)

    def take(self, run: str, claims: tuple[str, ...], holder: str, at: datetime) -> None:
        """Take all of them or none; again for the same run is no effect.

        Raise Refused naming every overlap: which claim, by which run, since when.
        """

        def change(there: _Claims | None) -> _Claims:
            held = there.claims if there else {}
            others = {name: held[name] for name in claims if name in held and held[name].run != run}
            if others:
                raise Refused(
                    f"{run} cannot have what other runs hold",
                    "wait for them, or end them: relight abort RUN",
                    tuple(
                        Reason(f"{name} is held by {claim.run} ({claim.holder}) since {_shown(claim.since)}")
                        for name, claim in others.items()
                    ),
                )
            fresh = {name: Claim(run=run, holder=holder, since=at) for name in claims if name not in held}
            return _Claims(claims={**held, **fresh})

        self._documents.move(CLAIMS_KEY, change)

    def release(self, run: str) -> None:
        """Give back all that a run holds; nothing held is no error."""

        def change(there: _Claims | None) -> _Claims:
            held = there.claims if there else {}
            return _Claims(claims={name: claim for name, claim in held.items() if claim.run != run})

        self._documents.move(CLAIMS_KEY, change)

    def held(self) -> dict[str, Claim]:
        """Every claim that is held now."""
        there = self._documents.read(CLAIMS_KEY)
        return dict(there.claims) if there else {}


def _shown(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"
