"""Files of Python that a configuration names: run once as they were hashed, their errors placed."""

import ast
import hashlib
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn, TypeVar

from engine import BacktestError, ConfigError, ContractError

from .config_features import CodeFile

_LABEL_DIGITS: Final = 16

T = TypeVar("T")


def executed(file: CodeFile, prefix: str) -> ModuleType:
    """The file as a module whose name begins with ``prefix``.

    What runs is what was hashed, and no bytecode is kept beside it. ConfigError when the file has another
    content, or when it cannot be loaded.
    """
    name = f"{prefix}{Path(file.path).stem}_{file.sha256[:_LABEL_DIGITS]}"
    try:
        content = Path(file.path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{file.path}: cannot be read ({error.strerror})") from None
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ConfigError(
            f"{file.path}: is not the file that the configuration states: its SHA-256 is {found}, not "
            f"{file.sha256}; bring that content back, or begin again with the file as it is"
        )
    module = ModuleType(name)
    module.__file__ = file.path
    # Dataclasses and compiled functions look their module up by name.
    sys.modules[name] = module
    try:
        exec(compile(content, file.path, "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the border to code of the user
        del sys.modules[name]
        place(file.path, "the file cannot be loaded", error, ConfigError)
    return module


def guarded(path: str, subject: str, call: Callable[[], T]) -> T:
    """What ``call`` returns; an exception of the file's code becomes a ContractError with its line."""
    try:
        return call()
    except ContractError:
        raise
    except Exception as error:  # noqa: BLE001 - the border to code of the user: every error gets its place
        place(path, subject, error, ContractError)


def place(
    path: str, subject: str, error: BaseException, kind: type[ConfigError] | type[ContractError]
) -> NoReturn:
    """Raise ``error`` again with the last line of ``path`` that it went through."""
    line: int | None = None
    if isinstance(error, SyntaxError) and error.filename == path:
        line, text = error.lineno, error.msg
    else:
        frames = traceback.extract_tb(error.__traceback__)
        line = next((frame.lineno for frame in reversed(frames) if frame.filename == path), None)
        text = str(error)
    at = path if line is None else f"{path}:{line}"
    own = isinstance(error, BacktestError)
    said = text if own else f"{type(error).__name__}: {text}"
    raise kind(f"{at}: {subject}: {said}") from (None if own else error)


def line_of(function: Callable[..., Any]) -> int:
    """The line on which ``function`` begins; 1 where it has none."""
    code = getattr(function, "__code__", None)
    return 1 if code is None else int(code.co_firstlineno)


def line_naming(file: CodeFile, word: str) -> int:
    """The first line on which ``word`` is assigned or written as a text; 1 where it is computed."""
    tree = ast.parse(Path(file.path).read_bytes())
    for node in ast.walk(tree):
        is_target = isinstance(node, ast.Name) and node.id == word
        is_text = isinstance(node, ast.Constant) and node.value == word
        if is_target or is_text:
            return int(getattr(node, "lineno", 1))
    return 1


def kind_of(value: object) -> str:
    """``a dict``, ``a float``, ``nothing``."""
    return "nothing" if value is None else f"a {type(value).__name__}"
