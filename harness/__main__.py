"""`python -m harness` is the command `blockpoint`."""

from harness.cli import main

main()
