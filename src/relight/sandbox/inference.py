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

from relight.errors import RelightError, StoreError
from relight.sandbox.assignment import Assignment, Status, on_drain
from relight.sandbox.checkpoint import load_weights
from relight.sandbox.credentials import open_vault
from relight.sandbox.digits import TRAINED_ON, Digits, load_digits
from relight.sandbox.layout import SERVED, SERVICE_ADDRESSES, Layout
from relight.sandbox.model import Floats, Tensors, predict
from relight.sandbox.restoring import restore_weights, weights_of
from relight.sandbox.web import JsonHandler, JsonServer, Partition
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

    def do_GET(self) -> None:
        """Predict one of the images that the model was not trained on."""
        address = urlsplit(self.path)
        sample = parse_qs(address.query).get("sample", ["0"])[0]
        if address.path != "/predict" or not sample.isascii() or not sample.isdigit() or len(sample) > 9:
            self.answer(404, {"error": "ask for /predict?sample=17"})
            return
        digits = self.server.digits
        index = TRAINED_ON + int(sample) % (len(digits.labels) - TRAINED_ON)
        self._answer_digit(digits.images[index], label=int(digits.labels[index]))

    def do_POST(self) -> None:
        """Predict the image that was sent."""
        try:
            image = np.asarray(self.body()["pixels"], dtype=np.float32)
            if image.shape != (64,):
                raise ValueError("an image has 64 pixels")
        except (KeyError, TypeError, ValueError) as error:
            self.answer(400, {"error": f'send {{"pixels": [64 numbers]}}: {error}'})
            return
        self._answer_digit(image)

    def _answer_digit(self, image: Floats, **more: Any) -> None:
        server = self.server
        self.answer(200, {"digit": server.predict(image), "site": server.site, "point": server.point, **more})


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
