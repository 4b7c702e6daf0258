"""Writers of validations for ``tests.forked_writer``: ``+`` for each one that is on the disk."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from experiments.validation.keeping import keep_validation
from tests.forked_writer import serve

SERVER = "tests.test_experiments.test_validation.keeping_writer"
ROUNDS = 5
NEEDED = ("verdict", "rules", "findings", "shifted_votes", "chosen", "selection")


def tree_of(number: int) -> dict[str, object]:
    return {
        **dict.fromkeys(NEEDED),
        "schema_version": 3,
        "subject": "a",
        "number": number,
        "filler": "x" * 5000,
    }


def keep(folder: Path) -> None:
    """Keep a few validations, one after the other."""
    for number in range(ROUNDS):
        keep_validation(folder, tree_of(number), datetime.now(UTC))
        os.write(1, b"+")


ACTS: dict[str, Callable[[Path], None]] = {"keep": keep}


if __name__ == "__main__":
    serve(ACTS)
