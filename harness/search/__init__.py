"""The search for a point: which rate next, and when it is enough."""
