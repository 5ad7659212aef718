"""Runs an experiment: sessions, trials, campaigns and the command line."""
