"""That there is one percentile, and that it is what the documents say."""

import ast
import math
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.percentile import percentile, rank

ROOT = Path(__file__).parents[2]
ROOMS = ("results", "targets", "loadtests", "harness", "analysis", "benchmarks")
OTHERS = {"quantile", "quantiles", "percentile", "nanquantile", "nanpercentile", "scoreatpercentile"}
OURS = "results.percentile"

floats = st.lists(st.floats(allow_nan=False), min_size=1, max_size=60)
integers = st.lists(st.integers(-(2**53), 2**53), min_size=1, max_size=60)
tenths = st.integers(0, 1000)


def defined(values: list[float], p: Fraction) -> float:
    """The definition, word for word: the smallest sample that at least p % do not exceed."""
    enough = (v for v in sorted(values) if 100 * sum(other <= v for other in values) >= p * len(values))
    return next(enough)


@given(floats | integers, tenths)
def test_it_is_the_smallest_sample_that_enough_do_not_exceed(values: list[float], tenth: int) -> None:
    p = Fraction(tenth, 10)
    assert percentile(values, float(p)) == defined(values, p)
    assert percentile(np.array(values), float(p)) in values


@given(st.integers(1, 10**6), tenths)
def test_a_rank_that_is_whole_stays_so(count: int, tenth: int) -> None:
    """In binary 0.29 * 100 is more than 29."""
    assert rank(count, tenth / 10) == max(0, math.ceil(Fraction(count * tenth, 1000)) - 1)


@pytest.mark.parametrize("nothing", [[], np.empty(0), np.empty(0, np.int64)])
def test_of_nothing_it_is_nan(nothing: list[float] | np.ndarray) -> None:
    assert math.isnan(percentile(nothing, 50))


def test_the_sample_is_left_as_it_was() -> None:
    values = np.array([3, 1, 2])
    assert percentile(values, 50) == 2
    assert values.tolist() == [3, 1, 2]


def foreign(tree: ast.AST) -> list[str]:
    """Return where another percentile than ours is called, imported or made."""
    found = []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name)) if name in OTHERS:
                found.append(f"{node.lineno}: {name}")
            case ast.ImportFrom(module=module, names=names) if module != OURS:
                found += [f"{node.lineno}: {alias.name}" for alias in names if alias.name in OTHERS]
            case ast.FunctionDef(name=name) if name in OTHERS:
                found.append(f"{node.lineno}: def {name}")
    return found


def sources() -> Iterator[Path]:
    for room in ROOMS:
        yield from (f for f in (ROOT / room).rglob("*.py") if not {"runs", "published"} & set(f.parts))


def test_there_is_no_other() -> None:
    ours = ROOT / "results" / "percentile.py"
    found = {file: foreign(ast.parse(file.read_text())) for file in sources() if file != ours}
    assert len(found) > 100
    assert {str(file): where for file, where in found.items() if where} == {}


@pytest.mark.parametrize(
    "text", ["np.quantile(x, 1)", "f.quantile()", "from numpy import percentile", "def quantile(x): pass"]
)
def test_another_would_be_seen(text: str) -> None:
    assert foreign(ast.parse(text))
