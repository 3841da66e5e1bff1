"""What Ansible's events come to, and what of them is kept."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from relight.generic.ansible_call import REDACTED, Recorder, Redactor, Tally, extra_variables

HOSTS = ("a", "b", "c", "d")


def stats(**counts: dict[str, int]) -> tuple[str, dict[str, Any]]:
    return "playbook_on_stats", {"processed": dict.fromkeys(HOSTS, 1), **counts}


def on(kind: str, host: str, **data: Any) -> tuple[str, dict[str, Any]]:
    return f"runner_on_{kind}", {"host": host, "task": "t", **data}


PLAY: tuple[str, dict[str, Any]] = ("playbook_on_play_start", {})
TASK: tuple[str, dict[str, Any]] = ("playbook_on_task_start", {"task": "t"})


def result_of(*events: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    tally = Tally(HOSTS)
    for kind, data in events:
        tally.take(kind, data)
    return tally.result()


def test_hosts_are_told_apart_by_what_ansible_counted_at_the_end() -> None:
    result = result_of(
        PLAY,
        TASK,
        on("ok", "a", res={"changed": True}),
        on("failed", "b", res={"msg": "no\nspace", "stderr": "left"}),
        on("unreachable", "c", res={"msg": "timed out"}),
        stats(failures={"b": 1}, dark={"c": 1}, changed={"a": 1}, processed={"a": 1, "b": 1, "c": 1}),
    )
    assert [result[name] for name in ("ok", "failed", "unreachable", "cancelled")] == [
        ["a"],
        ["b"],
        ["c"],
        ["d"],
    ]
    assert result["changed"] == ["a"]
    assert result["messages"] == {"b": "t: no space: left", "c": "t: timed out"}


def test_a_host_whose_failure_was_rescued_or_ignored_is_ok() -> None:
    result = result_of(
        TASK, on("failed", "a"), on("failed", "b", ignore_errors=True), stats(rescued={"a": 1})
    )
    assert result["ok"] == list(HOSTS)
    assert result["messages"] == {}


def test_a_host_that_stopped_because_others_failed_is_cancelled_and_not_ok() -> None:
    # any_errors_fatal: Ansible's own statistics count nothing against a.
    result = result_of(
        PLAY,
        *(on("start", host) for host in HOSTS),
        on("ok", "a"),
        on("failed", "b"),
        ("playbook_on_no_hosts_remaining", {}),
        PLAY,
        *(on("ok", host) for host in ("c", "d")),
        stats(failures={"b": 1}),
    )
    assert (result["ok"], result["cancelled"]) == ([], ["a", "c", "d"])


def test_a_play_that_ran_out_of_hosts_says_nothing_about_the_hosts_of_another() -> None:
    result = result_of(
        PLAY,
        *(on("unreachable", host) for host in ("a", "b")),
        ("playbook_on_no_hosts_remaining", {}),
        PLAY,
        *(on("ok", host) for host in ("c", "d")),
        stats(dark={"a": 1, "b": 1}),
    )
    assert (result["ok"], result["unreachable"]) == (["c", "d"], ["a", "b"])


def test_what_was_stopped_in_the_middle_leaves_hosts_cancelled_but_those_with_a_fault() -> None:
    result = result_of(
        TASK, on("ok", "a"), on("failed", "b"), on("unreachable", "c"), on("failed", "d"), on("ok", "d")
    )
    assert (result["cancelled"], result["failed"], result["unreachable"]) == (["a", "d"], ["b"], ["c"])
    assert result["ok"] == []


def test_a_failure_outside_of_the_batch_is_told() -> None:
    result = result_of(TASK, on("failed", "localhost", res={"msg": "no"}), stats(failures={"localhost": 1}))
    assert (result["elsewhere"], result["messages"]) == (["localhost"], {"localhost": "t: no"})


def test_the_message_of_a_loop_is_that_of_the_item_that_failed() -> None:
    items = [{"msg": "fine"}, {"failed": True, "msg": "disk sdb is gone"}]
    result = result_of(TASK, on("failed", "a", res={"msg": "One or more items failed", "results": items}))
    assert result["messages"]["a"] == "t: disk sdb is gone"


def test_nothing_was_played_where_no_task_began() -> None:
    assert not result_of()["played"]
    assert result_of(PLAY, TASK)["played"]


SECRETS = (
    "hunter2-hunter2",
    'with "quotes"\\',
    "ümlaut=%&",
    "-----BEGIN-----\nAAAABBBBCCCC\n-----END-----",
    "123456",
)


@pytest.mark.parametrize(
    "said",
    [
        "login hunter2-hunter2 ok",
        {"hunter2-hunter2": ["a", {"b": "hunter2-hunter2"}]},
        json.dumps({"msg": SECRETS[1]}),
        json.dumps({"msg": SECRETS[2]}),
        repr(SECRETS[1]),
        "https://x/%C3%BCmlaut%3D%25%26",
        base64.b64encode(SECRETS[0].encode()).decode(),
        "only a line of it: AAAABBBBCCCC",
        {"pin": 123456, "other": 7},
    ],
)
def test_a_secret_is_blanked_however_it_is_written(said: Any) -> None:
    cleaned = json.dumps(Redactor(SECRETS).clean(said), ensure_ascii=False)
    assert REDACTED in cleaned
    for form in (
        "hunter2",
        "quotes",
        "mlaut",
        "AAAABBBB",
        "123456",
        base64.b64encode(b"hunter2-h").decode()[:10],
    ):
        assert form not in cleaned


def test_what_holds_no_secret_stays_as_it_is() -> None:
    said = {"a": [1, 2.5, None, True, "text"]}
    assert Redactor(SECRETS).clean(said) == said
    assert Redactor(()).clean(said) == said
    assert Redactor(("abc",)).clean("an abc") == "an abc", "words so short would blank ordinary text"


class _Loader(yaml.SafeLoader):
    pass


_Loader.add_constructor("!unsafe", lambda _, node: ("unsafe", node.value))


@given(
    st.text(max_size=40),
    st.text(max_size=40).filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)),
)
def test_extra_variables_are_read_as_they_were_given(name: str, value: str) -> None:
    text = extra_variables({"plain": value, "nested": {"k": [1, None, value]}}, {"secret": value})
    read = yaml.load(text, _Loader)
    assert read == {"plain": value, "nested": {"k": [1, None, value]}, "secret": ("unsafe", value)}


def test_events_are_kept_redacted_and_a_report_by_its_host(
    tmp_path: Path,
) -> None:
    tally = Tally(("a",))
    recorder = Recorder(tmp_path, Redactor(("hunter2-hunter2",)), tally)
    facts = {"relight_report": {"verdict": "healthy", "said": "hunter2-hunter2"}}
    event = {
        "event": "runner_on_ok",
        "stdout": "ok: hunter2-hunter2",
        "event_data": {"host": "a/../b", "task": "t", "res": {"ansible_facts": facts}},
    }
    assert recorder.take(event) is False
    recorder.close()
    assert json.loads((tmp_path / "reports/a_.._b.json").read_text()) == {
        "verdict": "healthy",
        "said": REDACTED,
    }
    assert "hunter2" not in (tmp_path / "events.jsonl").read_text() + (tmp_path / "stdout").read_text()


def test_an_event_that_is_too_large_keeps_what_it_says(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, Redactor(()), Tally(("a",)))
    data = {"host": "a", "task": "t", "res": {"msg": "short", "stdout": "x" * 2**20}}
    recorder.take({"event": "runner_on_failed", "event_data": data})
    recorder.close()
    (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(line) < 1000
    assert json.loads(line)["event_data"]["res"] == {"shortened": True, "message": "t: short"}
