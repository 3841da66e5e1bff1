"""Nothing but loopback can be reached, and two people sign with their SSH keys: the site fails over."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.story
TESTS = Path(__file__).parents[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, for a network namespace of its own")
@pytest.mark.skipif(not shutil.which("ip"), reason="needs ip: apt-get install iproute2")
def test_a_failover_needs_nothing_outside_and_is_approved_by_two_ssh_keys(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "rig.isolated", str(tmp_path / "isolated")],
        capture_output=True,
        text=True,
        cwd=TESTS,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["reachable"] == [], "the namespace was not empty: the test tests nothing"
    assert told["result"] == "done", told["reason"]
    assert told["approvals"] == ["ann", "bob"]
    assert len(told["refusals"]) == 1
    assert "not signed" in told["refusals"][0]
