"""What the analysers say on real files: a page and a picture for each.

``python -m experiments.studies.analyser_review --data FOLDER`` imports the files into a store that is
thrown away, builds the features as a run does, prints the pages and writes them to ``docs/analysers``.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from datasets import Store

from .analysers import coins, derivatives, holdings, liquidations, moods, takers
from .analysers.page import contents, page
from .analysers.picture import picture
from .analysers.reading import Reading, Subject, found, read
from .analysers.sources import import_all

SUBJECTS: Final[tuple[Subject, ...]] = (
    *derivatives.SUBJECTS,
    *liquidations.SUBJECTS,
    *takers.SUBJECTS,
    *holdings.SUBJECTS,
    *coins.SUBJECTS,
    *moods.SUBJECTS,
)
OUT: Final = Path("docs/analysers")


def readings(store: Store, subjects: Sequence[Subject]) -> Iterator[Reading]:
    """Each subject read on its market, out of a store that holds its files."""
    for subject in subjects:
        second = None if subject.second is None else subject.second(store)
        yield read(subject, subject.market(store), second)


def write(reading: Reading, folder: Path) -> str:
    """Write the page and the picture of one reading into ``folder``; the page."""
    text = page(reading)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{reading.subject.name}.md").write_text(text, encoding="utf-8")
    drawing = picture(reading, found(reading))
    (folder / f"{reading.subject.name}.svg").write_text(drawing, encoding="utf-8")
    return text


def review(data: Path, folder: Path, subjects: Sequence[Subject] = SUBJECTS) -> list[Reading]:
    """Import, read and write ``subjects``; prints each page."""
    done = []
    with tempfile.TemporaryDirectory() as scratch:
        store = Store(Path(scratch))
        import_all(store, data, [name for subject in subjects for name in subject.files])
        for reading in readings(store, subjects):
            print(write(reading, folder))
            done.append(reading)
    return done


def main() -> None:
    """Entry point of ``python -m experiments.studies.analyser_review``."""
    parser = argparse.ArgumentParser(description="Review the analysers on real files.")
    parser.add_argument("--data", type=Path, required=True, help="folder of real market data")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the pages")
    parser.add_argument(
        "--only",
        action="append",
        choices=[one.name for one in SUBJECTS],
        help="only this page; may be repeated, and leaves the list of pages as it is",
    )
    arguments = parser.parse_args()
    wanted = [one for one in SUBJECTS if not arguments.only or one.name in arguments.only]
    done = review(arguments.data, arguments.out, wanted)
    if not arguments.only:
        text = contents(done)
        print(text)
        (arguments.out / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
