"""The looks that the charts of one page share: each is said once, as a rule of the page."""

from markupsafe import Markup


class Looks:
    """What the charts of a page have in common, gathered while they are made part of it."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._charts = 0

    def name(self, style: str) -> str:
        """Return the class that stands for a style."""
        return self._names.setdefault(style, f"s{len(self._names)}")

    def next_chart(self) -> str:
        """Return what begins the ids of one more chart, and of no other."""
        self._charts += 1
        return f"c{self._charts}-"

    @property
    def rules(self) -> Markup:
        """The rules of all classes so far, as CSS: styles of matplotlib's, without a campaign's texts."""
        return Markup("\n".join(f".{name} {{ {style} }}" for style, name in self._names.items()))
