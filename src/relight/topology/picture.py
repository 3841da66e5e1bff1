"""What `relight stacks show SITE` shows: a graph as rows of a table, as a tree, and for Mermaid. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from relight.topology.billing import billing_of
from relight.topology.graph import Graph, Resource


@dataclass(frozen=True)
class Row:
    """One resource of a site: its name, its kind (`aws ec2 Vpc`), how it is billed with all pools at 0."""

    name: str
    kind: str
    within: str  # the component it belongs to, "" directly under the stack
    billed: str  # the way of billing, "unknown" for a type without a row in `billing`
    asleep: bool  # billed while asleep
    note: str

    def to_dict(self) -> dict[str, str | bool]:
        """For `--json`."""
        return {
            "name": self.name,
            "kind": self.kind,
            "within": self.within,
            "billed": self.billed,
            "billed_while_asleep": self.asleep,
            "note": self.note,
        }


def list_rows(graph: Graph) -> tuple[Row, ...]:
    """The resources of a graph, what is billed while asleep first; components and providers are left out."""
    rows = [_row(resource) for resource in graph.resources if _is_shown(resource)]
    return tuple(sorted(rows, key=lambda row: (not row.asleep, row.kind, row.name)))


def _row(resource: Resource) -> Row:
    billing = None if resource.looked_up else billing_of(resource.type, resource.inputs)
    within = resource.parent.rpartition("::")[2]
    if resource.looked_up:
        return Row(resource.name, kind_of(resource), within, "free", False, "stands already; only read")
    if billing is None:
        return Row(
            resource.name, kind_of(resource), within, "unknown", False, "how it is billed is not known here"
        )
    return Row(resource.name, kind_of(resource), within, billing.way, billing.asleep, billing.note)


def _is_shown(resource: Resource) -> bool:
    return not resource.component and not resource.type.startswith("pulumi:")


def kind_of(resource: Resource) -> str:
    """A type as people say it: `aws:ec2/vpc:Vpc` is `aws ec2 Vpc`; a component's is its last word."""
    package, module, kind = resource.type.split(":", 2)
    if resource.component or package == "kubernetes":
        return kind
    if package == "pulumi":
        return f"{kind} provider" if module == "providers" else kind
    return f"{package} {module.split('/')[0]} {kind}"


def draw_tree(graph: Graph) -> str:
    """The resources under their components, one a line; `*` marks what is billed while asleep."""
    lines = [graph.stack, *_branches(graph, "", "")]
    return "\n".join(lines) + "\n"


def _branches(graph: Graph, parent: str, indent: str) -> Iterator[str]:
    children = [resource for resource in graph.resources if resource.parent == parent]
    for at, child in enumerate(children, 1):
        is_last = at == len(children)
        yield f"{indent}{'└─' if is_last else '├─'} {_label(child)}"
        yield from _branches(graph, child.address, indent + ("   " if is_last else "│  "))


def _label(resource: Resource) -> str:
    label = f"{resource.name}  {kind_of(resource)}"
    return f"{label} *" if _is_shown(resource) and _row(resource).asleep else label


def draw_mermaid(graph: Graph) -> str:
    """A Mermaid flowchart: solid lines to the children of a component, dotted ones to what is depended on."""
    keys = {resource.address: f"r{at}" for at, resource in enumerate(graph.resources)}
    lines = ["flowchart LR", f'  stack(["{_quoted(graph.stack)}"])']
    for resource in graph.resources:
        key = keys[resource.address]
        text = f"{_quoted(resource.name)}<br/>{_quoted(kind_of(resource))}"
        lines.append(f'  {key}(["{text}"])' if resource.component else f'  {key}["{text}"]')
        lines.append(f"  {keys.get(resource.parent, 'stack')} --> {key}")
        lines += [f"  {key} -.-> {keys[other]}" for other in resource.depends_on if other != resource.parent]
        if _is_shown(resource) and _row(resource).asleep:
            lines.append(f"  class {key} asleep")
    lines.append("  classDef asleep stroke-width:3px")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return text.replace('"', "#quot;")
