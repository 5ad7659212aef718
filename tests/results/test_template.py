import pytest

from results.errors import BlockpointError
from results.template import Template


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("/orders/{id}", "/orders/7"),
        ('{"id": "{id}", "n": {"deep": {id}}}', '{"id": "7", "n": {"deep": 7}}'),
        ("no field", "no field"),
        ("${id} stays", "${id} stays"),
        ("{} and {1}", "{} and {1}"),
    ],
)
def test_names_in_braces_are_filled_in_and_all_else_stays(text: str, filled: str) -> None:
    assert Template(text).fill({"id": "7"}) == filled


def test_a_field_that_nothing_fills_in_is_refused_with_the_nearest() -> None:
    with pytest.raises(BlockpointError, match=r"\[submit\]: there is no field 'idd'; did you mean 'id'"):
        Template("{idd}").check("[submit]", ("id", "index"))
