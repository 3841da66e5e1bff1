"""How `relight stacks` shows things to people."""

from __future__ import annotations

from pathlib import Path

from rich.padding import Padding
from rich.table import Table

from relight.cli.answers import DriftAnswer, ShownPool, StackAnswer
from relight.cli.output import Screen, table
from relight.cli.wording import count
from relight.provision import Preview, describe


def print_stack(screen: Screen, answer: StackAnswer) -> None:
    """The topology's numbers, then every resource, those first that are billed while asleep."""
    screen.print(answer.meaning)
    if answer.pools:
        screen.print()
        screen.print(Padding(_pools(answer.pools), (0, 0, 0, 2)))
        screen.print()
        for sentence in _costs(answer.pools):
            screen.print(sentence)
    for warning in answer.warnings:
        screen.print(f"warning: {warning}", style="yellow")
    is_quiet = answer.size == "quiet"
    rows = table("resource", "kind", "in", "billed", "asleep" if is_quiet else "at full size", "note")
    for resource in answer.resources:
        paid = "yes" if resource.billed_while_asleep else ""
        rows.add_row(resource.name, resource.kind, resource.within, resource.billed, paid, resource.note)
    screen.print()
    screen.print(Padding(rows, (0, 0, 0, 2)))
    paid_for = sum(resource.billed_while_asleep for resource in answer.resources)
    when = "while the site sleeps" if is_quiet else "at full size"
    screen.print(f"\n{count(len(answer.resources), 'resource')}; {paid_for} are billed {when}")


def _pools(pools: dict[str, ShownPool]) -> Table:
    rows = table("pool", "machine", "GPUs each", "quiet", "full", "rungs at full size", "guaranteed")
    for name, pool in pools.items():
        full = sum(pool.full.values())
        rungs = ", ".join(f"{rung} {nodes}" for rung, nodes in pool.full.items() if nodes)
        sure = "all" if pool.guaranteed >= full else f"{pool.guaranteed} of {full}"
        quiet = str(sum(pool.quiet.values()))
        rows.add_row(name, pool.machine, str(pool.gpus_each), quiet, str(full), rungs, sure)
    return rows


def _costs(pools: dict[str, ShownPool]) -> list[str]:
    quiet, full, idle = (
        sum(getattr(pool, f"{what}_usd_per_hour") for pool in pools.values())
        for what in ("quiet", "full", "idle")
    )
    said = []
    if quiet or full:
        said.append(f"Nodes cost {quiet:,.2f} USD an hour in quiet times, and {full:,.2f} at full size.")
    if idle:
        said.append(
            f"Of the quiet hour {idle:,.2f} USD are for reservations and commitments that nobody uses."
        )
    if not all(pool.is_priced for pool in pools.values()):
        said.append("Some rungs that cost have no usd_per_node_hour in the estate: they are not in that.")
    unsure = [name for name, pool in pools.items() if pool.guaranteed < sum(pool.full.values())]
    if unsure:
        said.append(
            f"How soon {', '.join(unsure)} is at full size nobody knows: not all of it is guaranteed."
        )
    return said


def print_preview(screen: Screen, preview: Preview, kept: Path | None) -> None:
    """What an update would change."""
    for change in preview.changes:
        screen.print(describe(change))
    if not preview.changes:
        screen.print(f"{preview.stack} is what the program declares; nothing would change")
    screen.print(f"\n{count(len(preview.changes), 'change')}, {preview.same} as they are; {preview.digest}")
    if kept:
        screen.print(f"kept in {kept}; relight run {kept} does this, and stops if it would do anything else")


def print_drift(screen: Screen, answer: DriftAnswer) -> None:
    """Stack by stack; what drifted with each resource and property."""
    for stack in answer.clean:
        screen.print(f"{stack}: clean")
    for stack in answer.never_up:
        screen.print(f"{stack}: never brought up: nothing is in its state", style="yellow")
    for stack, lines in answer.drifted.items():
        screen.print(f"{stack}: {count(len(lines), 'resource')} drifted", style="yellow")
        for line in lines:
            screen.print(f"  {line}")
    for stack, why in answer.unknown.items():
        screen.print(f"{stack}: could not be looked at: {why}", style="red")
    if answer.drifted:
        screen.print(
            "\npulumi up --refresh -s STACK shows how it is put back, and does it; or change the estate"
        )
