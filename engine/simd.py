"""Eight float64 at a time inside kernels, and memory by address: what a sweep needs at its
innermost.

numba turns a loop into SIMD code when LLVM can prove enough about it, which a loop that adds to
several sums at once rarely allows. These functions say it outright: ``load(address, index)`` reads
eight numbers, ``spread(x)`` repeats one, ``+ - * /`` and comparisons work element by element in
IEEE arithmetic, ``choose(mask, a, b)`` takes from ``a`` where the mask holds, ``store`` writes.
Each element is computed exactly as the scalar operation would; no order of additions changes.

numba counts references to every array that a function takes, atomically; where a configuration
costs microseconds that is most of the time. Addresses (``array.ctypes.data``, in fields of a
record) are free: the caller keeps the arrays alive and within bounds, nothing is checked. Usable in
compiled kernels only.
"""

import operator
from collections.abc import Callable
from typing import Any, Final, cast

from llvmlite import ir  # type: ignore[import-untyped]
from numba.core import types
from numba.extending import intrinsic, models, overload, register_model
from numba.np.numpy_support import from_dtype

WIDTH: Final = 8
_VECTOR: Final = ir.VectorType(ir.DoubleType(), WIDTH)
_BITS: Final = ir.VectorType(ir.IntType(1), WIDTH)


class LanesType(types.Type):
    """Eight float64."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


class MaskType(types.Type):
    """Eight truth values."""

    def __init__(self) -> None:
        super().__init__(name="Mask")


lanes_type: Final = LanesType()
mask_type: Final = MaskType()


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BITS)


def _pointer(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    first = builder.inttoptr(address, ir.IntType(8 * _BYTES[kind]).as_pointer())
    return builder.bitcast(builder.gep(first, [index]), kind.as_pointer())


def _reader(kind: Any, element: Any, result: Any) -> Callable[..., Any]:
    @intrinsic  # type: ignore[untyped-decorator]
    def read(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.bitcast(
                _pointer(builder, arguments[0], arguments[1], element), kind.as_pointer()
            )
            return builder.load(pointer, align=_BYTES[element])

        return result(types.int64, types.int64), generate

    return cast(Callable[..., Any], read)


def _writer(kind: Any, element: Any, value_type: Any) -> Callable[..., Any]:
    @intrinsic  # type: ignore[untyped-decorator]
    def write(typing_context: Any, address: Any, index: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.bitcast(
                _pointer(builder, arguments[0], arguments[1], element), kind.as_pointer()
            )
            builder.store(arguments[2], pointer, align=_BYTES[element])
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, value_type), generate

    return cast(Callable[..., Any], write)


_DOUBLE: Final = ir.DoubleType()
_INT64: Final = ir.IntType(64)
_BYTE: Final = ir.IntType(8)
_BYTES: Final = {_DOUBLE: 8, _INT64: 8, _BYTE: 1}

number_at: Final = _reader(_DOUBLE, _DOUBLE, types.float64)
"""``number_at(address, index)``: element of a float64 array."""
whole_at: Final = _reader(_INT64, _INT64, types.int64)
"""``whole_at(address, index)``: element of an int64 array."""
byte_at: Final = _reader(_BYTE, _BYTE, types.uint8)
"""``byte_at(address, index)``: element of a uint8 or bool array."""
load: Final = _reader(_VECTOR, _DOUBLE, lanes_type)
"""``load(address, index)``: elements ``index`` to ``index + 7`` of a float64 array."""
put_number: Final = _writer(_DOUBLE, _DOUBLE, types.float64)
"""``put_number(address, index, value)`` into a float64 array."""
put_whole: Final = _writer(_INT64, _INT64, types.int64)
"""``put_whole(address, index, value)`` into an int64 array."""
store: Final = _writer(_VECTOR, _DOUBLE, lanes_type)
"""``store(address, index, lanes)`` into eight elements of a float64 array."""


def record_reader(dtype: Any) -> Callable[..., Any]:
    """A function ``(address, index)`` that gives the record of an array of ``dtype``, to read and write."""
    record_type = from_dtype(dtype)

    @intrinsic  # type: ignore[untyped-decorator]
    def read(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            offset = builder.mul(arguments[1], ir.Constant(_INT64, dtype.itemsize))
            at = builder.add(arguments[0], offset)
            return builder.inttoptr(at, context.get_value_type(record_type))

        return record_type(types.int64, types.int64), generate

    return cast(Callable[..., Any], read)


@intrinsic  # type: ignore[untyped-decorator]
def prefetch(typing_context: Any, address: Any) -> Any:
    """Ask for the cache line at an address, which need not be a valid one."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        line = builder.inttoptr(arguments[0], _BYTE.as_pointer())
        whole = ir.IntType(32)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch",
            (_BYTE.as_pointer(),),
            ir.FunctionType(ir.VoidType(), [_BYTE.as_pointer(), whole, whole, whole]),
        )
        builder.call(function, [line, whole(0), whole(3), whole(1)])
        return context.get_dummy_value()

    return types.void(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def pointer(typing_context: Any, address: Any) -> Any:
    """The address as a pointer for ``numba.carray``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], _BYTE.as_pointer())

    return types.voidptr(types.int64), generate


def _spread(builder: Any, number: Any) -> Any:
    first = builder.insert_element(
        ir.Constant(_VECTOR, ir.Undefined), number, ir.Constant(ir.IntType(32), 0)
    )
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), WIDTH), [0] * WIDTH)
    return builder.shuffle_vector(first, ir.Constant(_VECTOR, ir.Undefined), zeros)


@intrinsic  # type: ignore[untyped-decorator]
def spread(typing_context: Any, number: Any) -> Any:
    """One float64, eight times."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return lanes_type(types.float64), generate


@intrinsic  # type: ignore[untyped-decorator]
def choose(typing_context: Any, mask: Any, first: Any, second: Any) -> Any:
    """``first`` where the mask holds, else ``second``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return lanes_type(mask_type, lanes_type, lanes_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def mask_bits(typing_context: Any, mask: Any) -> Any:
    """The mask as a number: bit *i* for element *i*."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = builder.bitcast(arguments[0], ir.IntType(WIDTH))
        return builder.zext(byte, ir.IntType(64))

    return types.int64(mask_type), generate


@intrinsic  # type: ignore[untyped-decorator]
def lowest_bit(typing_context: Any, bits: Any) -> Any:
    """The number of the lowest bit that is set; 64 where none is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def element(typing_context: Any, value: Any, index: Any) -> Any:
    """One element."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.extract_element(arguments[0], arguments[1])

    return types.float64(lanes_type, types.intp), generate


def _folded(symbol: str) -> Callable[..., Any]:
    @intrinsic  # type: ignore[untyped-decorator]
    def compute(typing_context: Any, value: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            folded = arguments[0]
            undefined = ir.Constant(_VECTOR, ir.Undefined)
            index = ir.VectorType(ir.IntType(32), WIDTH)
            for distance in (4, 2, 1):
                order = [(lane + distance) % WIDTH for lane in range(WIDTH)]
                other = builder.shuffle_vector(folded, undefined, ir.Constant(index, order))
                folded = builder.select(builder.fcmp_ordered(symbol, other, folded), other, folded)
            return builder.extract_element(folded, ir.Constant(ir.IntType(32), 0))

        return types.float64(lanes_type), generate

    return cast(Callable[..., Any], compute)


lowest: Final = _folded("<")
"""``lowest(lanes)``: the smallest element."""
highest: Final = _folded(">")
"""``highest(lanes)``: the greatest element."""


def _binary(name: str, operation: Callable[..., Any]) -> None:
    @intrinsic  # type: ignore[untyped-decorator]
    def compute(typing_context: Any, first: Any, second: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments)

        return lanes_type(lanes_type, lanes_type), generate

    @overload(operation, strict=False)  # type: ignore[untyped-decorator]
    def _(first: Any, second: Any) -> Any:
        if isinstance(first, LanesType) and isinstance(second, LanesType):
            return lambda first, second: compute(first, second)  # noqa: PLW0108 - numba compiles it
        return None


def _comparison(symbol: str, operation: Callable[..., Any]) -> None:
    @intrinsic  # type: ignore[untyped-decorator]
    def compute(typing_context: Any, first: Any, second: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.fcmp_ordered(symbol, *arguments)

        return mask_type(lanes_type, lanes_type), generate

    @overload(operation, strict=False)  # type: ignore[untyped-decorator]
    def _(first: Any, second: Any) -> Any:
        if isinstance(first, LanesType) and isinstance(second, LanesType):
            return lambda first, second: compute(first, second)  # noqa: PLW0108 - numba compiles it
        return None


def _logical(name: str, operation: Callable[..., Any]) -> None:
    @intrinsic  # type: ignore[untyped-decorator]
    def compute(typing_context: Any, first: Any, second: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, name)(*arguments)

        return mask_type(mask_type, mask_type), generate

    @overload(operation, strict=False)  # type: ignore[untyped-decorator]
    def _(first: Any, second: Any) -> Any:
        if isinstance(first, MaskType) and isinstance(second, MaskType):
            return lambda first, second: compute(first, second)  # noqa: PLW0108 - numba compiles it
        return None


for _name, _operation in (
    ("fadd", operator.add),
    ("fsub", operator.sub),
    ("fmul", operator.mul),
    ("fdiv", operator.truediv),
):
    _binary(_name, _operation)
for _symbol, _compared in (
    (">=", operator.ge),
    (">", operator.gt),
    ("<=", operator.le),
    ("<", operator.lt),
):
    _comparison(_symbol, _compared)
for _name, _operation in (("and_", operator.and_), ("or_", operator.or_)):
    _logical(_name, _operation)
