"""One file a strategy; found through the entry point group `blockpoint.strategies`."""
