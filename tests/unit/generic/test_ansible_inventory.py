"""The inventory that the estate makes."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from relight.errors import UsageError
from relight.estate import Estate, Ssh, check_estate, expand_nodes
from relight.generic import Ansible
from relight.generic.ansible_inventory import hosts_of, make_inventory
from rig.estates import an_estate

ROOT = Path("/srv/project")


def estate_with(ssh: Ssh | None, nodes: str = "gpu[08-11]") -> Estate:
    estate = an_estate()
    north = estate.sites["north"].model_copy(update={"ssh": ssh, "nodes": nodes})
    return estate.model_copy(update={"sites": {**estate.sites, "north": north}})


def spec(**fields: Any) -> Ansible:
    return Ansible(**{"playbook": "playbooks/p.yml", "site": "north"} | fields)


def test_no_hosts_named_are_all_nodes_of_the_site() -> None:
    assert hosts_of(spec(), estate_with(None)) == ("gpu08", "gpu09", "gpu10", "gpu11")


def test_hosts_are_node_sets_or_names_once_each() -> None:
    chosen = spec(hosts=("gpu[09-10]", "gpu09", "gpu08"))
    assert hosts_of(chosen, estate_with(None)) == ("gpu09", "gpu10", "gpu08")


def test_a_host_of_another_site_is_refused_and_named() -> None:
    with pytest.raises(UsageError, match=r"north has no node gpu12.*it has gpu08 to gpu11"):
        hosts_of(spec(hosts=("gpu[11-12]",)), estate_with(None))
    with pytest.raises(UsageError, match="no site 'west'"):
        hosts_of(spec(site="west"), estate_with(None))
    with pytest.raises(UsageError, match="not a node set"):
        hosts_of(spec(hosts=("gpu[1-",)), estate_with(None))


def test_without_a_site_hosts_are_what_ssh_knows() -> None:
    alone = spec(site=None, hosts=("login[1-2].example.net",))
    hosts = hosts_of(alone, an_estate())
    assert make_inventory(alone, an_estate(), hosts, ROOT) == {
        "all": {"hosts": {"login1.example.net": {}, "login2.example.net": {}}, "vars": {}, "children": {}}
    }


def test_the_inventory_says_how_each_node_is_reached() -> None:
    ssh = Ssh(
        user="ops",
        port=2222,
        key_file="keys/ops",
        address="10.0.1.{number}",
        addresses={"gpu11": "gpu11.example.net"},
        known_hosts="keys/known hosts",
        host_keys="known",
    )
    chosen = spec(hosts=("gpu[08,11]",), groups=("gpus",))
    estate = estate_with(ssh)
    whole = make_inventory(chosen, estate, hosts_of(chosen, estate), ROOT)["all"]
    assert whole["hosts"] == {
        "gpu08": {"ansible_host": "10.0.1.8"},
        "gpu11": {"ansible_host": "gpu11.example.net"},
    }
    assert whole["children"] == {
        name: {"hosts": {"gpu08": {}, "gpu11": {}}} for name in ("site_north", "gpus")
    }
    options = whole["vars"].pop("ansible_ssh_common_args")
    assert shlex.split(options) == [
        "-o",
        "StrictHostKeyChecking=yes",
        "-o",
        'UserKnownHostsFile="/srv/project/keys/known hosts"',
        "-o",
        "IdentitiesOnly=yes",
    ]
    assert whole["vars"] == {
        "ansible_user": "ops",
        "ansible_port": 2222,
        "ansible_ssh_private_key_file": "/srv/project/keys/ops",
    }


def test_new_host_keys_are_taken_and_changed_ones_are_not_unless_any_may_be() -> None:
    for kind, expected in (("new", "accept-new"), ("any", "no")):
        estate = estate_with(Ssh.model_validate({"host_keys": kind}))
        options = make_inventory(spec(), estate, ("gpu08",), ROOT)["all"]["vars"]["ansible_ssh_common_args"]
        assert f"StrictHostKeyChecking={expected}" in options
        assert ("/dev/null" in options) == (kind == "any")


def test_a_site_that_does_not_say_how_it_is_reached_is_refused_with_what_to_add() -> None:
    with pytest.raises(UsageError, match=r"add sites\.north\.ssh"):
        make_inventory(spec(), estate_with(None), ("gpu08",), ROOT)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"playbook": "../p.yml"}, "playbook"),
        ({"playbook": "a/../../p.yml"}, "below the project's root"),
        ({"playbook": "-e.yml"}, "playbook"),
        ({"site": None}, "neither a site nor hosts"),
        ({"variables": {"a": 1}, "secrets": {"a": "env:A"}}, "a variable and a secret at once: a"),
        ({"secrets": {"a": "hunter2"}}, "only pointed at"),
        ({"tags": ("a,b",)}, "not a tag"),
        ({"tags": ("--vault-id",)}, "not a tag"),
        ({"environment": {"RELIGHT_SCRATCH": "/home"}}, "belongs to Relight"),
        ({"variables": {"not a name": 1}}, "variables"),
        ({"groups": ("a-b",)}, "groups"),
    ],
)
def test_a_step_that_cannot_be_right_is_refused(fields: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        spec(**fields)


@pytest.mark.parametrize(
    "field",
    [
        {"user": "-oProxyCommand=evil"},
        {"address": "fixed.example.net"},
        {"address": "{node}{{lookup('pipe','evil')}}"},
        {"addresses": {"n1": "-oProxyCommand=evil"}},
        {"key_file": "a'b"},
        {"key_file": "{{ evil }}"},
        {"known_hosts": "%h"},
    ],
)
def test_ssh_takes_no_options_and_no_templates_for_names(field: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Ssh.model_validate(field)


@pytest.mark.parametrize(
    ("ssh", "nodes", "code"),
    [
        ({"addresses": {"gpu99": "10.0.0.1"}}, "gpu[08-11]", "address-of-no-node"),
        ({"address": "10.0.0.{number}"}, "gpu[08-11],login", "node-without-number"),
        ({"address": "10.0.0.{number}"}, "gpu1,login1", "one-address-for-two-nodes"),
        ({"address": "10.0.0.{number}", "addresses": {"login": "10.0.0.99"}}, "gpu[08-11],login", None),
        ({}, "gpu[08-11]", None),
    ],
)
def test_the_estate_is_told_about_nodes_that_cannot_be_reached(
    ssh: dict[str, Any], nodes: str, code: str | None
) -> None:
    found = {check.code for check in check_estate(estate_with(Ssh.model_validate(ssh), nodes))}
    about_ssh = found & {"address-of-no-node", "node-without-number", "one-address-for-two-nodes"}
    assert about_ssh == ({code} if code else set())


def test_nodes_unfold_in_their_order_and_without_groups() -> None:
    assert expand_nodes("gpu[08-10],a") == ("a", "gpu08", "gpu09", "gpu10")
    with pytest.raises(ValueError, match="not a node set"):
        expand_nodes("gpu[1-")
