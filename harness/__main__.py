"""`python -m harness` is the command `blockpoint`."""

import sys

try:
    from harness.cli.main import main

    main()
except KeyboardInterrupt:  # while it was still being imported
    sys.exit(130)
