"""Copies the points of the other site into this site's store, in the order in which they were sealed.

    python -m relight.sandbox.replicator FOLDER SITE

What it has copied is what the death of the other site leaves: the RPO as it stands, not as it was scheduled.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path

from relight.errors import Refused, RelightError
from relight.sandbox.credentials import open_vault
from relight.sandbox.layout import REPLICATED, SITES, Layout
from relight.vault import Vault
from relight.vault.copying import copy_point

_EVERY_SECONDS = 0.2


class Replicator:
    """Copies one workload from one store to another."""

    def __init__(self, source: Vault, target: Vault, workload: str) -> None:
        self._source = source
        self._target = target
        self._workload = workload
        self._refused: set[str] = set()

    def copy_new(self) -> int:
        """Copy every point that is newer than the newest here; return how many. Raise StoreError.

        What a fenced writer sealed after the fence is refused here: it is logged once, and left there.
        """
        here = self._target.points(self._workload)
        newest = (here[-1].epoch, here[-1].step) if here else (0, -1)
        copied = 0
        for point in self._source.points(self._workload):
            if (point.epoch, point.step) <= newest or point.manifest in self._refused:
                continue
            try:
                copy_point(self._source, self._target, point)
            except Refused as error:
                logging.warning("left out %s: %s", point.id, error)
                self._refused.add(point.manifest)
            else:
                logging.info("copied %s", point.id)
                copied += 1
        return copied


def main(folder: str, site: str) -> None:
    """Copy until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    layout = Layout.load(Path(folder))
    peer = next(other for other in SITES if other != site)
    replicator = Replicator(open_vault(layout, peer), open_vault(layout, site), REPLICATED)
    trouble = ""
    while True:
        try:
            replicator.copy_new()
            trouble = ""
        except RelightError as error:
            # The peer may be dead for hours: say each new trouble once.
            if str(error) != trouble:
                logging.warning("%s", error)
            trouble = str(error)
        time.sleep(_EVERY_SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
