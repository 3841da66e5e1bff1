"""Detached processes of steps, found again by run and step after any crash of the controller.

Each process has a *keeper*: a tiny process of its own session that starts it, waits for it and writes down
how it ended. All are told apart by pid, start time and boot, so a pid that another program was given since is
never mistaken. Under systemd a controller needs `KillMode=process`, or its processes end with it.
"""

from relight.supervisor.processes import Supervisor

__all__ = ["Supervisor"]
