"""SQL over the store: DuckDB in memory, one view per kind, nothing can be written."""

import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from engine import ConfigError, DataError

from .kinds import KINDS, Kind
from .store import DatasetInfo, Store

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

KEY_COLUMNS: Final = ("venue", "market", "symbol", "step", "source")
_TYPES: Final = {
    "timestamp[us]": "TIMESTAMP",
    "double": "DOUBLE",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
    "string": "VARCHAR",
}


def sql(store: Store, query: str) -> "pd.DataFrame":
    """Answer one SELECT over the views ``ohlcv``, ``funding`` … (one per kind).

    A view has the columns of its kind, every vintage of every row, and ``venue``, ``market``,
    ``symbol``, ``step`` and ``source`` (with ``dataset_`` before one that the kind has itself); a kind
    without data is an empty view. Times are UTC TIMESTAMPs without a zone. Only the kinds that the
    query names are opened, and of them only the parts that the manifests name, after their bytes were
    hashed again: a changed part is an error, not a wrong sum. The query can open no other file.

    Raises ConfigError for a query that is not one SELECT (or SHOW, DESCRIBE, EXPLAIN) or does not
    bind, DataError when a part or manifest of a named kind cannot be read.
    """
    while True:
        infos = _named_datasets(store, query)
        try:
            return _answer(store, infos, query)
        except (ConfigError, DataError):
            # A writer may have superseded a part before the query reached it. DuckDB takes a path
            # that is gone for a pattern, which the query may not follow: that is no error of its text.
            if _parts(_named_datasets(store, query)) == _parts(infos):
                raise


def _parts(infos: list[DatasetInfo]) -> list[object]:
    return [(info.key, info.parts) for info in infos]


def _named_datasets(store: Store, query: str) -> list[DatasetInfo]:
    named = _named_kinds(query)
    keys = store.keys()
    return [store.dataset(key) for key in keys if key.kind in named]


def _named_kinds(query: str) -> set[str]:
    return {word.lower() for word in re.findall(r"\w+", query)} & KINDS.keys()


def _answer(store: Store, infos: list[DatasetInfo], query: str) -> "pd.DataFrame":
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        _check_statement(connection, query)
        with ThreadPoolExecutor() as pool:
            # Hashing releases the interpreter, so that this takes as many cores as there are.
            for _ in pool.map(store.check_parts, infos):
                pass
        _open_views(connection, store, infos, _named_kinds(query))
        answer: pd.DataFrame = connection.execute(query).df()
        return answer
    except duckdb.IOException as error:
        raise DataError(f"{store.root}: {error}; run `ninefold data verify`") from error
    except duckdb.Error as error:
        raise ConfigError(f"SQL: {error}") from error
    finally:
        connection.close()


def _check_statement(connection: "duckdb.DuckDBPyConnection", query: str) -> None:
    statements = connection.extract_statements(query)
    kinds = [statement.type.name for statement in statements]
    if len(kinds) != 1 or kinds[0] not in ("SELECT", "EXPLAIN"):
        raise ConfigError(
            f"SQL: the store answers one SELECT, this is {' and '.join(kinds) or 'empty'}; "
            "it cannot be changed through SQL"
        )


def _open_views(
    connection: "duckdb.DuckDBPyConnection",
    store: Store,
    infos: list[DatasetInfo],
    named: Iterable[str],
) -> None:
    import duckdb

    paths = [str(path.resolve()) for info in infos for path in store.part_paths(info)]
    connection.execute("SET allowed_paths = $paths", {"paths": paths})
    connection.execute("SET enable_external_access = false")
    try:
        for kind in KINDS.values():
            body = (
                _rows(store, kind, [info for info in infos if info.key.kind == kind.name])
                if kind.name in named
                else _unnamed(kind)
            )
            connection.execute(f'CREATE VIEW "{kind.name}" AS {body}')
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{store.root}: a part cannot be opened ({reason}); run `ninefold data verify`"
        ) from error
    connection.execute("SET lock_configuration = true")


def _rows(store: Store, kind: Kind, infos: list[DatasetInfo]) -> str:
    if not infos:
        return f"{_empty(kind)} WHERE false"
    columns = ", ".join(f'"{name}"' for name in kind.schema.names)
    selects = []
    for info in infos:
        files = ", ".join(_quoted(str(path.resolve())) for path in store.part_paths(info))
        keys = ", ".join(
            f'{_quoted(getattr(info.key, name))} AS "{shown}"'
            for name, shown in _key_columns(kind).items()
        )
        selects.append(
            f"SELECT {keys}, {columns} FROM read_parquet([{files}], hive_partitioning = false)"
        )
    return " UNION ALL ".join(selects)


def _unnamed(kind: Kind) -> str:
    # A query can reach a view without writing its name; it must not find it empty.
    return f"{_empty(kind)} WHERE error('write the name of the view {kind.name} in the query')"


def _empty(kind: Kind) -> str:
    columns = [f'NULL::VARCHAR AS "{name}"' for name in _key_columns(kind).values()]
    columns += [f'NULL::{_TYPES[str(field.type)]} AS "{field.name}"' for field in kind.schema]
    return f"SELECT {', '.join(columns)}"


def _key_columns(kind: Kind) -> dict[str, str]:
    """The parts of a key and the columns that show them."""
    own = set(kind.schema.names)
    return {name: f"dataset_{name}" if name in own else name for name in KEY_COLUMNS}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
