"""The sections ``features`` and ``indicators``: which columns are built, and whose indicators there are."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, field_validator, model_validator

from engine import ConfigError, timeframe_ns
from indicators.feature_name import parsed_feature

from .config_section import Section
from .yaml_source import Source

INDICATORS_KEY: Final = "indicators"


def _readable(column: str) -> str:
    try:
        parsed_feature(column)
    except ConfigError as error:
        raise ValueError(f"is no feature: {error}") from None
    return column


class FeaturesConfig(Section):
    """What ``ninefold features`` builds; no run reads it.

    A matrix for each symbol and each of ``timeframes`` (those of ``data`` where none is named), which
    are multiples of ``data.timeframe``. Its columns are the features of the heads that vote, unless
    ``of_heads`` is false, then ``columns``, each written as ``rsi.rsi(length=14)@bars:4h``.
    """

    columns: tuple[Annotated[str, AfterValidator(_readable)], ...] = ()
    timeframes: tuple[str, ...] = ()
    of_heads: bool = True

    @field_validator("timeframes")
    @classmethod
    def _steps(cls, timeframes: tuple[str, ...]) -> tuple[str, ...]:
        for step in timeframes:
            timeframe_ns(step)
        if len(set(timeframes)) < len(timeframes):
            raise ValueError("names a step twice")
        return timeframes

    def check_steps(self, base: str) -> None:
        """ConfigError unless every one of ``timeframes`` can be built from bars of ``base``."""
        for step in self.timeframes:
            if timeframe_ns(step) % timeframe_ns(base):
                raise ConfigError(
                    f"features.timeframes has {step}, which is no multiple of data.timeframe={base}"
                )


class IndicatorFile(Section):
    """A file with indicators of the user's own.

    ``sha256`` is that of its content, taken when the configuration is read; a configuration that was
    written out states it, and is refused when the file says something else since.
    """

    path: str = Field(min_length=1)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @model_validator(mode="before")
    @classmethod
    def _with_hash(cls, data: Any) -> Any:
        given = {"path": data} if isinstance(data, str) else data
        if not isinstance(given, Mapping) or not isinstance(given.get("path"), str):
            return given
        path = given["path"]
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise ValueError(f"path {path} cannot be read ({error.strerror})") from None
        found = hashlib.sha256(content).hexdigest()
        if given.get("sha256", found) != found:
            raise ValueError(
                f"path {path} is not the file that it was: its SHA-256 is {found}, the configuration "
                f"states {given['sha256']}; bring the former content back, or leave sha256 out"
            )
        return {**given, "path": str(Path(path).resolve()), "sha256": found}


def beside(source: Source, folder: Path) -> Source:
    """``source`` with the paths of indicator files, which are relative to ``folder``, made absolute."""
    listed = source.tree.get(INDICATORS_KEY)
    if not isinstance(listed, list):
        return source
    return Source(
        {**source.tree, INDICATORS_KEY: [_placed(one, folder) for one in listed]},
        source.origins,
        source.name,
    )


def _placed(given: Any, folder: Path) -> Any:
    if isinstance(given, str):
        return str((folder / given).resolve())
    if isinstance(given, Mapping) and isinstance(given.get("path"), str):
        return {**given, "path": str((folder / given["path"]).resolve())}
    return given
