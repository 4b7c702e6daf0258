"""Which columns are built (``features``), and files of the user's own: indicators and heads."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from engine import ConfigError, timeframe_ns
from indicators.feature_name import parsed_feature

from .config_section import Section
from .yaml_source import Source

INDICATORS_KEY: Final = "indicators"
HEADS_KEY: Final = "heads"
FILES_KEY: Final = "files"
RECORDED: Final = "recorded"
"""Key of the validation's context: files whose hash is stated are left unread until they are run."""


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


class CodeFile(Section):
    """A file of Python that a configuration names.

    ``sha256`` is that of its content, taken when the configuration is read; a configuration that was
    written out states it, and is refused when the file says something else since. One that is only
    looked at again (``RECORDED``) takes the hash as stated: the file may be gone, and what runs it checks.
    """

    path: str = Field(min_length=1)
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @model_validator(mode="before")
    @classmethod
    def _with_hash(cls, data: Any, info: ValidationInfo) -> Any:
        given = {"path": data} if isinstance(data, str) else data
        if not isinstance(given, Mapping) or not isinstance(given.get("path"), str):
            return given
        if (info.context or {}).get(RECORDED) and "sha256" in given:
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


class IndicatorFile(CodeFile):
    """A file with indicators of the user's own.

    ``sha256`` is that of its content, taken when the configuration is read; a configuration that was
    written out states it, and is refused when the file says something else since.
    """


class HeadFile(CodeFile):
    """A file with a head of the user's own, under the name ``HEAD``.

    ``name`` is what the head calls itself, that of the file unless stated; ``parameters`` are given to
    its class. ``sha256`` as of a file of indicators.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    parameters: Mapping[str, bool | int | float | str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _named_as_its_file(cls, data: Any) -> Any:
        names = own_head_names([data])
        given = {"path": data} if isinstance(data, str) else data
        return {**given, "name": names[0]} if names and isinstance(given, Mapping) else given


def own_head_names(files: Any) -> tuple[str, ...]:
    """The names of the heads in ``files``, as a configuration lists them; what is no file has none."""
    names = []
    for file in files if isinstance(files, list | tuple) else ():
        if isinstance(file, HeadFile):
            names.append(file.name)
        elif isinstance(file, str):
            names.append(Path(file).stem)
        elif isinstance(file, Mapping) and isinstance(file.get("path"), str):
            names.append(str(file.get("name", Path(file["path"]).stem)))
    return tuple(names)


def beside(source: Source, folder: Path) -> Source:
    """``source`` with the paths of files of code, which are relative to ``folder``, made absolute."""
    return Source(
        with_files(source.tree, lambda one: _placed(one, folder)), source.origins, source.name
    )


def with_files(tree: Mapping[str, Any], changed: Callable[[Any], Any]) -> Mapping[str, Any]:
    """``tree`` with every file of code that it lists, of indicators and of heads, changed."""
    indicators, heads = tree.get(INDICATORS_KEY), tree.get(HEADS_KEY)
    if isinstance(indicators, list):
        tree = {**tree, INDICATORS_KEY: [changed(one) for one in indicators]}
    if isinstance(heads, Mapping) and isinstance(heads.get(FILES_KEY), list):
        files = [changed(one) for one in heads[FILES_KEY]]
        tree = {**tree, HEADS_KEY: {**heads, FILES_KEY: files}}
    return tree


def _placed(given: Any, folder: Path) -> Any:
    if isinstance(given, str):
        return str((folder / given).resolve())
    if isinstance(given, Mapping) and isinstance(given.get("path"), str):
        return {**given, "path": str((folder / given["path"]).resolve())}
    return given
