"""What fits no other room: secrets resolve, files are read, programs are here, addresses take connections.

What the estate declares is tried once for all; what only a step of some plan names, for that plan.
"""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from relight.errors import RelightError, Unreachable
from relight.estate import ClusterSite, Estate, GoogleSite, OwnNodes, S3Store, SecretRef
from relight.generic.ansible_steps import Ansible
from relight.generic.handlers import Secretive
from relight.generic.steps import Http, Shell
from relight.plan import Spec
from relight.situation import PreflightCheck

_PLAYBOOKS = "ansible-playbook"
_SIGNATURES = "ssh-keygen"
_GET_IT = {_PLAYBOOKS: "pip install relight[ansible]", _SIGNATURES: "apt-get install openssh-client"}
_CONNECT_SECONDS = 1.0


def preflight(estate: Estate, world: Secretive) -> Iterator[PreflightCheck]:
    """One check per secret, file and program that the estate needs here."""
    for reference, things in declared_secrets(estate).items():
        yield _secret(reference, (f"secret:{reference}", *things), world)
    for path, readers in _declared_files(estate).items():
        yield _file(path, (f"file:{path}", *readers), world)
    for program, callers in _declared_programs(estate).items():
        yield _program(program, (f"program:{program}", *callers), world)


def declared_secrets(estate: Estate) -> dict[SecretRef, tuple[str, ...]]:
    """Every reference to a secret in the estate, and the things that cannot be used without it."""
    found: dict[SecretRef, dict[str, None]] = {}
    for name, store in estate.stores.items():
        things = [f"store:{name}", *(["witness"] if name == estate.witness.store else [])]
        keys = (store.access_key, store.secret_key) if isinstance(store, S3Store) else (store.key_file,)
        for reference in keys:
            if reference:
                found.setdefault(reference, {}).update(dict.fromkeys(things))
    for name, server in estate.dns.servers.items():
        found.setdefault(server.key.secret, {})[f"server:{name}"] = None
    for reference, thing in _provisioning_secrets(estate):
        found.setdefault(reference, {})[thing] = None
    return {reference: tuple(things) for reference, things in found.items()}


def _provisioning_secrets(estate: Estate) -> Iterator[tuple[SecretRef, str]]:
    """What stacks cannot be updated without, and the stack."""
    if estate.stacks is None:
        return
    for name, site in estate.sites.items():
        if isinstance(site, GoogleSite) and site.credentials.key_file:
            yield site.credentials.key_file, f"stack:{name}"
        if isinstance(site, ClusterSite) and site.credentials.kubeconfig:
            yield site.credentials.kubeconfig, f"stack:{name}"
        if estate.stacks.passphrase:
            yield estate.stacks.passphrase, f"stack:{name}"
    for name, link in estate.links.items():
        if link.preshared_key:
            yield link.preshared_key, f"stack:{name}"


def _declared_files(estate: Estate) -> dict[str, list[str]]:
    """Every file that the estate names, and what cannot be done without it."""
    found: dict[str, list[str]] = {}
    if estate.approvals:
        for path in (estate.approvals.allowed_signers, estate.approvals.revoked_keys):
            if path:
                found.setdefault(path, []).append("approvals")
    for name, site in estate.sites.items():
        for path in (
            (site.ssh.key_file, site.ssh.known_hosts) if isinstance(site, OwnNodes) and site.ssh else ()
        ):
            if path:
                found.setdefault(path, []).append(f"ssh:{name}")
    return found


def _declared_programs(estate: Estate) -> dict[str, list[str]]:
    reached = [
        f"ssh:{name}" for name, site in estate.sites.items() if isinstance(site, OwnNodes) and site.ssh
    ]
    return ({_SIGNATURES: ["approvals"]} if estate.approvals else {}) | (
        {_PLAYBOOKS: reached} if reached else {}
    )


def needs(specs: Iterable[Spec], estate: Estate) -> Iterator[str]:
    """What steps need of this room: secrets, files, programs, addresses."""
    del estate
    for spec in specs:
        match spec:
            case Shell():
                yield f"program:{_program_of(spec)}"
                yield from (f"secret:{reference}" for reference in spec.secrets.values())
            case Http():
                yield from (f"secret:{reference}" for reference in spec.secret_headers.values())
                if address := _address_of(spec):
                    yield f"address:{address[0]}:{address[1]}"
            case Ansible():
                yield from (f"program:{_PLAYBOOKS}", f"file:{spec.playbook}")
                yield from ([f"ssh:{spec.site}"] if spec.site else [])
                passwords = [spec.vault_password] if spec.vault_password else []
                yield from (f"secret:{reference}" for reference in (*spec.secrets.values(), *passwords))


def step_checks(specs: Iterable[Spec], estate: Estate, world: Secretive) -> Iterator[PreflightCheck]:
    """Checks of what only these steps name, each once."""
    declared = {thing for check in preflight(estate, world) for thing in check.things}
    for need in dict.fromkeys(needs(specs, estate)):
        if need in declared:
            continue
        kind, _, name = need.partition(":")
        match kind:
            case "secret":
                yield _secret(name, (need,), world)
            case "file":
                yield _file(name, (need,), world)
            case "program":
                yield _program(name, (need,), world)
            case "address":
                yield PreflightCheck(f"{name} takes connections", (need,), partial(_connect, name))


def _secret(reference: SecretRef, things: tuple[str, ...], world: Secretive) -> PreflightCheck:
    return PreflightCheck(f"the secret {reference} resolves", things, partial(_resolve, world, reference))


def _file(path: str, things: tuple[str, ...], world: Secretive) -> PreflightCheck:
    return PreflightCheck(f"the file {path} can be read", things, partial(_read, world, path))


def _program(name: str, things: tuple[str, ...], world: Secretive) -> PreflightCheck:
    return PreflightCheck(f"{name} can be started here", things, partial(_find, world, name))


def _program_of(spec: Shell) -> str:
    """The program as it is looked for: a path is one below the folder that the step runs in."""
    program = spec.command[0]
    return str(Path(spec.folder or ".") / program) if "/" in program else program


def _address_of(spec: Http) -> tuple[str, int] | None:
    """Host and port; None where an earlier step is to say them, or the URL is none."""
    if not isinstance(spec.url, str):
        return None
    try:
        parts = urlsplit(spec.url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None


def _resolve(world: Secretive, reference: SecretRef) -> str:
    world.secrets.resolve(reference)
    return "it has a value"


def _read(world: Secretive, path: str) -> str:
    try:
        with (world.project / Path(path).expanduser()).open("rb") as file:
            file.read(1)
    except OSError as error:
        raise RelightError(f"{path} cannot be read: {error.strerror}", "check path and rights") from None
    return "it is there"


def _find(world: Secretive, name: str) -> str:
    # What was installed with Relight stands beside its Python, which need not be on PATH.
    search = os.pathsep.join((os.environ.get("PATH", os.defpath), str(Path(sys.executable).parent)))
    found = shutil.which(str(world.project / name) if "/" in name else name, path=search)
    if found is None:
        raise RelightError(
            f"there is no program {name} here", _GET_IT.get(name, "install it where plans run")
        )
    return found


def _connect(address: str) -> str:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except OSError as error:
        raise Unreachable(
            f"{address} takes no connection: {error.strerror or error}", "is it up, and reachable from here?"
        ) from None
    return "it takes connections"
