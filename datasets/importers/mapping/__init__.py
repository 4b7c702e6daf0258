"""Any other CSV, Parquet or Feather file, described by a small YAML file."""

from .mapping import FileMapping, load_mapping, read_mapped

__all__ = ["FileMapping", "load_mapping", "read_mapped"]
