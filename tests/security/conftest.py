import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    """Put an OpenAPI operation into its test's id, where pytest sees only parameters of its own."""
    if label := getattr(item, "operation_label", None):
        item._id = item.id.with_params(label)
