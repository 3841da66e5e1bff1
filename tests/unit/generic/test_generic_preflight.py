"""Secrets, files, programs and addresses that plans would need: found before they are."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from relight.estate import Estate, Secrets
from relight.generic import Http, Shell
from relight.generic.ansible_steps import Ansible
from relight.generic.preflight import declared_secrets, needs, preflight, step_checks
from relight.plan import Ref
from rig.estates import an_estate
from rig.preflights import failing, outcomes

VALUE = "correct-horse-battery"


class World:
    def __init__(self, project: Path) -> None:
        self.project = project
        self.secrets = Secrets(project)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "key").write_text(VALUE)
    return World(tmp_path)


def an_estate_with(**changes: Any) -> Estate:
    declared = an_estate().model_dump(mode="json", by_alias=True)
    for name in ("north", "witness"):
        declared["stores"][name] |= {"access_key": f"env:{name.upper()}", "secret_key": "file:key"}
    return Estate.model_validate(declared | changes)


def test_every_secret_that_an_estate_points_at_is_tried() -> None:
    estate = an_estate_with()
    written = json.dumps(estate.model_dump(mode="json", by_alias=True))
    references = set(re.findall(r'"((?:env|file|cmd):[^"]+)"', written))
    assert set(declared_secrets(estate)) == references
    assert declared_secrets(estate)["file:key"] == ("store:north", "store:witness", "witness")
    assert declared_secrets(estate)["env:TSIG"] == ("server:north", "server:south")


def test_a_secret_that_does_not_resolve_is_found_and_none_is_shown(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSIG", VALUE)
    monkeypatch.setenv("NORTH", "")
    monkeypatch.delenv("WITNESS", raising=False)
    said = outcomes(preflight(an_estate_with(), world))
    assert {name for name, text in said.items() if text.startswith("!")} == {
        "the secret env:NORTH resolves",
        "the secret env:WITNESS resolves",
    }
    assert VALUE not in str(said)


def test_approvals_and_playbooks_need_their_programs_and_files(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = an_estate().model_dump(mode="json", by_alias=True)["sites"]
    declared["south"]["ssh"] = {"key_file": "id_south", "known_hosts": "known"}
    estate = an_estate(sites=declared, approvals={"allowed_signers": "signers", "revoked_keys": "revoked"})
    (world.project / "signers").touch()
    (world.project / "known").touch()
    monkeypatch.setenv("TSIG", VALUE)
    monkeypatch.setattr("shutil.which", lambda name, path: None)
    assert set(failing(preflight(estate, world))) == {
        "the file revoked can be read",
        "the file id_south can be read",
        "ssh-keygen can be started here",
        "ansible-playbook can be started here",
    }


def test_what_only_steps_name_is_tried_for_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", VALUE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        steps = [
            Shell(command=("sh", "-c", "true"), secrets={"A": "env:TOKEN"}),
            Shell(command=("./tool",), folder="bin", secrets={"A": "env:MISSING", "B": "env:TSIG"}),
            Http(url=f"http://127.0.0.1:{port}/hook", secret_headers={"X": "env:TOKEN"}),
            Http(url="http://127.0.0.1:1/"),
            Http(url=Ref("before", "url")),
            Ansible(playbook="playbooks/health.yml", site="south"),
        ]
        said = outcomes(step_checks(steps, an_estate_with(), world))
    assert "the secret env:TSIG resolves" not in said  # the estate's own checks have it
    assert {name for name, text in said.items() if text.startswith("!")} >= {
        "the secret env:MISSING resolves",
        "bin/tool can be started here",
        "127.0.0.1:1 takes connections",
        "the file playbooks/health.yml can be read",
    }
    assert said[f"127.0.0.1:{port} takes connections"] == "it takes connections"
    assert said["the secret env:TOKEN resolves"] == "it has a value"
    assert said["sh can be started here"].endswith("/sh")
    assert VALUE not in str(said)


def test_a_playbook_needs_the_way_to_its_site() -> None:
    step = Ansible(playbook="a.yml", site="south", secrets={"x": "env:X"}, vault_password="env:V")
    assert set(needs([step], an_estate())) == {
        "program:ansible-playbook",
        "file:a.yml",
        "ssh:south",
        "secret:env:X",
        "secret:env:V",
    }
