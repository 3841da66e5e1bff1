"""How what an agent answers is translated."""

from __future__ import annotations

import time

import pytest

from relight.errors import NotFound, Refused, RelightError, Unreachable
from relight.workload.adapters.agent import AgentScheduler
from rig.http import Answer, Asked, http_server


@pytest.mark.parametrize(
    ("answer", "error", "said"),
    [
        ((409, b'{"error": "it runs already"}'), Refused, "it runs already"),
        ((409, b"no JSON"), Refused, "status 409"),
        ((400, b'["no object"]'), Refused, "status 400"),
        ((404, b'{"error": "never started"}'), NotFound, "never started"),
        ((503, b'{"error": "comes up"}'), Unreachable, "comes up"),
        ((0, b""), Unreachable, "north"),
    ],
)
def test_an_answer_that_is_no_success_says_what_it_means(
    answer: Answer, error: type[RelightError], said: str
) -> None:
    with http_server(lambda _: answer) as server, pytest.raises(error, match=said):
        AgentScheduler("north", server.url).drain("digits")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"free_gpus": 1}', b'{"free_gpus": "x", "workloads": []}'])
def test_a_listing_that_is_not_understood_is_an_error_and_never_a_default(body: bytes) -> None:
    with (
        http_server(lambda _: (200, body)) as server,
        pytest.raises(RelightError, match="not understood"),
    ):
        AgentScheduler("north", server.url).free_gpus()


def test_a_name_cannot_leave_its_place_in_the_path() -> None:
    with http_server(lambda _: (204, b"")) as server:
        AgentScheduler("north", server.url).stop("../a/b?c", by="run-1/s")
    assert server.asked[0].path == "/v1/workloads/..%2Fa%2Fb%3Fc"
    assert server.asked[0].headers["relight-step"] == "run-1/s"


def test_an_agent_that_hangs_is_unreachable_within_two_seconds() -> None:
    def hang(_: Asked) -> Answer:
        time.sleep(1.3)
        return 0, b""

    with http_server(hang) as server:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            AgentScheduler("north", server.url).running()
        assert time.monotonic() - began < 2
