"""The one compile decorator, and the on-disk cache of what it compiled.

``kernel`` is ``numba.njit`` without fastmath (NaN and the order of sums matter). numba's own cache
goes stale when a called kernel of another file changes: it looks at the decorated function's file
only, and the machine code of a kernel holds that of the kernels it calls, the values of the constants
it reads and the field order of the named tuples it takes. The cache here is keyed on the content of
every ``.py`` file of the kernel's package and of the packages whose kernels its module uses, and on
this file: a kernel may call any kernel, and an edit anywhere in those packages compiles them anew. Not
covered is a constant or a named tuple from a further package of which the module uses no kernel.

Where no cache folder is writable (``NUMBA_CACHE_DIR``, ``__pycache__`` beside the file, the user's
cache folder) kernels compile in every process and are kept nowhere.
"""

import contextlib
import functools
import gc
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast, overload

import numba
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.types.misc import unliteral

from . import jit_passes
from .errors import ConfigError

_Function = TypeVar("_Function", bound=Callable[..., Any])

_OPTIONS = {str(Path(file).resolve()) for file in (__file__, jit_passes.__file__)}
_UNREADABLE = (AttributeError, ImportError, EOFError, pickle.UnpicklingError)
_PACKAGES_OF_MODULE: dict[str, frozenset[str]] = {}


@overload
def kernel(function: _Function, /) -> _Function: ...


@overload
def kernel(
    *, parallel: bool = False, nogil: bool = False, inlined: bool = False
) -> Callable[[_Function], _Function]: ...


def kernel(
    function: _Function | None = None,
    /,
    *,
    parallel: bool = False,
    nogil: bool = False,
    inlined: bool = False,
) -> _Function | Callable[[_Function], _Function]:
    """Compile a function with numba: IEEE arithmetic, cached on disk. ``@kernel`` or ``@kernel(...)``.

    ``parallel``: ``numba.prange`` loops run on numba's threads (otherwise they are plain loops);
    ``nogil``: the interpreter's lock is released while the kernel runs, so that threads of the caller
    run at once; ``inlined``: LLVM copies the function into its callers, which spares a small function
    the counting of references to the arrays that it takes. Raises ConfigError where numba has no cache
    that can be keyed on other files.
    """
    if function is None:
        return functools.partial(_compiled, parallel=parallel, nogil=nogil, inlined=inlined)
    return _compiled(function, parallel=parallel, nogil=nogil, inlined=inlined)


def _compiled(function: _Function, *, parallel: bool, nogil: bool, inlined: bool) -> _Function:
    compiled = numba.njit(
        fastmath=False,
        error_model="numpy",
        parallel=parallel,
        nogil=nogil,
        forceinline=inlined,
        pipeline_class=jit_passes.KernelCompiler,
    )(function)
    if compiled is function:  # NUMBA_DISABLE_JIT
        return function
    if not hasattr(compiled, "_cache"):
        raise ConfigError(
            f"numba {numba.__version__} keeps no cache on its compiled functions, so that kernels "
            "could go stale: install numba 0.68.1, or adapt engine/jit.py to the later one"
        )
    try:
        compiled._cache = _KernelCache(function)
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
    _forget_literals(compiled)
    compiled._compile_for_args = _without_collector(compiled._compile_for_args)
    return cast(_Function, compiled)


def _without_collector(compile_for: Callable[..., Any]) -> Callable[..., Any]:
    """``compile_for`` without searches for cyclic garbage: compiling allocates much, which all lives on."""

    def compile_for_args(*arguments: Any, **keywords: Any) -> Any:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return compile_for(*arguments, **keywords)
        finally:
            if was_enabled:
                gc.enable()

    return compile_for_args


@overload
def inner_kernel(function: _Function, /) -> _Function: ...


@overload
def inner_kernel(*, inlined: bool = False) -> Callable[[_Function], _Function]: ...


def inner_kernel(
    function: _Function | None = None, /, *, inlined: bool = False
) -> _Function | Callable[[_Function], _Function]:
    """Compile a function that only kernels call, as a part of each entry point that reaches it.

    A ``kernel`` is optimised and turned into machine code together with everything that it calls, once
    by itself and once more in each of its callers: a hundred small kernels compile for minutes. An inner
    kernel is only translated; the ``kernel`` that is called from Python optimises the whole and keeps it
    in its cache. ``inlined`` copies it into its callers whatever its size. It cannot be called from
    Python: wrap it in a kernel for that (``standalone``).
    """
    if function is None:
        return functools.partial(_translated, inlined=inlined)
    return _translated(function, inlined=inlined)


def _translated(function: _Function, *, inlined: bool) -> _Function:
    compiled = numba.njit(
        fastmath=False,
        forceinline=inlined,
        error_model="numpy",
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        pipeline_class=jit_passes.InnerCompiler,
    )(function)
    if compiled is not function:
        _sources_stamp(function)
        _forget_literals(compiled)
        _refuse_calls(compiled)
    return cast(_Function, compiled)


def standalone(inner: _Function) -> _Function:
    """An inner kernel compiled for calls from Python, without a cache."""
    function = getattr(inner, "py_func", inner)
    return cast(_Function, numba.njit(fastmath=False, error_model="numpy")(function))


def _refuse_calls(compiled: Any) -> None:
    """Keep Python from calling what has no machine code."""

    def refuse(*_arguments: Any, **_keywords: Any) -> None:
        raise TypeError(
            f"{compiled.py_func.__name__} is an inner kernel: call it from a kernel, or through "
            "engine.jit.standalone"
        )

    compiled._insert = lambda *_overload: None
    compiled._compile_for_args = refuse


def _forget_literals(compiled: Any) -> None:
    """Compile for the types of arguments, not once more for every constant that is passed."""
    template_of = compiled.get_call_template

    def get_call_template(arguments: Any, keywords: Any) -> Any:
        return template_of(
            tuple(unliteral(one) for one in arguments),
            {name: unliteral(one) for name, one in keywords.items()},
        )

    compiled.get_call_template = get_call_template


class _KernelCacheFiles(CompileResultCacheImpl):
    """Where a kernel's cache files lie, and what must not have changed since they were written.

    The stamp is in the index, as numba has it, and in every data file: two processes that started
    before and after an edit write to the same names, and one may write the index that the other's data
    file then goes with.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        self._stamp = (self.locator.get_source_stamp(), _sources_stamp(function))
        self.locator.get_source_stamp = lambda: self._stamp

    def reduce(self, compiled: Any) -> Any:
        return self._stamp, super().reduce(compiled)

    def rebuild(self, target: Any, stored: Any) -> Any:
        stamp, reduced = stored
        return super().rebuild(target, reduced) if stamp == self._stamp else None


class _KernelCache(FunctionCache):
    """numba's cache of one function; a folder that fails after the start only costs the cache.

    The index names the types of a kernel's arguments: one that was renamed or moved since makes it
    unreadable, and it is begun anew.
    """

    _impl_class = _KernelCacheFiles

    def load_overload(self, signature: Any, target: Any) -> Any:
        with contextlib.suppress(OSError):
            try:
                return super().load_overload(signature, target)
            except _UNREADABLE:
                self.flush()
                return super().load_overload(signature, target)

    def save_overload(self, signature: Any, compiled: Any) -> None:
        with contextlib.suppress(OSError):
            try:
                super().save_overload(signature, compiled)
            except _UNREADABLE:
                self.flush()
                super().save_overload(signature, compiled)


def _sources_stamp(function: Callable[..., Any]) -> str:
    """Hash of every source that the machine code of ``function`` can depend on."""
    packages = {_package(function.__code__.co_filename), *_OPTIONS}
    for value in function.__globals__.values():
        if isinstance(value, ModuleType):
            prefix = f"{value.__name__}."
            for module, theirs in _PACKAGES_OF_MODULE.items():
                if f"{module}.".startswith(prefix):
                    packages |= theirs
        else:
            module = getattr(getattr(value, "py_func", None), "__module__", "")
            packages |= _PACKAGES_OF_MODULE.get(module, frozenset())
    module = function.__module__
    _PACKAGES_OF_MODULE[module] = _PACKAGES_OF_MODULE.get(module, frozenset()) | packages
    return hashlib.sha256("".join(sorted(map(_package_hash, packages))).encode()).hexdigest()


@functools.cache
def _package(file: str) -> str:
    """Folder of the top-level package that ``file`` belongs to; the file itself outside of packages."""
    path = Path(file).resolve()
    if not (path.parent / "__init__.py").exists():
        return str(path)
    folder = path.parent
    while (folder.parent / "__init__.py").exists():
        folder = folder.parent
    return str(folder)


@functools.cache
def _package_hash(path: str) -> str:
    """Hash of the names and contents of the Python files under ``path``, read once per process."""
    found = hashlib.sha256()
    files = [path] if os.path.isfile(path) else []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if name != "__pycache__")
        files += [os.path.join(folder, name) for name in sorted(names) if name.endswith(".py")]
    for file in files:
        content = Path(file).read_bytes()
        found.update(f"{os.path.relpath(file, path)}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()
