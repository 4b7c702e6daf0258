"""Bytes that were changed, cut or lost, and folders that cannot be written."""

import dataclasses
import errno
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from datasets import DatasetKey, Store, Write, durable
from engine import DataError
from tests.test_datasets.sample_files import (
    BARS_KEY,
    FUNDING_KEY,
    START_NS,
    bar_table,
    contents,
    funding_table,
    utc_ns,
)

NEW_YEAR = utc_ns("2021-12-31 12:00")


def part_files(store: Store) -> list[Path]:
    return sorted(store.root.rglob("part-*.parquet"))


@pytest.mark.parametrize("damage", ["truncate", "flip", "remove", "foreign"])
def test_verify_and_read_name_a_damaged_part(store: Store, damage: str) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), provenance={})
    path = part_files(store)[0]
    data = path.read_bytes()
    if damage == "truncate":
        path.write_bytes(data[: len(data) // 2])
    elif damage == "flip":
        closes = pq.ParquetFile(path).metadata.row_group(0).column(5)
        place = closes.data_page_offset + closes.total_compressed_size - 3
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
    elif damage == "remove":
        path.unlink()
    else:
        pq.write_table(pa.table({"a": [1]}), path)
    (problem,) = store.verify()
    assert problem.path == path
    assert problem.key == str(BARS_KEY)
    with pytest.raises(DataError, match=path.name) as caught:
        store.read(BARS_KEY)
    assert "import the data again" in str(caught.value)
    assert "\n" not in str(caught.value).strip()
    with pytest.raises(DataError, match=path.name):
        store.fold(BARS_KEY, lambda chunks: sum(len(chunk) for chunk in chunks))
    # What the message advises heals the store.
    store.remove(BARS_KEY)
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), provenance={})
    assert store.verify() == ()


def test_verify_sees_a_part_that_was_replaced_by_a_valid_one(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    (path,) = part_files(store)
    table = pq.read_table(path)
    volume = pa.array([1.5] * 5)
    index = table.column_names.index("volume")
    pq.write_table(table.set_column(index, "volume", volume).cast(table.schema), path)
    (problem,) = store.verify()
    assert problem.path == path
    assert "SHA-256" in problem.message


@pytest.mark.parametrize("mask", [0x01, 0xFF])
def test_no_flipped_byte_of_a_part_is_read_as_data(store: Store, mask: int) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    (path,) = part_files(store)
    sound, table = path.read_bytes(), store.read(BARS_KEY)
    refused = 0
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ mask]) + sound[place + 1 :])
        try:
            assert store.read(BARS_KEY).equals(table), place
        except DataError:
            refused += 1
    assert refused > len(sound) // 3
    (problem,) = store.verify()
    assert "SHA-256" in problem.message


def test_no_flipped_or_missing_byte_of_a_manifest_goes_unseen(store: Store) -> None:
    store.write(BARS_KEY, bar_table(24, without=(3,)), provenance={"file": "a"})
    path = store.root / BARS_KEY.manifest
    sound = path.read_bytes()
    damaged = [sound[:place] for place in range(0, len(sound), 7)]
    damaged += [
        sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]
        for place in range(len(sound))
    ]
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(DataError, match=r"test\.json"):
            store.read(BARS_KEY)
        (problem,) = store.verify()
        assert problem.path == path


def test_a_part_of_the_wrong_size_is_told_by_its_size(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    (path,) = part_files(store)
    size = path.stat().st_size
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match=f"100 bytes, the manifest says {size}"):
        store.read(BARS_KEY)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the manifest is damaged"),
        ("{", "the manifest is damaged"),
        ("[]", "the manifest is damaged"),
        ('{"version": "x"}', "the manifest is damaged"),
        (
            '{"version": 3}',
            r"written by a newer Ninefold \(format 3, this one reads 2\); update Ninefold",
        ),
        ('{"version": 1}', r"older Ninefold .*import the data again into a new store"),
        ('{"version": 2}', "the manifest is damaged"),
    ],
)
def test_a_manifest_that_cannot_be_read_harms_no_other_data_set(
    store: Store, text: str, message: str
) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    store.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    manifest = store.root / BARS_KEY.manifest
    manifest.write_text(text)
    before = contents(store.root)
    for problems in (store.verify(), store.problems()):
        assert [problem.path for problem in problems] == [manifest]
    acts: list[Callable[[], object]] = [
        lambda: store.dataset(BARS_KEY),
        lambda: store.read(BARS_KEY),
        lambda: store.write(BARS_KEY, bar_table(5), provenance={}),
        lambda: store.append(BARS_KEY, bar_table(5), provenance={}),
        lambda: store.compact([BARS_KEY]),
        lambda: store.record_quality(BARS_KEY, {}),
    ]
    for act in acts:
        with pytest.raises(DataError, match=rf"test\.json: .*{message}|test\.json: {message}"):
            act()
    assert contents(store.root) == before
    assert store.keys() == (FUNDING_KEY, BARS_KEY)
    assert [info.key for info in store.datasets()] == [FUNDING_KEY]
    assert len(store.read(FUNDING_KEY)) == 1
    store.compact()
    store.remove(BARS_KEY)
    assert store.verify() == store.leftovers() == ()


def test_a_file_that_is_no_manifest_is_a_problem_and_no_data_set(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    stranger = store.root / "_manifest" / "notes.json"
    stranger.write_text("{}")
    assert store.keys() == (BARS_KEY,)
    (problem,) = store.verify()
    assert problem.path == stranger


def test_a_symbol_may_look_like_a_manifest(store: Store) -> None:
    key = dataclasses.replace(BARS_KEY, symbol="A.json")
    store.write(key, bar_table(5), provenance={})
    assert store.keys() == (key,)
    assert store.verify() == ()


def test_a_manifest_under_another_name_is_refused(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    shutil.copy(
        store.root / BARS_KEY.manifest, (store.root / BARS_KEY.manifest).with_name("b.json")
    )
    (problem,) = store.verify()
    assert f"it is that of {BARS_KEY}" in problem.message


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("rows", 4, "5 rows from"),
        ("gaps", [[1, 2, 3]], "other gaps"),
        ("period", "2020", "holds rows of 2021, the manifest says 2020"),
    ],
)
def test_verify_sees_a_manifest_that_lies(
    store: Store, field: str, value: object, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    manifest = store.root / BARS_KEY.manifest
    document = json.loads(manifest.read_text())
    document["parts"][0][field] = value
    manifest.write_text(json.dumps(document))
    # As if the liar had sealed it.
    monkeypatch.setattr("datasets.manifest._sealed", lambda text: manifest.read_bytes())
    (problem,) = store.verify()
    assert message in problem.message


def test_leftovers_are_listed_and_removed_by_the_next_writer_of_the_data_set(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    store.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    sound = contents(store.root)
    folder = store.root / BARS_KEY.folder
    abandoned = store.root / "ohlcv/venue=x/market=spot/symbol=Y/step=1h/source=z"
    abandoned.mkdir(parents=True)
    left = {
        folder / "part-000000000000.parquet",
        folder / ".tmp-part-1.parquet~7-7",
        (store.root / BARS_KEY.manifest).with_name(".tmp-test.json~7-7"),
        abandoned / "part-000000000000.parquet",
    }
    for path in left:
        path.write_bytes(b"half")
    assert store.verify() == ()
    assert set(store.leftovers()) == left
    assert len(store.read(BARS_KEY)) == 5
    store.write(FUNDING_KEY, funding_table([START_NS], [1e-4]), provenance={})
    assert set(store.leftovers()) == left
    store.write(BARS_KEY, bar_table(5), provenance={})
    assert set(store.leftovers()) == {abandoned / "part-000000000000.parquet"}
    store.compact()
    assert contents(store.root) == sound


def test_a_sweep_spares_the_temporaries_of_other_data_sets(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    others = (store.root / BARS_KEY.manifest).with_name(".tmp-test.json-b.json~7-7")
    others.write_bytes(b"half")
    store.write(BARS_KEY, bar_table(5), provenance={"file": "again"})
    assert others.exists()


def test_sweep_spares_parts_whose_manifest_is_unreadable(store: Store) -> None:
    store.write(BARS_KEY, bar_table(5), provenance={})
    (store.root / BARS_KEY.manifest).write_text("{")
    with store.writing([BARS_KEY]):
        pass
    store.compact()
    assert len(part_files(store)) == 1
    assert store.leftovers() == ()


@pytest.mark.parametrize("call", ["write", "sync", "rename", "make_one_folder"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS])
def test_a_disk_that_refuses_is_a_data_error_that_changes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    store.write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR).slice(0, 18), provenance={})
    before = contents(store.root)
    other = DatasetKey("ohlcv", "binance", "spot", "ETHUSDT", "1h", "test")

    def refuse(*_arguments: object) -> None:
        raise OSError(code, os.strerror(code))

    writes = [
        Write(BARS_KEY, bar_table(24, start_ns=NEW_YEAR), {}),
        Write(other, bar_table(5), {}),
    ]
    with monkeypatch.context() as patch:
        patch.setattr(durable, call, refuse)
        with pytest.raises(DataError, match=rf"cannot be written: {os.strerror(code)}"):
            store.write_all(writes)
    assert contents(store.root) == before
    assert store.verify() == store.leftovers() == ()
    store.write_all(writes)
    assert [info.rows for info in store.datasets()] == [24, 5]


def test_a_disk_that_takes_a_few_bytes_at_a_time_gets_all_of_them(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(BARS_KEY, bar_table(50), provenance={})
    with monkeypatch.context() as patch:
        patch.setattr(durable, "write", lambda file, data: os.write(file, data[:100]))
        Store(tmp_path / "slow").write(BARS_KEY, bar_table(50), provenance={})
    assert contents(tmp_path / "slow") == contents(store.root)


def test_a_file_where_a_folder_belongs_is_a_data_error(store: Store) -> None:
    store.root.mkdir()
    (store.root / "funding").write_text("a file where a folder belongs")
    with pytest.raises(DataError, match="cannot be written"):
        store.write(FUNDING_KEY, funding_table([NEW_YEAR], [1e-4]), provenance={})


def test_a_read_only_store_can_be_read_and_says_that_it_cannot_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store"))
        store.write(BARS_KEY, bar_table(5), provenance={})
        for path in [Path(folder), *store.root.rglob("*"), store.root]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        child = os.fork()
        if child == 0:
            os._exit(_use_without_rights(store))
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        for path in [Path(folder), *Path(folder).rglob("*")]:
            path.chmod(0o755)


def _use_without_rights(store: Store) -> int:
    """0 when reading works and every kind of writing is refused with a clear word."""
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    other = DatasetKey("ohlcv", "binance", "spot", "ETHUSDT", "1h", "test")
    if len(store.read(BARS_KEY)) != 5 or store.verify():
        return 1
    acts: list[Callable[[], object]] = [
        lambda: store.write(BARS_KEY, bar_table(6), provenance={}),
        lambda: store.write(other, bar_table(6), provenance={}),
        lambda: store.remove(BARS_KEY),
    ]
    for act in acts:
        try:
            act()
        except DataError as error:
            if "cannot be written: Permission denied" not in str(error):
                return 2
        else:
            return 3
    return 0
