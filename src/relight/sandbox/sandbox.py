"""Two sites on loopback: starts them, breaks them, and counts what a client saw of it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from relight.errors import UsageError
from relight.sandbox.client_log import ClientLog
from relight.sandbox.layout import OBSERVERS, SITES, Layout, write_json
from relight.sandbox.processes import Processes
from relight.sandbox.starting import await_site, launch_site, start_all


class Sandbox:
    """One sandbox in one folder. As a context manager it is started, and stopped at the end."""

    def __init__(
        self,
        folder: Path,
        *,
        checkpoint_every: float = 2.0,
        steps_per_second: float = 20.0,
        approvers: tuple[str, ...] = (),
    ) -> None:
        self._layout = Layout.create(folder.absolute(), checkpoint_every, steps_per_second, approvers)
        self._processes = Processes(self._layout)

    @classmethod
    def attach(cls, folder: Path) -> Sandbox:
        """The sandbox that was started in a folder, by whichever process. Raise RelightError."""
        self = cls.__new__(cls)
        self._layout = Layout.load(folder.absolute())
        self._processes = Processes.find(self._layout)
        return self

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def folder(self) -> Path:
        """Where everything of it is."""
        return self._layout.folder

    @property
    def estate_path(self) -> Path:
        """The sandbox as an estate."""
        return self._layout.folder / "estate.yaml"

    def start(self) -> None:
        """Start everything: when it returns, north trains and serves, and south has a copy of a point.

        Raise RelightError, with the end of its log, about a process that does not come up; UsageError if a
        sandbox runs in this folder already.
        """
        self._require_unused()
        try:
            start_all(self._layout, self._processes)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of the sandbox; the folder stays."""
        self._processes.kill(*self._processes.groups)

    def kill_site(self, site: str) -> datetime:
        """SIGKILL to all processes of a site at once; return when, in UTC."""
        _require_site(site)
        at = datetime.now(UTC)
        self._processes.kill(site)
        return at

    def rebuild_site(self, site: str) -> None:
        """Bring a dead site's services up again, empty: no points, no names, no workloads."""
        if self.alive(site):
            raise UsageError(f"{site} is not dead", "kill it first")
        shutil.rmtree(self._layout.site(site))
        self.heal(site)
        launch_site(self._layout, self._processes, site)
        await_site(self._layout, self._processes, site)

    def partition(self, site: str, observers: tuple[str, ...]) -> None:
        """From now on the site does not answer these observers; otherwise it goes on as ever."""
        _require_site(site)
        if unknown := set(observers) - set(OBSERVERS):
            raise UsageError(f"no observer {', '.join(sorted(unknown))}", f"there are {', '.join(OBSERVERS)}")
        write_json(self._layout.partition(site), {"deaf_to": [OBSERVERS[name] for name in observers]})

    def heal(self, site: str) -> None:
        """The site answers every observer again."""
        _require_site(site)
        self._layout.partition(site).unlink(missing_ok=True)

    def alive(self, site: str) -> tuple[int, ...]:
        """The ids of a site's processes."""
        _require_site(site)
        return self._processes.alive(site)

    def client_log(self) -> ClientLog:
        """What the client went through until now."""
        return ClientLog.read(self._layout.client_log)

    def _require_unused(self) -> None:
        if not (self.folder / "layout.json").exists():
            return
        before = Processes.find(Layout.load(self.folder))
        if before.alive(*before.groups):
            raise UsageError(f"a sandbox runs in {self.folder}", "stop it, or choose another folder")


def _require_site(site: str) -> None:
    if site not in SITES:
        raise UsageError(f"no site {site!r}", f"there are {', '.join(SITES)}")
