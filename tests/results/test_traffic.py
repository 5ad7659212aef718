from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.errors import BlockpointError
from results.trace import trace_gaps
from results.traffic import ARRIVALS, Traffic

anything = st.builds(
    Traffic,
    arrivals=st.sampled_from(ARRIVALS),
    cv=st.sampled_from([0.0, 0.5, 2.0]),
    burst_mean_s=st.sampled_from([0.5, 2.0]),
    trace=st.sampled_from(["", "/t/trace.csv"]),
    mix=st.sampled_from([0.0, 2.0, 10.0]),
)


@given(anything)
def test_traffic_is_read_back_from_the_options_that_ask_for_it(traffic: Traffic) -> None:
    assert Traffic.of(traffic.options) == traffic
    assert Traffic.of(["--durations", "1,2", *traffic.options]) == traffic


def test_the_usual_traffic_needs_no_options() -> None:
    assert Traffic().options == []
    assert not Traffic().words


@pytest.mark.parametrize(
    "options",
    ["--arrivals never", "--cv -1", "--cv nan", "--cv x", "--burst-mean-s 0", "--mix 1", "--mix nan"],
)
def test_options_of_no_traffic_are_refused(options: str) -> None:
    with pytest.raises(ValueError, match=r"unknown traffic|convert"):
        Traffic.of(options.split())


@pytest.mark.parametrize(
    ("traffic", "said"),
    [
        (Traffic("trace"), "give the file"),
        (Traffic(trace="t"), "nothing without --arrivals trace"),
        (Traffic("poisson", burst_mean_s=1), "nothing without --arrivals onoff"),
        (Traffic(cv=1, mix=10), "two laws"),
    ],
)
def test_options_that_do_not_fit_together_are_one_clear_line(traffic: Traffic, said: str) -> None:
    with pytest.raises(BlockpointError, match=said):
        traffic.check()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "fewer than two"),
        (b"1.5\n", "fewer than two"),
        (b"2\n2\n2\n", "fewer than two"),
        (b"at,what\n1,a\nsoon,b\n", "line 3 begins with no number of seconds: 'soon,b'"),
        (b"1\ninf\n2\n", "line 2 begins with no number"),
        (b"at\nwhen\n1\n2\n", "line 2 begins with no number"),
        (b"\x00\xff\n\xfe\n", "line 2 begins with no number"),
    ],
)
def test_a_bad_trace_is_one_clear_line(tmp_path: Path, text: bytes, said: str) -> None:
    file = tmp_path / "trace"
    file.write_bytes(text)
    with pytest.raises(BlockpointError, match=said) as raised:
        trace_gaps(str(file))
    assert len(str(raised.value).splitlines()) == 1


def test_a_trace_that_is_not_there_or_no_file_is_one_clear_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none"):
        with pytest.raises(BlockpointError, match="cannot be read"):
            trace_gaps(str(path))


def test_a_trace_may_be_unsorted_have_a_heading_and_arrivals_of_one_moment(tmp_path: Path) -> None:
    file = tmp_path / "trace"
    file.write_text("seconds;user\n3;a\n\n1;b\n1;c\n")
    assert trace_gaps(str(file)).tolist() == pytest.approx([0, 2], abs=1e-6)
