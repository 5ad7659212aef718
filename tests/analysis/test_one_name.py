"""What a reader meets under one name is one thing, and no template has a line that nobody reads."""

import ast
from collections import defaultdict
from pathlib import Path

import analysis
from analysis.report import pages

HOUSE = Path(analysis.__file__).parent
LONGEST = 160


def test_no_public_name_is_defined_in_two_modules() -> None:
    places: dict[str, list[str]] = defaultdict(list)
    for path in HOUSE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(HOUSE)))
        places[path.stem] += []
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
    assert places["catalogue"] == ["charts/catalogue.py"]


def test_no_line_of_a_template_is_too_long_to_read() -> None:
    lines = [
        f"{path.name}:{number}"
        for path in (Path(pages.__file__).parent / "templates").iterdir()
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LONGEST
    ]
    assert lines == []
