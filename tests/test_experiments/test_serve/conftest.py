import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from experiments import RunResult
from tests.test_experiments.test_serve.run_folders import HOSTILE, copied
from tests.test_experiments.test_serve.serving import Server, serving


@pytest.fixture(scope="session")
def run_folder(result: RunResult) -> Path:
    """A finished run as it lies on the disk."""
    assert result.run_dir is not None
    return result.run_dir


@pytest.fixture(scope="session")
def mixed(tmp_path_factory: pytest.TempPathFactory, run_folder: Path) -> Path:
    """Sound runs, damaged ones, foreign folders, links inside and out."""
    outer = tmp_path_factory.mktemp("mixed")
    folder = outer / "runs"
    folder.mkdir()
    copied(
        run_folder,
        folder,
        "20240101T000000Z-first",
        name="first",
        created_at="2024-01-01T00:00:00Z",
    )
    copied(run_folder, folder, "20240102T000000Z-second", name="second", timeframe="4h",
           created_at="2024-01-02T00:00:00Z", simulated=False)  # fmt: skip
    copied(run_folder, folder, "20240103T000000Z-hostile", name=HOSTILE,
           created_at="2024-01-03T00:00:00Z")  # fmt: skip
    copied(
        run_folder, folder, "20240104T000000Z-old", name="old", symbols=[HOSTILE], schema_version=1
    )
    for name, text in {
        "20240105T000000Z-torn": '{"schema_version": 2, "na',
        "20240106T000000Z-list": "[1, 2]",
        "20240107T000000Z-deep": "[" * 100_000,
        "20240108T000000Z-foreign": '{"name": "something else"}',
        "20240109T000000Z-wrong": json.dumps({"schema_version": 3, "metrics": 5}),
    }.items():
        (folder / name).mkdir()
        (folder / name / "run.json").write_text(text)
    (folder / "20240110T000000Z-bytes").mkdir()
    (folder / "20240110T000000Z-bytes" / "run.json").write_bytes(b"\xff\xfe\x00")
    (folder / "20240111T000000Z-headless").mkdir()
    shutil.copy(run_folder / "equity.parquet", folder / "20240111T000000Z-headless")
    damaged = copied(run_folder, folder, "20240112T000000Z-damaged", name="damaged")
    (damaged / "equity.parquet").unlink()
    (damaged / "equity.parquet").write_bytes(b"PAR1")
    (folder / "notes").mkdir()
    (folder / "notes" / "read.me").write_text("no run")
    (folder / ".unfinished-x").mkdir()
    secret = outer / "secret"
    copied(run_folder, outer, "secret", name="secret-run")
    (secret / "other.parquet").write_text("secret")
    (folder / "20240113T000000Z-outside").symlink_to(secret)
    (folder / "20240114T000000Z-alias").symlink_to("20240101T000000Z-first")
    (folder / "20240115T000000Z-loop").symlink_to("20240115T000000Z-loop")
    linked = folder / "20240116T000000Z-linked"
    linked.mkdir()
    (linked / "run.json").symlink_to(secret / "run.json")
    (folder / "20240101T000000Z-first" / "leak.parquet").symlink_to(secret / "other.parquet")
    return folder


@pytest.fixture(scope="session")
def server(mixed: Path) -> Iterator[Server]:
    with serving(mixed) as running:
        yield running
