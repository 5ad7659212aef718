"""A package, so that `tests/analysis` is not mistaken for `analysis`."""
