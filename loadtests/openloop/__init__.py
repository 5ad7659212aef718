"""Load timed from when each request was due."""
