"""Is the data sound? Checks of files and of data sets, and why rows are missing.

One file per family of checks, each with a tuple ``CHECKS``; ``registry`` lists them. A check is a
function from a series and the settings to findings, see ``check``.
"""

from .gap import CAUSES, Cause, Gap, Period
from .registry import GROUP_CHECKS, SERIES_CHECKS
from .report import DatasetQuality, QualityReport, Refusal
from .run import check_files, check_store, recorded_quality
from .series import CheckedSeries
from .settings import QualitySettings
from .suite import check_series

__all__ = [
    "CAUSES",
    "GROUP_CHECKS",
    "SERIES_CHECKS",
    "Cause",
    "CheckedSeries",
    "DatasetQuality",
    "Gap",
    "Period",
    "QualityReport",
    "QualitySettings",
    "Refusal",
    "check_files",
    "check_series",
    "check_store",
    "recorded_quality",
]
