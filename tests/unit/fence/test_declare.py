"""Declaring the first writer of a workload."""

from __future__ import annotations

from relight.fence import DeclareAuthority, DeclaredAuthority, Witness
from relight.fence.adapters.witness import ObjectWitness
from relight.fence.handlers import DeclareAuthorityHandler
from relight.objects.adapters.obstore import memory_objects
from relight.plan import Done
from rig.context import FakeContext


class World:
    def __init__(self) -> None:
        self._witness = ObjectWitness(memory_objects())

    def witness(self) -> Witness:
        return self._witness


def test_who_is_declared_first_stays_whoever_asks_later() -> None:
    world = World()
    handler = DeclareAuthorityHandler(world)
    first = handler.attempt(DeclareAuthority(workload="digits", active="north"), FakeContext(run="r1"))
    assert first == Done(DeclaredAuthority(epoch=1, active="north"))
    world.witness().raise_epoch("digits", above=1, active="south", by="r2", at=FakeContext().now())
    again = handler.attempt(DeclareAuthority(workload="digits", active="north"), FakeContext(run="r3"))
    assert again == Done(DeclaredAuthority(epoch=2, active="south"))
