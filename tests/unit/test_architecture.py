"""What the rooms promise about each other, beyond the layers that import-linter holds."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from relight import app
from relight.plan import Facts, Spec

ROOT = Path(__file__).parents[2]
DOMAINS = ("fence", "generic", "provision", "traffic", "vault", "workload")


@pytest.mark.parametrize("kind", list(app.SPECS))
def test_every_kind_has_a_spec_of_that_name_and_a_handler(kind: str) -> None:
    spec = app.CATALOGUE.spec_type(kind)
    assert issubclass(spec, Spec)
    assert spec.kind == kind
    assert spec.summary
    assert issubclass(spec.facts, Facts)
    assert callable(app.named(app.HANDLERS[kind]).attempt)


@pytest.mark.parametrize(
    "place",
    [
        *app.PROBES,
        *app.OBJECTS.values(),
        app.SCHEDULER,
        app.INTENTS,
        app.STACKS,
        *app.CLOUDS.values(),
        app.VAULT,
        app.WITNESS,
        app.LOOKOUT,
        app.CLAIMS,
        app.ANCHORS,
        app.NAMES,
    ],
)
def test_every_adapter_that_the_root_names_exists(place: str) -> None:
    assert callable(app.named(place))


def test_the_fronts_of_the_domains_are_light() -> None:
    """A runbook that uses specs must stay pure: no handler, no adapter, no client may come with them."""
    code = "import sys\n" + "".join(f"import relight.{domain}\n" for domain in DOMAINS)
    code += "print([m for m in sys.modules if m.split('.')[0] in ('httpx', 'obstore', 'dns', 'boto3')"
    code += " or m.startswith('relight.') and ('handlers' in m or 'adapters' in m)])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


@pytest.mark.parametrize("path", sorted((ROOT / "runbooks").glob("*.py")), ids=lambda p: p.stem)
def test_a_shipped_runbook_imports_only_what_is_pure(path: Path) -> None:
    allowed = {"__future__", "collections.abc", "dataclasses", "datetime"}
    rooms = {"errors", "estate", "situation", "plan", "units", "recipes", *DOMAINS}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            pytest.fail(f"{path.name}:{node.lineno} imports a module whole")
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            assert module in allowed or module.removeprefix("relight.") in rooms, f"{path.name}:{node.lineno}"


@pytest.mark.parametrize("room", ["runbooks", "playbooks", "stacks", "examples", "Pulumi.yaml"])
def test_what_is_shipped_is_what_stands_at_the_top(room: str) -> None:
    assert (ROOT / "src/relight/shipped" / room).resolve() == ROOT / room
