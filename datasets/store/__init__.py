"""The store: immutable Parquet parts under manifests that are replaced last."""

from .parts import PartGoneError
from .records import DatasetInfo, Problem, Write, WriteResult
from .store import Store

__all__ = ["DatasetInfo", "PartGoneError", "Problem", "Store", "Write", "WriteResult"]
