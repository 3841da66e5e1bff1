"""An API server, reached as a kubeconfig says, and what it says when it refuses.

Nothing is tried twice: the engine retries steps, and a survey has a deadline.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock, Thread
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException
from urllib3.exceptions import HTTPError, SSLError

from relight.errors import Conflict, NotFound, Refused, RelightError, Unreachable
from relight.estate import ClusterCredentials

TIMEOUT = (1.0, 2.0)  # seconds to connect, and to read
_LOADING_SECONDS = 1.8  # a kubeconfig may start a program that fetches a token
_MOST_SAID = 300
_UNAUTHORIZED, _FORBIDDEN, _ABSENT, _CONFLICT, _THROTTLED, _CANNOT_NOW = 401, 403, 404, 409, 429, 500


class ClusterAccess:
    """The cluster of one site; for any thread. `site` is how errors call it.

    `resolve` gives what is behind a reference: the text of the kubeconfig.
    """

    def __init__(self, site: str, credentials: ClusterCredentials, resolve: Callable[[str], str]) -> None:
        self.site = site
        self._declared = credentials
        self._resolve = resolve
        self._loading: Future[Any] | None = None
        self._lock = Lock()

    def apps(self) -> Any:
        """The API of Deployments."""
        return client.AppsV1Api(self._client())

    def batch(self) -> Any:
        """The API of Jobs."""
        return client.BatchV1Api(self._client())

    def core(self) -> Any:
        """The API of nodes and pods."""
        return client.CoreV1Api(self._client())

    def get(self, path: str) -> Mapping[str, Any]:
        """One object by its path ("/apis/apps/v1/namespaces/x/deployments/y"), as JSON."""
        with self.translated():
            answer = self._client().call_api(
                path,
                "GET",
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
                response_type="object",
                _request_timeout=TIMEOUT,
                _return_http_data_only=True,
            )
        found: Mapping[str, Any] = answer
        return found

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise what the client raises as errors of ours, each with its remedy."""
        try:
            yield
        except ApiException as error:
            raise self._refusal(error) from None
        except SSLError:
            raise Refused(
                f"{self.site}: the API server's certificate is not accepted, or ours is not",
                "see certificate-authority-data and the client's certificate in the kubeconfig",
            ) from None
        except HTTPError as error:
            raise Unreachable(
                f"{self.site}: the API server does not answer ({type(error).__name__})",
                "is it up, and reachable from here?",
            ) from None

    def _refusal(self, error: ApiException) -> RelightError:
        said = _said(error)
        kind: type[RelightError] = Refused
        remedy = "see what the API server wants here"
        if error.status == _UNAUTHORIZED:
            remedy = "the credentials are not accepted, and may have expired: renew the kubeconfig's user"
        elif error.status == _FORBIDDEN:
            remedy = "grant it to the kubeconfig's user, by a role and its binding"
        elif error.status == _ABSENT:
            kind, remedy = NotFound, "look whether the stack is up, or the name is right"
        elif error.status == _CONFLICT:
            kind, remedy = Conflict, "it was changed at the same time; try again"
        elif error.status == _THROTTLED or not error.status or error.status >= _CANNOT_NOW:
            kind, remedy = Unreachable, "the API server is not able now; look at its log"
        return kind(f"{self.site}: the API server says {error.status}: {said}", remedy)

    def _client(self) -> Any:
        with self._lock:
            if self._loading is None:
                self._loading = Future()
                Thread(target=self._load, args=(self._loading,), name="kubeconfig", daemon=True).start()
            loading = self._loading
        try:
            return loading.result(_LOADING_SECONDS)
        except TimeoutError:
            raise Unreachable(
                f"{self.site}: the program that the kubeconfig names for credentials is not done yet",
                "run kubectl by hand to see what it waits for",
            ) from None
        except RelightError:
            self._loading = None  # it may be mended meanwhile
            raise

    def _load(self, loading: Future[Any]) -> None:
        settings = client.Configuration()
        settings.retries = False
        logging.getLogger().addFilter(_without_output)
        try:
            self._read(settings)
        except ConfigException as error:
            loading.set_exception(self._unreadable(error))
        except RelightError as error:
            loading.set_exception(error)
        except (OSError, ValueError, TypeError, yaml.YAMLError, AttributeError) as error:
            loading.set_exception(self._unreadable(error))
        else:
            if settings.api_key or settings.cert_file or settings.username:
                loading.set_result(client.ApiClient(settings))
            else:  # the client goes on as nobody where a program gave it nothing
                loading.set_exception(
                    Refused(
                        f"{self.site}: the kubeconfig gives no credentials: no token, no certificate",
                        "try `kubectl version` with it: the program that it names may have failed",
                    )
                )

    def _read(self, settings: Any) -> None:
        context = self._declared.context
        if self._declared.kubeconfig is None:
            config.load_kube_config(context=context, client_configuration=settings, persist_config=False)
            return
        text = self._resolve(self._declared.kubeconfig)
        config.load_kube_config_from_dict(
            yaml.safe_load(text), context=context, client_configuration=settings, persist_config=False
        )

    def _unreadable(self, error: Exception) -> Refused:
        # Other words may repeat what a program printed, or a part of the file: a token, a key.
        why = f": {error}" if str(error).startswith("Invalid kube-config file") else ""
        return Refused(
            f"{self.site}: the kubeconfig cannot be used ({type(error).__name__}{why})"[:_MOST_SAID],
            "try `kubectl version` with it",
        )


def _without_output(record: logging.LogRecord) -> bool:
    """Not what a program for credentials printed: the client logs it whole, and it may be a secret."""
    return record.module != "kube_config"


def _said(error: ApiException) -> str:
    try:
        return str(json.loads(error.body)["message"])[:_MOST_SAID]
    except (ValueError, KeyError, TypeError):
        return str(error.reason)[:_MOST_SAID]
