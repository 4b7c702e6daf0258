"""Entry point of ``python -m experiments.studies.drawn_markets``."""

import argparse
from pathlib import Path

from .families import drawings
from .page import page


def main() -> None:
    """Write the page of the recall curve, or print it."""
    parser = argparse.ArgumentParser(
        description="Count what is found in drawn markets under noise."
    )
    parser.add_argument("--out", type=Path, help="write the page to this file")
    arguments = parser.parse_args()
    text = page(tuple(drawings()))
    if arguments.out is None:
        print(text)
    else:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
