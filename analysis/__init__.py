"""From a campaign's folder to tables, charts and a report."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
"""before numpy is imported: matrices are small here, and threads that wait for each other burn a core"""
