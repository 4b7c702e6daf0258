"""``python -m experiments.reference [FOLDER]`` writes the pages of the reference, into docs/reference."""

import sys
from pathlib import Path

from .pages import write_pages

if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("docs/reference")
    for path in write_pages(folder):
        print(path)
