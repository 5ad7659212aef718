"""Runs blocks of trials beside each other, where only their counts matter."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from harness.campaign.session import Setup

Block = TypeVar("Block")
Result = TypeVar("Result")


def in_parallel(setup: Setup, blocks: Sequence[Block], work: Callable[[Block], Result]) -> list[Result]:
    """Return what `work` makes of every block, in their order; one after the other where there is one job.

    The first exception ends all jobs: no block begins any more, and the family's processes are ended, so
    that what runs in the other jobs fails quickly.
    """
    if setup.jobs == 1:
        return [work(block) for block in blocks]
    over = threading.Event()

    def unless_over(block: Block) -> Result | None:
        return None if over.is_set() else work(block)

    with ThreadPoolExecutor(setup.jobs, thread_name_prefix="job") as jobs:
        futures: list[Future[Result | None]] = [jobs.submit(unless_over, block) for block in blocks]
        try:
            done, _ = wait(futures, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            return [result for future in futures if (result := future.result()) is not None]
        except BaseException:
            over.set()
            setup.family.close()
            raise
