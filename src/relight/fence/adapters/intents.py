"""What was decided for each site's pools, in the witness: one document per site, `intent/{site}.json`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from relight.errors import Conflict
from relight.fence.adapters.documents import Documents
from relight.objects import ObjectStore
from relight.situation import Intent, quiet_pools


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
        quiet: bool = False,
    ) -> Intent:
        """Merge `pools` into what was decided for a site, and return what holds now.

        `quiet`: they have the estate's quiet size, and follow it from now on.

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
            made = Intent(
                site=site,
                epoch=epoch,
                active=active,
                pools={**(there.pools if there else {}), **wanted},
                quiet=quiet_pools(there, wanted, quiet=quiet),
                changed_by=by,
                changed_at=at,
            )
            since = {"changed_by": by, "changed_at": at}
            return there if there and there.model_copy(update=since) == made else made

        return self._documents.move(intent_key(site), change)


def intent_key(site: str) -> str:
    """Where the intent of a site is kept."""
    return f"intent/{site}.json"
