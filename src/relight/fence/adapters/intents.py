"""What was decided for each site's pools, in the witness: one document per site, `intent/{site}.json`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from relight.errors import Conflict
from relight.fence.adapters.documents import Documents
from relight.objects import ObjectStore
from relight.situation import Intent


class ObjectIntents:
    """See `Intents`, the port that provisioning asks."""

    def __init__(self, objects: ObjectStore) -> None:
        self._documents = Documents(objects, Intent)

    def intent(self, site: str) -> Intent | None:
        """What was last decided for a site; None: nothing yet, its quiet sizes hold. Raise Unreachable."""
        return self._documents.read(intent_key(site))

    def decide(
        self,
        site: str,
        *,
        pools: Mapping[str, Mapping[str, int]],
        active: bool,
        epoch: int,
        by: str,
        at: datetime,
    ) -> Intent:
        """Merge `pools` into what was decided for a site, and return what holds now.

        Where that changes nothing, nothing is written. Raise Conflict if what is there was decided in a later
        epoch: a run of the past shrinks nothing. Raise Unreachable.
        """
        wanted = {pool: dict(rungs) for pool, rungs in pools.items()}

        def change(there: Intent | None) -> Intent:
            if there is not None and there.epoch > epoch:
                raise Conflict(
                    f"what {site} should be was decided in epoch {there.epoch}, by {there.changed_by}; "
                    f"this was planned in epoch {epoch}"
                )
            before = there.pools if there else {}
            if there and there.active == active and there.epoch == epoch and before == {**before, **wanted}:
                return there
            return Intent(
                site=site,
                epoch=epoch,
                active=active,
                pools={**before, **wanted},
                changed_by=by,
                changed_at=at,
            )

        return self._documents.move(intent_key(site), change)


def intent_key(site: str) -> str:
    """Where the intent of a site is kept."""
    return f"intent/{site}.json"
