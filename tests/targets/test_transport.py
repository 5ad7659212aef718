import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from targets.strategies.arq.messages import from_json, to_json
from targets.strategies.celery.messages import check_message
from tests.security.forged import CHANGES, Change, body, forged, message

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=5,
)


def test_what_celery_sends_passes() -> None:
    check_message(message("waiting"))
    check_message({**message("waiting"), "content-type": "application/x-python-serialize", "body": ""})


def test_a_command_of_remote_control_passes() -> None:
    check_message(
        {
            **message("celery.pidbox"),
            "headers": {"clock": 3, "expires": 1.5},
            "body": body({"method": "ping"}),
        }
    )


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_was_changed_is_refused(change: Change) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check_message(forged("waiting", change))


@given(VALUES, st.sampled_from(sorted(message(""))))
def test_nothing_but_a_refusal_comes_of_any_value(value: object, part: str) -> None:
    for raw in (value, {**message("waiting"), part: value}):
        try:
            check_message(raw)
        except ValueError:
            continue
        assert raw is not value


def test_a_job_is_read_as_it_was_written() -> None:
    job = {"t": 1, "f": "run", "a": [{"task_id": "1"}], "k": {}, "et": 1}
    result = {**job, "s": True, "r": None, "st": 1, "ft": 2, "q": "arq:queue", "id": "1"}
    assert from_json(to_json(job)) == job
    assert from_json(to_json(result)) == result


@pytest.mark.parametrize("name", ["t", "f", "a", "k", "et"])
def test_a_job_of_other_types_is_refused(name: str) -> None:
    job = {"t": None, "f": "run", "a": [], "k": {}, "et": 1, name: 1.5}
    with pytest.raises(ValueError, match=r".+"):
        from_json(json.dumps(job).encode())
