"""SQL over the store: DuckDB in memory, one view per kind, nothing can be written."""

from typing import TYPE_CHECKING

from engine import ConfigError, DataError

from .kinds import KINDS, Kind
from .store import DatasetInfo, Store

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

_KEY_COLUMNS = ("venue", "market", "symbol", "step", "source")
_TYPES = {"timestamp[us]": "TIMESTAMP", "double": "DOUBLE", "int64": "BIGINT"}


def sql(store: Store, query: str) -> "pd.DataFrame":
    """Answer one SELECT over the views ``ohlcv``, ``funding`` … (one per kind).

    A view has the columns of its kind and ``venue``, ``market``, ``symbol``, ``step`` and
    ``source``; a kind without data is an empty view. Times are UTC TIMESTAMPs without a zone. Only
    the parts that the manifests name are read, after their bytes were hashed again: a changed part is
    an error, not a wrong sum. The query can open no other file.

    Raises ConfigError for a query that is not one SELECT (or SHOW, DESCRIBE, EXPLAIN) or does not
    bind, DataError when a part cannot be read.
    """
    import duckdb

    connection = duckdb.connect(":memory:")
    try:
        _check_statement(connection, query)
        _open_views(connection, store)
        answer: pd.DataFrame = connection.execute(query).df()
        return answer
    except duckdb.IOException as error:
        raise DataError(f"{store.root}: {error}; run `ninefold data verify`") from error
    except duckdb.Error as error:
        raise ConfigError(f"SQL: {error}") from error
    finally:
        connection.close()


def _open_views(connection: "duckdb.DuckDBPyConnection", store: Store) -> None:
    import duckdb

    misleading = [part for part in store.root.resolve().parts if part.split("=")[0] in _KEY_COLUMNS]
    if misleading:
        raise DataError(
            f"{store.root}: SQL takes the key of a row from the names of its folders, and the folder "
            f"{misleading[0]!r} above the store looks like one; move the store"
        )
    infos = store.datasets()
    for info in infos:
        store.check_parts(info)
    paths = [str(path.resolve()) for info in infos for path in store.part_paths(info)]
    connection.execute("SET allowed_paths = $paths", {"paths": paths})
    connection.execute("SET enable_external_access = false")
    try:
        for kind in KINDS.values():
            _create_view(connection, store, kind, [i for i in infos if i.key.kind == kind.name])
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise DataError(
            f"{store.root}: a part cannot be opened ({reason}); run `ninefold data verify`"
        ) from error
    connection.execute("SET lock_configuration = true")


def _check_statement(connection: "duckdb.DuckDBPyConnection", query: str) -> None:
    statements = connection.extract_statements(query)
    kinds = [statement.type.name for statement in statements]
    if len(kinds) != 1 or kinds[0] not in ("SELECT", "EXPLAIN"):
        raise ConfigError(
            f"SQL: the store answers one SELECT, this is {' and '.join(kinds) or 'empty'}; "
            "it cannot be changed through SQL"
        )


def _create_view(
    connection: "duckdb.DuckDBPyConnection", store: Store, kind: Kind, infos: list[DatasetInfo]
) -> None:
    if infos:
        files = ", ".join(
            _quoted(str(path.resolve())) for info in infos for path in store.part_paths(info)
        )
        types = ", ".join(f"{_quoted(name)}: VARCHAR" for name in _KEY_COLUMNS)
        source = f"read_parquet([{files}], hive_partitioning = true, hive_types = {{{types}}})"
        # Folders above the store, such as `year=2020`, would add columns of their own to a `*`.
        columns = ", ".join([*_KEY_COLUMNS, *kind.schema.names])
        connection.execute(f"CREATE VIEW {kind.name} AS SELECT {columns} FROM {source}")
        return
    empty = [f"NULL::VARCHAR AS {name}" for name in _KEY_COLUMNS]
    empty += [f"NULL::{_TYPES[str(field.type)]} AS {field.name}" for field in kind.schema]
    connection.execute(f"CREATE VIEW {kind.name} AS SELECT {', '.join(empty)} WHERE false")


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
