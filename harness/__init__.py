"""Runs an experiment: sessions, trials, campaigns and the command line."""

import analysis as analysis  # before anything imports numpy, whose threads it limits
