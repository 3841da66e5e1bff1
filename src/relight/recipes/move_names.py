"""Moving DNS names from one site to another, and proving it from a client's side."""

from __future__ import annotations

from datetime import timedelta

from relight.estate import DnsName, Estate
from relight.plan import Estimate, Finding, RetryPolicy, Step
from relight.situation import Known, Situation
from relight.traffic import SwapName, VerifyClient

_PATIENT = RetryPolicy(attempts=6, first=timedelta(seconds=0.5), longest=timedelta(seconds=5))


def move_names(
    estate: Estate, situation: Situation, workload: str, old_site: str, new_site: str
) -> tuple[list[Step], list[Finding], tuple[str, ...]]:
    """Steps that move every name of a workload after it started, findings, and the claims on the names."""
    steps: list[Step] = []
    findings: list[Finding] = []
    claims: list[str] = []
    for key, declared in estate.dns.names.items():
        if (
            declared.serves != workload
            or old_site not in declared.targets
            or new_site not in declared.targets
        ):
            continue
        steps += _moved(key, declared, workload, old_site, new_site)
        findings += _name_findings(situation, key, declared, old_site, new_site)
        claims.append(f"dns:{declared.name}")
    return steps, findings, tuple(claims)


def _moved(key: str, declared: DnsName, workload: str, old_site: str, new_site: str) -> list[Step]:
    old, new = str(declared.targets[old_site]), str(declared.targets[new_site])
    swapped = SwapName(
        name=declared.name,
        zone=declared.zone,
        ttl_seconds=int(declared.ttl.total_seconds()),
        servers=declared.servers,
        old=old,
        new=new,
    )
    swap = Step(
        id=f"swap-{key}",
        title=f"point {declared.name} at {new_site}",
        spec=swapped,
        undo=swapped.model_copy(update={"old": new, "new": old}),
        after=(f"start-{workload}",),
        retry=_PATIENT,
    )
    if declared.check is None:
        return [swap]
    check = Step(
        id=f"ask-{key}",
        title=f"ask {declared.name} as a client does",
        spec=VerifyClient(
            name=declared.name,
            servers=declared.servers,
            url=declared.check,
            expect=new,
            ttl_seconds=int(declared.ttl.total_seconds()),
        ),
        after=(swap.id,),
        timeout=declared.ttl + timedelta(minutes=1),
        retry=RetryPolicy(attempts=3),
        estimate=Estimate(p50=declared.ttl + timedelta(seconds=0.2), p90=declared.ttl + timedelta(seconds=5)),
    )
    return [swap, check]


def _name_findings(
    situation: Situation, key: str, declared: DnsName, old_site: str, new_site: str
) -> list[Finding]:
    seen = situation.dns[key].addresses if key in situation.dns else {}
    known = {server: answer.value for server, answer in seen.items() if isinstance(answer, Known)}
    silent = {server: answer.reason for server, answer in seen.items() if not isinstance(answer, Known)}
    expected = {str(declared.targets[old_site]), str(declared.targets[new_site])}
    findings = [
        Finding(
            strength="block",
            code="name-elsewhere",
            subject=declared.name,
            message=f"{server} gives {address} for {declared.name}, which belongs to neither site",
            remedy="somebody changed it by hand: put it right first",
        )
        for server, address in known.items()
        if address not in expected
    ]
    if silent and not known:
        message = (
            f"no name server of {declared.name} answers: {'; '.join(f'{s}: {r}' for s, r in silent.items())}"
        )
        findings.append(
            Finding(strength="block", code="no-name-server", subject=declared.name, message=message)
        )
    elif silent:
        message = (
            f"{', '.join(silent)} does not answer and will go on giving the old address if it comes back"
        )
        findings.append(
            Finding(strength="warning", code="name-server-silent", subject=declared.name, message=message)
        )
    return findings
