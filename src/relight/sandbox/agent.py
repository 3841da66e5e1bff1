"""The control plane of one site: starts and ends workloads, says what runs, and that the site lives.

    python -m relight.sandbox.agent FOLDER SITE

    GET    /health                      200 {"site", "progress": {workload: training step}}
    GET    /v1/workloads                200 {"free_gpus", "workloads": [as relight.workload.Running]}
    PUT    /v1/workloads/{name}         201 started, 200 runs already; 409 other token, or too few free GPUs
           {"token", "epoch", "gpus", "point", "folder"}
    POST   /v1/workloads/{name}/drain   202
    DELETE /v1/workloads/{name}         204; its header Relight-Step says by whom

A workload that is not known is 404, and every error is {"error": "…"}.
"""

from __future__ import annotations

import logging
import re
import sys
from pathlib import Path
from typing import Any

from pydantic import Field

from relight.canonical import Frozen
from relight.errors import NotFound
from relight.sandbox.assignment import Assignment
from relight.sandbox.layout import Layout
from relight.sandbox.web import JsonHandler, JsonServer, Partition, Response
from relight.sandbox.workloads import Workloads

_WORKLOAD = re.compile(r"/v1/workloads/([a-z][a-z0-9-]{0,39})(/drain)?")


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

    def respond(self, method: str, path: str, body: dict[str, Any]) -> Response:
        """See JsonHandler.respond."""
        workloads = self.server.workloads
        named = _WORKLOAD.fullmatch(path)
        match method, named and named[2]:
            case "GET", None if path == "/health":
                return 200, {"site": self.server.site, "progress": workloads.progress()}
            case "GET", None if path == "/v1/workloads":
                running = [each.model_dump(mode="json") for each in workloads.running()]
                return 200, {"free_gpus": workloads.free_gpus(), "workloads": running}
            case "PUT", None if named:
                wanted = Assignment(named[1], **_Start.model_validate(body).model_dump())
                return (201 if workloads.start(wanted) else 200), {}
            case "POST", "/drain" if named:
                workloads.drain(named[1])
                return 202, {}
            case "DELETE", None if named:
                workloads.stop(named[1], self.headers.get("Relight-Step", ""))
                return 204, None
        raise NotFound(f"no {method} at {path}")


def main(folder: str, site: str) -> None:
    """Serve until killed."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    AgentServer(Layout.load(Path(folder)), site).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
