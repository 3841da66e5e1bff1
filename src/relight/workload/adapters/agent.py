"""The scheduler behind a site agent's HTTP API.

GET /v1/workloads gives {"free_gpus": …, "workloads": […]}; PUT /v1/workloads/NAME starts, POST …/NAME/drain
drains, DELETE …/NAME stops, its header Relight-Step saying by whom; 409 means refused, 404 that the workload
was never started there.
"""

from __future__ import annotations

from urllib.parse import quote

import httpx
from pydantic import ValidationError

from relight.canonical import Frozen
from relight.errors import NotFound, Refused, RelightError, Unreachable
from relight.workload.port import Running

# Together below the two seconds that a handler has. A connection per request: an agent that was restarted
# closes the ones that are kept, and a request must not fail for that.
_TIMEOUT = httpx.Timeout(connect=0.8, read=1.0, write=0.5, pool=0.5)
_NO_KEEPING = httpx.Limits(max_keepalive_connections=0)


class _Listing(Frozen):
    free_gpus: int
    workloads: tuple[Running, ...]


class AgentScheduler:
    """A `Scheduler` over the agent of one site; `site` is how errors call it."""

    def __init__(self, site: str, url: str) -> None:
        self._site = site
        self._client = httpx.Client(
            base_url=url,
            timeout=_TIMEOUT,
            limits=_NO_KEEPING,
            trust_env=False,  # a site is asked itself, not through somebody's proxy
            verify=url.startswith("https:"),  # loading the certificates takes a while: only where needed
        )

    def free_gpus(self) -> int:
        """See Scheduler.free_gpus."""
        return self._listing().free_gpus

    def running(self) -> tuple[Running, ...]:
        """See Scheduler.running."""
        return self._listing().workloads

    def start(
        self, workload: str, *, token: str, epoch: int, gpus: int, point: str | None, folder: str | None
    ) -> None:
        """See Scheduler.start."""
        wanted: dict[str, str | int | None] = {"token": token, "epoch": epoch, "gpus": gpus}
        wanted |= {"point": point, "folder": folder}
        self._ask("PUT", _path(workload), json=wanted)

    def drain(self, workload: str) -> None:
        """See Scheduler.drain."""
        self._ask("POST", f"{_path(workload)}/drain")

    def stop(self, workload: str, *, by: str = "") -> None:
        """See Scheduler.stop."""
        try:
            self._ask("DELETE", _path(workload), headers={"Relight-Step": by} if by else None)
        except NotFound:
            return  # what was never started does not run

    def _listing(self) -> _Listing:
        response = self._ask("GET", "/v1/workloads")
        try:
            return _Listing.model_validate_json(response.content)
        except ValidationError as error:
            raise RelightError(
                f"the agent of {self._site} answers what is not understood: {error.error_count()} faults",
                "do the versions of agent and controller fit?",
            ) from None

    def _ask(
        self,
        method: str,
        path: str,
        *,
        json: dict[str, str | int | None] | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        try:
            response = self._client.request(method, path, json=json, headers=headers)
        except httpx.RequestError as error:
            raise Unreachable(
                f"the agent of {self._site} does not answer ({error or type(error).__name__})",
                "is it up, and reachable from here?",
            ) from None
        if response.is_success:
            return response
        said = f"the agent of {self._site}: {_said(response)}"
        if response.is_server_error:
            raise Unreachable(said, "look into the agent's log")
        if response.status_code == httpx.codes.NOT_FOUND:
            raise NotFound(said, "is the workload's name right?")
        raise Refused(said, "relight workload list shows what runs there")


def _path(workload: str) -> str:
    return f"/v1/workloads/{quote(workload, safe='')}"


def _said(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"])[:300]
    except (ValueError, KeyError, TypeError):
        return f"status {response.status_code}"
