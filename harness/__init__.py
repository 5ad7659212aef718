"""Runs an experiment: stacks, trials, campaigns and the command line."""
