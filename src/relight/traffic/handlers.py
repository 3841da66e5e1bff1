"""Carries out the kinds of step of this room."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import httpx

from relight.errors import RelightError, Unreachable
from relight.plan import Context, Done, Failed, Outcome, Progress, Working
from relight.traffic.port import Names
from relight.traffic.steps import SwapName, SwappedName, VerifiedClient, VerifyClient

_CALL_SECONDS = 1.5  # no new look that would end after this, going by the longest before it
_TIMEOUT = httpx.Timeout(connect=0.4, read=0.6, write=0.2, pool=0.2)
_AGAIN = timedelta(seconds=0.3)


class NameServers(Protocol):
    """The name servers of the estate."""

    def names(self, server: str) -> Names:
        """A server, as the estate calls it."""


class SwapNameHandler:
    """Looks at every server before it changes any, then changes those that still give the old address.

    A server without a record for the name, such as one that was rebuilt, is given the new one.
    """

    def __init__(self, world: NameServers) -> None:
        self._world = world

    def attempt(self, spec: SwapName, context: Context) -> Outcome:
        """See Handler.attempt."""
        seen = _ask_all(spec.servers, lambda server: self._world.names(server).address(spec.name))
        strange = {
            server: address
            for server, address in seen.items()
            if not isinstance(address, RelightError) and address not in (None, spec.old, spec.new)
        }
        if strange:
            shown = ", ".join(f"{server} gives {address}" for server, address in strange.items())
            return Failed(
                f"{spec.name} is neither {spec.old} nor {spec.new}: {shown}",
                "somebody else changed it: find out why, and make a new plan",
            )
        outdated = [server for server, address in seen.items() if address in (None, spec.old)]
        changed = _ask_all(outdated, lambda server: self._swap(spec, context, server, seen[server]))
        return self._conclude(spec, seen | changed)

    def _swap(
        self, spec: SwapName, context: Context, server: str, old: str | RelightError | None
    ) -> str | None:
        context.check()
        current = old if isinstance(old, str) else None
        self._world.names(server).swap(spec.zone, spec.name, ttl=spec.ttl_seconds, old=current, new=spec.new)
        return spec.new

    def _conclude(self, spec: SwapName, results: dict[str, str | RelightError | None]) -> Outcome:
        errors = [result for result in results.values() if isinstance(result, RelightError)]
        for error in errors:
            if not isinstance(error, Unreachable):
                raise error
        updated = tuple(server for server in spec.servers if results[server] == spec.new)
        if len(updated) < spec.at_least:
            said = "; ".join(error.what for error in errors)
            raise Unreachable(
                f"{spec.name}: {len(updated)} of at least {spec.at_least} servers give {spec.new}: {said}",
                "bring name servers back, or change the record by hand, then retry the step",
            )
        silent = tuple(server for server in spec.servers if server not in updated)
        return Done(SwappedName(updated=updated, unreachable=silent))


@dataclass
class _Streak:
    """Good answers in a row, over the calls of one attempt; lost with the process, which is harmless."""

    attempt: int
    length: int = 0


class VerifyClientHandler:
    """Resolves the name and asks the URL there, again and again, until enough answers in a row are good.

    Every server that answers must give the expected address: a client may be asking any of them.
    """

    def __init__(self, world: NameServers) -> None:
        self._world = world
        self._streaks: dict[str, _Streak] = {}
        # A connection per request, as new clients make them, and never through a proxy. Certificates are
        # checked, for the host of the URL.
        self._client = httpx.Client(
            timeout=_TIMEOUT, limits=httpx.Limits(max_keepalive_connections=0), trust_env=False
        )

    def attempt(self, spec: VerifyClient, context: Context) -> Outcome:
        """See Handler.attempt; this kind only looks."""
        streak = self._streaks.get(context.token)
        if streak is None or streak.attempt != context.attempt:
            streak = self._streaks[context.token] = _Streak(context.attempt)
        deadline = time.monotonic() + _CALL_SECONDS
        longest = 0.0
        while (began := time.monotonic()) + longest < deadline:
            seen = self._look(spec)
            longest = max(longest, time.monotonic() - began)
            if isinstance(seen, str):
                streak.length = 0
                return Working(_AGAIN, Progress(note=seen))
            streak.length += 1
            if streak.length >= spec.times:
                held = context.started_at + timedelta(seconds=spec.ttl_seconds) - context.now()
                if held > timedelta(0):
                    return Working(held, Progress(note="it answers; caches may still hold the old address"))
                del self._streaks[context.token]
                return Done(seen)
        fraction = streak.length / spec.times
        return Working(
            timedelta(0),
            Progress(note=f"{streak.length} of {spec.times} answers in a row", fraction=fraction),
        )

    def _look(self, spec: VerifyClient) -> VerifiedClient | str:
        """One look of a client: what it saw, or what is not yet as it should."""
        given = _ask_all(spec.servers, lambda server: self._world.names(server).address(spec.name))
        answers = {server: a for server, a in given.items() if not isinstance(a, RelightError)}
        if not answers:
            return "; ".join(str(error) for error in given.values())
        for server, address in answers.items():
            if address != spec.expect:
                return f"{server} gives {address or 'no address'} for {spec.name}, not {spec.expect}"
        began = time.monotonic()
        try:
            status = self._get(spec.url, spec.expect)
        except httpx.TransportError as error:
            return f"{spec.url} at {spec.expect} does not answer ({error or type(error).__name__})"
        if not httpx.codes.is_success(status):
            return f"{spec.url} at {spec.expect} answers with {status}"
        milliseconds = round((time.monotonic() - began) * 1000, 1)
        return VerifiedClient(address=spec.expect, status=status, milliseconds=milliseconds)

    def _get(self, url: str, address: str) -> int:
        """The status of a URL, asked at an address that we resolved: host and path stay the URL's own."""
        asked = httpx.URL(url)
        request = self._client.build_request(
            "GET",
            asked.copy_with(host=address),
            headers={"Host": asked.netloc.decode("ascii")},
            extensions={"sni_hostname": asked.host},
        )
        response = self._client.send(request, stream=True)
        response.close()  # the status says it; the body may be long
        return response.status_code


def _ask_all(
    servers: Iterable[str], ask: Callable[[str], str | None]
) -> dict[str, str | RelightError | None]:
    """Ask every server at the same time; an error is an answer too."""

    def answer(server: str) -> str | RelightError | None:
        try:
            return ask(server)
        except RelightError as error:
            return error

    names = tuple(servers)
    if not names:
        return {}
    with ThreadPoolExecutor(len(names), thread_name_prefix="names") as pool:
        return dict(zip(names, pool.map(answer, names), strict=True))
