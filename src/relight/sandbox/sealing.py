"""Seals the points of a training beside its steps, and finds out when it has been fenced.

Sealing runs in a thread of its own, so that a store or a witness that does not answer stops no computing.
The witness is asked first; its silence stops nothing, because the head of the store refuses old epochs too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

from relight.errors import Refused, StoreError
from relight.fence import Witness
from relight.situation import PointSummary
from relight.vault import Manifest, Vault


class Sealer:
    """Seals one point at a time; `fenced` says why no point of this writer will ever be sealed again."""

    def __init__(self, vault: Vault, witness: Witness, workload: str, epoch: int) -> None:
        self._vault = vault
        self._witness = witness
        self._workload = workload
        self._epoch = epoch
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seal")
        self._sealing: Future[PointSummary | None] | None = None
        self.last: PointSummary | None = None
        self.fenced: str | None = None

    @property
    def is_busy(self) -> bool:
        """Whether a point is being sealed; once it is not, `last` and `fenced` say what became of it."""
        if self._sealing is not None and self._sealing.done():
            self.last = self._sealing.result() or self.last
            self._sealing = None
        return self._sealing is not None

    def offer(self, manifest: Manifest, members: Mapping[str, bytes]) -> None:
        """Begin to seal a point. Only when not busy."""
        self._sealing = self._worker.submit(self._seal, manifest, members)

    def finish(self, timeout: float) -> bool:
        """Wait for what is being sealed; False once no time is left, whether it is sealed or not."""
        if self._sealing is not None:
            wait([self._sealing], max(0.0, timeout))
        return timeout > 0 and not self.is_busy

    def _seal(self, manifest: Manifest, members: Mapping[str, bytes]) -> PointSummary | None:
        try:
            self._require_authority()
            point = self._vault.seal(manifest, members)
        except Refused as error:
            self.fenced = str(error)
        except StoreError as error:
            logging.warning("%s is not sealed: %s", manifest.id, error)
        else:
            logging.info("sealed %s", point.id)
            return point
        return None

    def _require_authority(self) -> None:
        try:
            authority = self._witness.authority(self._workload)
        except StoreError as error:
            logging.warning("the witness does not say who may write, going on: %s", error)
            return
        if authority and authority.epoch > self._epoch:
            raise Refused(
                f"epoch {self._epoch} of {self._workload} is over: {authority.active} writes in epoch "
                f"{authority.epoch} since {authority.changed_at:%H:%M:%S}, by {authority.changed_by}"
            )
