"""The control plane of one site: starts and ends workloads, says what runs, and that the site lives.

    python -m relight.sandbox.agent FOLDER SITE

    GET    /health                      200 {"site", "progress": {workload: training step}}
    GET    /v1/workloads                200 {"free_gpus", "workloads": [as relight.workload.Running]}
    PUT    /v1/workloads/{name}         201 started, 200 runs already; 409 other token, or too few free GPUs
           {"token", "epoch", "gpus", "point", "folder"}
    POST   /v1/workloads/{name}/drain   202
    DELETE /v1/workloads/{name}         204

A workload that is not known is 404, and every error is {"error": "…"}.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import Field

from relight.canonical import Frozen
from relight.errors import NotFound, Refused
from relight.sandbox.assignment import Assignment
from relight.sandbox.layout import Layout
from relight.sandbox.web import JsonHandler, JsonServer, Partition
from relight.sandbox.workloads import Workloads

_WORKLOAD = re.compile(r"/v1/workloads/([a-z][a-z0-9-]{0,39})")


class _Start(Frozen):
    token: str
    epoch: int = Field(ge=0)
    gpus: int = Field(ge=0)
    point: str | None = None
    folder: str | None = None


class AgentServer(JsonServer):
    """The agent of one site."""

    def __init__(self, layout: Layout, site: str) -> None:
        super().__init__(("127.0.0.1", layout.ports[f"agent-{site}"]), AgentHandler)
        self.partition = Partition(layout.partition(site))
        self.site = site
        self.workloads = Workloads(layout, site)


class AgentHandler(JsonHandler):
    """Answers one request."""

    server: AgentServer

    def do_GET(self) -> None:
        """Health, or what runs."""
        workloads = self.server.workloads
        if self.path == "/health":
            self.answer(200, {"site": self.server.site, "progress": workloads.progress()})
        elif self.path == "/v1/workloads":
            running = [each.model_dump(mode="json") for each in workloads.running()]
            self.answer(200, {"free_gpus": workloads.free_gpus(), "workloads": running})
        else:
            self.answer(404, {"error": f"nothing at {self.path}"})

    def do_PUT(self) -> None:
        """Start a workload."""
        self._change("", self._start)

    def do_POST(self) -> None:
        """Drain a workload."""
        self._change("/drain", self._drain)

    def do_DELETE(self) -> None:
        """Stop a workload."""
        self._change("", self._stop)

    def _change(self, ending: str, change: Callable[[str, dict[str, Any]], int]) -> None:
        try:
            body = self.body()
            named = _WORKLOAD.fullmatch(self.path.removesuffix(ending))
            if not named or not self.path.endswith(ending):
                raise NotFound(f"nothing at {self.path}")
            self.answer(change(named[1], body))
        except NotFound as error:
            self.answer(404, {"error": str(error)})
        except Refused as error:
            self.answer(409, {"error": str(error)})
        except ValueError as error:
            self.answer(400, {"error": str(error)})

    def _start(self, name: str, body: dict[str, Any]) -> int:
        wanted = _Start.model_validate(body)
        return 201 if self.server.workloads.start(Assignment(name, **wanted.model_dump())) else 200

    def _drain(self, name: str, _body: dict[str, Any]) -> int:
        self.server.workloads.drain(name)
        return 202

    def _stop(self, name: str, _body: dict[str, Any]) -> int:
        self.server.workloads.stop(name)
        return 204


def main(folder: str, site: str) -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    AgentServer(Layout.load(Path(folder)), site).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
