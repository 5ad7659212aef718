"""The strategies that are installed here."""

from targets.strategy import Definition, installed


def discover() -> dict[str, Definition]:
    """Return every registered strategy that can be used, by name and in its place."""
    return {name: each for name, each in installed() if isinstance(each, Definition)}
