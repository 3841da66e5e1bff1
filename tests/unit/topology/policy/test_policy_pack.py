"""The pack in `stacks/policy`, asked by the real engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
PACK = ROOT / "stacks/policy"
PROVIDER = """#!{python}
# Any type of the package `aws`: the stand-in cloud, told to know them all.
import sys
sys.path.insert(0, "{tests}")
from rig.standin import provider

class Every(dict):
    def __contains__(self, key):
        return True

provider.REPLACES = Every()
provider.serve(provider.Provider)
"""
PROJECT = """name: packed
runtime:
  name: python
  options:
    virtualenv: {environment}
plugins:
  providers:
    - name: aws
      path: cloud
"""
PROGRAM = """
import pulumi

class Declared(pulumi.CustomResource):
    def __init__(self, type_, name, inputs, **options):
        super().__init__(type_, name, inputs, pulumi.ResourceOptions(**options))

tags = {f"relight:{key}": "x" for key in ("estate", "owner", "class")} | {"relight:site": "ohio"}
bucket = Declared("aws:s3/bucket:Bucket", "points", {"bucket": "a-bucket", "tags": tags}, protect=True)
Declared(
    "aws:s3/bucketVersioning:BucketVersioning",
    "versions",
    {"bucket": bucket.id, "versioningConfiguration": {"status": "Enabled"}},
)
seal = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": bucket.id}}
Declared(
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
    "seal",
    {"bucket": bucket.id, "rules": [seal]},
)
open = {"cidrIpv4": "0.0.0.0/0", "tags": tags}
Declared("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "open", open)
"""
pytestmark = pytest.mark.pulumi_engine


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What a preview of the stack `ohio` says under the pack."""
    if shutil.which("pulumi") is None:
        pytest.skip("the `pulumi` command is not on PATH; see https://www.pulumi.com/docs/install/")
    if not (PACK / ".venv/bin/python").exists():
        pytest.skip("the pack has no environment; stacks/policy/PulumiPolicy.yaml says how to make it")
    project = tmp_path_factory.mktemp("packed")
    lay_out(project)
    environment = os.environ | {
        "PULUMI_BACKEND_URL": f"file://{project / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        "PULUMI_HOME": str(project / "home"),
        "STANDIN_CLOUD": str(project / "cloud/cloud.json"),
        "STANDIN_CONTROL": str(project / "cloud/control.json"),
    }

    def run(*arguments: str) -> str:
        command = ["pulumi", *arguments, "--non-interactive", "--color=never"]
        done = subprocess.run(
            command, cwd=project, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        return done.stdout + done.stderr

    run("stack", "init", "ohio")
    return run("preview", "--stack=ohio", "--policy-pack=stacks/policy")


def lay_out(project: Path) -> None:
    """A project whose cloud is made up, with the pack and the estate that the pack asks."""
    shutil.copytree(PACK, project / "stacks/policy", ignore=shutil.ignore_patterns(".venv"))
    (project / "stacks/policy/.venv").symlink_to((PACK / ".venv").resolve())
    shutil.copy(ROOT / "examples/active-passive.yaml", project / "estate.yaml")
    (project / "state").mkdir()
    environment = Path(sys.executable).parent.parent
    (project / "Pulumi.yaml").write_text(PROJECT.format(environment=environment), "utf-8")
    (project / "__main__.py").write_text(PROGRAM, "utf-8")
    provider = project / "cloud/pulumi-resource-aws"
    provider.parent.mkdir()
    provider.write_text(PROVIDER.format(python=sys.executable, tests=ROOT / "tests"), "utf-8")
    provider.chmod(0o755)


def test_the_engine_stops_at_what_breaks_a_rule(said: str) -> None:
    assert "[mandatory]  no-way-in  (aws:vpc:SecurityGroupIngressRule: open)" in said
    assert "the whole world (0.0.0.0/0) may come in (name the networks that need it)" in said


def test_the_engine_asks_a_buckets_companions_by_what_depends_on_it(said: str) -> None:
    assert "[mandatory]  store-private  (aws:s3:Bucket: points)" in said
    assert "store-versioned" not in said


def test_what_only_the_update_will_know_breaks_no_rule(said: str) -> None:
    assert "store-encrypted" not in said


def test_what_keeps_a_rule_is_not_mentioned(said: str) -> None:
    assert not any(rule in said for rule in ("labelled", "protected", "stands-alone"))
