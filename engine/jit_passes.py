"""How kernels are compiled: numba's compiler with less to do.

Nearly all of the time goes into numba's own work on each function, not into LLVM's: a kernel of an entry
point is a hundred functions. Two things shorten it. ``_TypingContext`` remembers what an operator
makes of numbers, which numba asks a dozen templates for at every use; inner kernels leave out the
passes for what they do not contain.
"""

from typing import Any, Final

from llvmlite.binding import Linkage
from numba.core import types
from numba.core.compiler import Compiler, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.typed_passes import InlineOverloads, NativeLowering, NopythonRewrites
from numba.core.untyped_passes import (
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    WithLifting,
)

_LEFT_OUT: Final = {
    FindLiterallyCalls,
    InlineClosureLikes,
    InlineInlinables,
    InlineOverloads,
    LiteralUnroll,
    MakeFunctionToJitFunction,
    NopythonRewrites,
    WithLifting,
}
"""Passes for closures, comprehensions, ``with``, literals and the fusion of expressions of whole arrays."""

_RUNTIME: Final = "NRT_"
"""numba counts references by functions of these names, and its own passes look for them."""
_SCALARS: Final = (types.Number, types.Boolean)
_RESOLVED: Final[dict[Any, tuple[Any, Any]]] = {}


class _TypingContext:
    """A typing context that resolves a function of numbers once."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def resolve_function_type(self, function: Any, arguments: Any, keywords: Any) -> Any:
        """The signature of a call; a function that found one for these types keeps the choice itself."""
        if keywords or not isinstance(function, types.Function):
            return self._context.resolve_function_type(function, arguments, keywords)
        if not all(isinstance(one, _SCALARS) for one in arguments):
            return self._context.resolve_function_type(function, arguments, keywords)
        key = id(function), tuple(arguments)
        if key not in _RESOLVED:
            signature = self._context.resolve_function_type(function, arguments, keywords)
            _RESOLVED[key] = signature, function
        return _RESOLVED[key][0]


def _keep_inside(library: Any) -> None:
    """Let LLVM treat what was linked into a kernel as the kernel's own.

    numba links callees so that other modules could call them as well, which forbids to change how they
    are called and to drop them once they are inlined. They get a name of their own: numba's linker finds
    even internal functions by name, and would call them for another module's.
    """
    optimize = library._optimize_final_module

    def optimize_whole() -> None:
        for function in library._final_module.functions:
            is_linked = function.linkage == Linkage.linkonce_odr and not function.is_declaration
            if is_linked and not function.name.startswith(_RUNTIME):
                function.linkage = Linkage.internal
                function.name = f"{function.name}.of.{library.name}"
        optimize()

    library._optimize_final_module = optimize_whole


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    """Translation to machine code of a kernel and of everything that it calls as one."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library.enable_object_caching()
        if not state.flags.auto_parallel.enabled:
            _keep_inside(library)
        state.library = library
        return bool(super().run_pass(state))


class _Arguments(tuple[Any, ...]):
    """Types of arguments that are not spelled out, field by field of their records, for each pass."""

    def __str__(self) -> str:
        return f"{len(self)} arguments"


class KernelCompiler(Compiler):
    """numba's compiler with a memory for signatures, and its last step replaced."""

    def __init__(self, typing_context: Any, *others: Any) -> None:
        super().__init__(typing_context, *others)
        self.state.typingctx = _TypingContext(typing_context)
        self.state.args = _Arguments(self.state.args)

    def define_pipelines(self) -> list[Any]:
        return [_with_lowering(self.state, _KernelLowering, set())]


def _with_lowering(state: Any, lowering: type[NativeLowering], left_out: set[Any]) -> Any:
    """numba's passes without ``left_out``, with another last one."""
    passes = DefaultPassBuilder.define_nopython_pipeline(state)
    passes.passes = [
        (lowering, text) if step is NativeLowering else (step, text)
        for step, text in passes.passes
        if step not in left_out
    ]
    passes._finalized = False
    passes.finalize()
    return passes


def _keep_translated(library: Any) -> None:
    """Count as finished, without machine code."""
    library._finalize_dynamic_globals()
    library._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _InnerLowering(NativeLowering):
    """Translation to LLVM, each function simplified by itself, without machine code."""

    _name = "inner_lowering"

    def run_pass(self, state: Any) -> bool:
        library = state.targetctx.codegen().create_library(state.func_id.func_qualname)
        library._optimize_final_module = lambda: None
        library._finalize_final_module = lambda: _keep_translated(library)
        state.library = library
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        # Callers find the code by an entry point, which must be a unique function of C's.
        entry = [lowered.fndesc.mangled_name].clear
        state.targetctx.insert_user_function(entry, lowered.fndesc, [library])
        state.reload_init.extend(library._reload_init)
        state["cr"] = lowered._replace(cfunc=entry)
        return True


class InnerCompiler(KernelCompiler):
    """The last step replaced, and the passes of ``_LEFT_OUT`` left out."""

    def define_pipelines(self) -> list[Any]:
        return [_with_lowering(self.state, _InnerLowering, _LEFT_OUT)]
