"""The witness in an object store: one document per workload, `authority/{workload}.json`."""

from __future__ import annotations

from datetime import datetime

from relight.errors import Conflict, NotFound
from relight.fence.adapters.documents import Documents
from relight.objects import ObjectStore
from relight.situation import Authority


class ObjectWitness:
    """See `Witness`."""

    def __init__(self, objects: ObjectStore) -> None:
        self._documents = Documents(objects, Authority)

    def authority(self, workload: str) -> Authority | None:
        """See Witness.authority."""
        return self._documents.read(authority_key(workload))

    def declare(self, authority: Authority) -> Authority:
        """See Witness.declare."""
        return self._documents.move(authority_key(authority.workload), lambda there: there or authority)

    def raise_epoch(self, workload: str, *, above: int, active: str, by: str, at: datetime) -> Authority:
        """See Witness.raise_epoch."""
        raised = Authority(workload=workload, epoch=above + 1, active=active, changed_by=by, changed_at=at)

        def change(there: Authority | None) -> Authority:
            if there is None:
                raise NotFound(f"the witness has no authority of {workload}", "it is declared at first start")
            if there.epoch == raised.epoch and there.changed_by == by:
                return there  # ours, from an attempt that did not hear the answer
            if there.epoch != above:
                raise Conflict(
                    f"{workload} is at epoch {there.epoch}, not {above}: {there.changed_by} made "
                    f"{there.active} the writer at {there.changed_at:%Y-%m-%d %H:%M:%S}Z"
                )
            return raised

        return self._documents.move(authority_key(workload), change)


def authority_key(workload: str) -> str:
    """Where the authority of a workload is kept."""
    return f"authority/{workload}.json"
