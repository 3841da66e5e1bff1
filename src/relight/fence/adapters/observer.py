"""An observer over HTTP: GET {url}/v1/sites/{site} gives {"opinions": [Opinion, …]}."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from relight.canonical import Frozen
from relight.errors import StoreError, Unreachable
from relight.situation import Opinion

_TIMEOUT = httpx.Timeout(1.0, connect=0.5)  # seconds; who asks has a deadline of its own
_LARGEST_BYTES = 1_000_000


class _Answer(Frozen):
    opinions: tuple[Opinion, ...]


class HttpLookout:
    """See `Lookout`; `name` is how the estate calls the observer."""

    def __init__(self, name: str, url: str) -> None:
        self._name = name
        self._url = url.rstrip("/")

    def opinions(self, site: str) -> tuple[Opinion, ...]:
        """See Lookout.opinions. Raise StoreError if what answers is not this observer."""
        content = self._ask(f"{self._url}/v1/sites/{quote(site, safe='')}")
        try:
            opinions = _Answer.model_validate_json(content).opinions
        except ValidationError:
            raise StoreError(
                f"{self._url} answers, but not as an observer does", "check the URL of observer " + self._name
            ) from None
        # One observer under two names would have two votes.
        strangers = sorted({o.observer for o in opinions if o.observer != self._name})
        if strangers:
            raise StoreError(
                f"{self._url} answers as {', '.join(strangers)}, not as {self._name}",
                "check the URLs of the observers",
            )
        return tuple(opinion for opinion in opinions if opinion.site == site)

    def clock(self) -> datetime | None:
        """See Lookout.clock: the `Date` of an answer, whichever answer it is."""
        try:
            with (
                httpx.Client(timeout=_TIMEOUT, trust_env=False, verify=_tls()) as client,
                client.stream("GET", self._url) as response,
            ):
                shown = response.headers.get("Date")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._silent(self._url, error) from None
        try:
            return parsedate_to_datetime(shown).astimezone(UTC) if shown else None
        except ValueError:
            return None

    def _ask(self, url: str) -> bytes:
        try:
            # Proxies of the environment are left out: an observer is asked itself or not at all.
            with (
                httpx.Client(timeout=_TIMEOUT, trust_env=False, verify=_tls()) as client,
                client.stream("GET", url) as response,
            ):
                if response.status_code != httpx.codes.OK:
                    raise Unreachable(f"observer {self._name} answers {response.status_code} at {url}")
                content = b""
                for part in response.iter_bytes():
                    content += part
                    if len(content) > _LARGEST_BYTES:
                        raise StoreError(f"observer {self._name} answers with too much", f"check {url}")
                return content
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._silent(url, error) from None

    def _silent(self, url: str, error: Exception) -> Unreachable:
        why = str(error) or type(error).__name__
        return Unreachable(
            f"observer {self._name} does not answer at {url}: {why}", "is it up, and reachable from here?"
        )


@cache
def _tls() -> ssl.SSLContext:
    # Reading the system's certificates takes tens of milliseconds: once is enough.
    return ssl.create_default_context()
