"""Serves the digits model at one site's service address.

    python -m relight.sandbox.inference FOLDER SITE WORKLOAD

    GET  /predict?sample=17             200 {"digit", "label", "site", "point"}
    POST /predict {"pixels": [64 values from 0 to 1]}    200 {"digit", "site", "point"}

It loads the restored point that it is given; without one it waits for the first point in its site's store. It
keeps nothing, so it needs no fence.
"""

from __future__ import annotations

import logging
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from relight.errors import NotFound, RelightError, StoreError
from relight.sandbox.assignment import Assignment, Status, on_drain
from relight.sandbox.checkpoint import load_weights
from relight.sandbox.credentials import open_vault
from relight.sandbox.digits import TRAINED_ON, Digits, load_digits
from relight.sandbox.layout import SERVED, SERVICE_ADDRESSES, Layout
from relight.sandbox.model import Floats, Tensors, predict
from relight.sandbox.restoring import restore_weights, weights_of
from relight.sandbox.web import JsonHandler, JsonServer, Partition, Response
from relight.vault.copying import read_member

BROKEN_POINT = 2
_POLL_SECONDS = 0.1


class InferenceServer(JsonServer):
    """Serves one set of weights."""

    def __init__(self, layout: Layout, site: str, point: str, weights: Tensors) -> None:
        self.site, self.point = site, point
        self.digits: Digits = load_digits(layout.digits)
        self._weights = weights
        super().__init__((SERVICE_ADDRESSES[site], layout.ports["app"]), InferenceHandler)
        self.partition = Partition(layout.partition(site))

    def predict(self, image: Floats) -> int:
        """The digit that an image shows."""
        return int(predict(self._weights, image.reshape(1, 64))[0])


class InferenceHandler(JsonHandler):
    """Answers one request."""

    server: InferenceServer

    def respond(self, method: str, path: str, body: dict[str, Any]) -> Response:
        """See JsonHandler.respond."""
        address = urlsplit(path)
        if address.path != "/predict" or method not in ("GET", "POST"):
            raise NotFound(f"no {method} at {path}; ask for /predict?sample=17")
        digits = self.server.digits
        if method == "GET":
            sample = int(parse_qs(address.query).get("sample", ["0"])[0][:9])
            # Images that the model was not trained on.
            index = TRAINED_ON + sample % (len(digits.labels) - TRAINED_ON)
            return self._predict(digits.images[index], label=int(digits.labels[index]))
        image = np.asarray(body.get("pixels", ()), dtype=np.float32)
        if image.shape != (64,):
            raise ValueError('send {"pixels": [64 numbers from 0 to 1]}')
        return self._predict(image)

    def _predict(self, image: Floats, **more: int) -> Response:
        server = self.server
        return 200, {"digit": server.predict(image), "site": server.site, "point": server.point, **more}


def find_weights(layout: Layout, site: str, assignment: Assignment) -> tuple[str, Tensors]:
    """The id of a point and its weights; waits for the first point if none was given."""
    if assignment.folder:
        return restore_weights(Path(assignment.folder))
    vault = open_vault(layout, site)
    while True:
        try:
            points = vault.points(SERVED)
            if points:
                member = weights_of(vault.manifest(points[-1]))
                return points[-1].id, load_weights(read_member(vault, points[-1], member))
        except StoreError as error:
            logging.info("no point yet: %s", error)
        time.sleep(_POLL_SECONDS)


def main(folder: str, site: str, workload: str) -> int:
    """Serve until drained or killed; return the exit status."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    on_drain(lambda: sys.exit(0))
    layout = Layout.load(Path(folder))
    assignment = Assignment.load(layout, site, workload)
    status = Status(assignment.status_path(layout, site))
    try:
        point, weights = find_weights(layout, site, assignment)
    except RelightError as error:
        status.reason = str(error)
        status.write()
        return BROKEN_POINT
    server = InferenceServer(layout, site, point, weights)
    status.state = "running"
    status.write()
    logging.info("serving %s", point)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
