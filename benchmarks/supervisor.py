"""The supervisor: how soon a new controller knows its processes again after kill -9 of the one before.

The peer is the floor: reading /proc/PID/stat of pids that somebody already knows, in the same run. It cannot
tell a process from another that was given its pid, knows no exit status, and reads no output.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

from benchmarks.table import row
from relight.supervisor import Supervisor

COUNT = 500
_WANTED = "wanted: under 2 s"


def start_all(folder: str) -> None:
    """The controller that will be killed: starts the processes, says so, and waits for its end."""
    supervisor = Supervisor(Path(folder))

    def start(number: int) -> None:
        supervisor.start("run", f"s{number}", ("sh", "-c", "echo '::progress 0.5 half'; sleep 300"), {})

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(start, range(COUNT)))
    print("started", flush=True)
    time.sleep(300)


def kill_a_controller(folder: Path) -> float:
    """Start everything and kill the controller; the seconds that one start took."""
    code = f"from benchmarks.supervisor import start_all; start_all({str(folder)!r})"
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as controller:
        assert controller.stdout
        assert controller.stdout.readline() == b"started\n"
        seconds = (time.perf_counter() - began) / COUNT
        controller.send_signal(signal.SIGKILL)
    return seconds


def bare_reads(folder: Path) -> float:
    records = [json.loads(path.read_bytes()) for path in folder.glob("run/*/attempt-1/started")]
    pids = [record[who][0] for record in records for who in ("keeper", "command")]
    began = time.perf_counter()
    for pid in pids:
        Path(f"/proc/{pid}/stat").read_bytes()
    return time.perf_counter() - began


def memory_of_keepers(folder: Path) -> float:
    """MiB that one keeper has for itself alone."""
    path = next(folder.glob("run/*/attempt-1/started"))
    pid = json.loads(path.read_bytes())["keeper"][0]
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        supervisor = Supervisor(folder, grace=timedelta(seconds=1))
        try:
            start = kill_a_controller(folder)
            began = time.perf_counter()
            again = Supervisor(folder)
            found = [again.find("run", f"s{number}") for number in range(COUNT)]
            seconds = time.perf_counter() - began
            assert all(process and process.running and process.progress for process in found)
            bare = bare_reads(folder)
            memory = memory_of_keepers(folder)
        finally:
            for number in range(COUNT):
                supervisor.stop("run", f"s{number}")
            _await_the_end(supervisor)
    row(f"{COUNT} processes found again after kill -9", f"{seconds:.3f} s", _WANTED)
    row(f"  bare reads of the same {2 * COUNT} pids in /proc", f"{bare:.3f} s", f"{seconds / bare:.1f} x")
    row("start of a process, its start durable, four at a time", f"{start * 1e3:.0f} ms")
    row("memory that a keeper has for itself", f"{memory:.1f} MiB")


def _await_the_end(supervisor: Supervisor) -> None:
    deadline = time.monotonic() + 60
    for number in range(COUNT):
        while (process := supervisor.find("run", f"s{number}")) and process.running:
            assert time.monotonic() < deadline, "processes are left"
            time.sleep(0.02)


if __name__ == "__main__":
    main()
