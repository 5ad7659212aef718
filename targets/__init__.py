"""The systems under test: identical endpoints over one strategy each."""
