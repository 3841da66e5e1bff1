"""Groups that a site has already: their owner keeps them, so the knob asks the cloud itself."""

from __future__ import annotations

from relight.provision.fake import FakeStacks
from relight.provision.work import Call, carry_out


def test_no_stack_is_updated_for_a_group_that_is_adopted() -> None:
    rung = {"resource": "aws:eks/nodeGroup:NodeGroup", "id": "theirs", "nodes": 2, "adopted": True}
    stacks = FakeStacks(lambda _stack: {"vpc": {}}, {"pools": {"train": {"reservation": rung}}})
    stacks.up("south")
    updates = stacks.updates
    call = Call(task="scale", root="/", stacks=("south",), pool="train", sizes={"reservation": 8})
    end = carry_out(call, stacks, lambda _done, _all, _what: None)
    assert end.status == "lost"  # which the step takes for: ask the cloud's own API
    assert "adopted" in end.reason
    assert stacks.updates == updates
