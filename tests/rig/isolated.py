"""A failover in a network namespace where there is nothing but loopback, approved by two SSH keys.

    python -m rig.isolated FOLDER

Run as root under `unshare --net`; prints one JSON object with what came of it. No identity provider, no DNS,
no registry, no cloud can be reached: what an approval needs must be here.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from relight.approval import body_of, new_statement, sign
from relight.control import ask, report_of
from relight.engine import Journal
from relight.plan import Plan
from relight.sandbox import Sandbox
from rig.signing import Person, make_key
from rig.sites import Sites, wait_until

GUARDED = '''
"""guarded-failover: site-failover, and two people say yes before anything is taken from the old side."""

from __future__ import annotations

from collections.abc import Mapping

from site_failover import RUNBOOK as FAILOVER

from relight.estate import Estate
from relight.plan import Gate, Plan, Runbook
from relight.situation import Situation


def build(estate: Estate, situation: Situation, inputs: Mapping[str, str]) -> Plan:
    """The plan of site-failover, with a gate in front of the fence."""
    plan = FAILOVER.build(estate, situation, inputs)
    gate = Gate(question="take the right to write from the old side?", identities=2)
    steps = [s.model_copy(update={"gate": gate}) if s.id == "fence-digits" else s for s in plan.steps]
    return plan.model_copy(update={"runbook": RUNBOOK.name, "steps": tuple(steps)})


RUNBOOK = Runbook(
    name="guarded-failover",
    summary="move the work of a lost site, when two people agree",
    build=build,
    inputs=FAILOVER.inputs,
)
'''


def main(folder: Path) -> dict[str, object]:
    keys = folder / "keys"
    keys.mkdir(parents=True)
    people = [Person(name, make_key(keys / name)) for name in ("ann", "bob")]
    with Sandbox(folder / "sites", approvers=("ann", "bob")) as sandbox:
        (sandbox.folder / "allowed_signers").write_text("".join(person.line() for person in people))
        with sandbox.estate_path.open("a") as estate:
            estate.write("approvals: {allowed_signers: allowed_signers}\n")
        sites = Sites(sandbox)
        (sandbox.folder / "runbooks" / "guarded_failover.py").write_text(GUARDED)
        wait_until("south holds a point", lambda: sites.newest_step("south") > 0)
        sandbox.kill_site("north")
        sites.wait_for_verdict("north", "lost")
        plan = sites.plan("guarded-failover")
        run = sites.submit(plan)
        assert not sites.drive(run, wait=False).ended
        hand_in(sites.journal, run, plan, people)
        state = sites.drive(run, wait=False)
        report = report_of(state, list(sites.journal.events(run)))
        return {
            "result": report.result,
            "reason": report.reason,
            "approvals": [said.identity for said in report.approvals],
            "refusals": list(report.refused_requests),
            "reachable": reachable(),
        }


def hand_in(journal: Journal, run: str, plan: Plan, people: list[Person]) -> None:
    """First an answer without a signature, which must not count; then everybody's."""
    gate = "fence-digits"
    unsigned = {"gate": gate, "digest": plan.digest, "reason": "I am ann, trust me"}
    ask(journal, run, "approve", identity="ann", body=unsigned)
    for person in people:
        statement = new_statement(
            run=run,
            gate=gate,
            digest=plan.digest,
            decision="approve",
            identity=person.name,
            reason="it is dark",
            at=datetime.now(UTC),
        )
        ask(journal, run, "approve", identity=person.name, body=body_of(sign(statement, person.key)))


def reachable() -> list[str]:
    """Interfaces besides loopback; in an empty network namespace there are none."""
    return [name for _, name in socket.if_nameindex() if name != "lo"]


if __name__ == "__main__":
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    print(json.dumps(main(Path(sys.argv[1]))))
