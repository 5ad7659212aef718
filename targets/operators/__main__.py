"""Asks a running strategy, as from an operator's shell, and prints the replies as JSON.

`python -m targets.operators celery default depth state=00000000000000a4`; the broker's URL, which may hold a
password, stands in the environment variable BLOCKPOINT_REDIS_URL.
"""

import argparse
import logging
import re
import sys
from collections.abc import Sequence

import msgspec
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from results.errors import BlockpointError
from targets.operators.operator import IN_GENERAL, OF_A_TASK, operator_of, put
from targets.settings import Settings
from targets.strategy import find


def question(text: str) -> str:
    """Check a question of the command line; raises argparse.ArgumentTypeError."""
    name, equals, task_id = text.partition("=")
    if text in IN_GENERAL or (name in OF_A_TASK and equals and re.fullmatch("[0-9a-f]{16}", task_id)):
        return text
    known = ", ".join([*IN_GENERAL, *(f"{name}=TASK_ID" for name in OF_A_TASK)])
    raise argparse.ArgumentTypeError(f"no question {text!r}: ask {known} (16 lowercase hex digits)")


def main(arguments: Sequence[str]) -> None:
    """Answer on stdout; raises BlockpointError for an unknown strategy or variant, or a broker gone."""
    parser = argparse.ArgumentParser("python -m targets.operators", description=__doc__)
    parser.add_argument("strategy")
    parser.add_argument("variant")
    parser.add_argument("questions", nargs="+", type=question, metavar="QUESTION")
    given = parser.parse_args(arguments)
    settings = Settings.from_environment()
    find(given.strategy).build(given.variant, settings)
    logging.disable(logging.CRITICAL)
    try:
        operator = operator_of(given.strategy, given.variant)
        replies = [reply for text in given.questions for reply in put(operator, text)]
    except (OSError, RedisError, KombuError) as error:
        raise BlockpointError(f"{settings.redis_url} does not answer: {error}") from error
    sys.stdout.buffer.write(msgspec.json.encode(replies) + b"\n")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except BlockpointError as refusal:
        sys.exit(f"error: {refusal}")
