"""Texts with fields in them, such as `/orders/{id}`: what a request is made of."""

import re
from collections.abc import Collection, Mapping
from typing import Final

from results.errors import BlockpointError, unknown

_FIELD: Final = re.compile(r"(?<!\$)\{([A-Za-z_]\w*)\}")


class Template:
    """A text whose fields, names in braces, are filled in; all other braces, as JSON has them, stay."""

    def __init__(self, text: str) -> None:
        self.text = text
        parts = _FIELD.split(text)
        self._texts, self.fields = parts[::2], tuple(parts[1::2])

    def check(self, where: str, known: Collection[str]) -> "Template":
        """Return it; raises BlockpointError for a field that nothing fills in."""
        for field in self.fields:
            if field not in known:
                raise BlockpointError(f"{where}: {unknown('field', field, known)}")
        return self

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with its fields filled in."""
        if not self.fields:
            return self.text
        filled = [self._texts[0]]
        for field, text in zip(self.fields, self._texts[1:], strict=True):
            filled += (values[field], text)
        return "".join(filled)
