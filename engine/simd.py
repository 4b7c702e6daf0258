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
from typing import Any, Final, TypeAlias, cast

from llvmlite import ir
from numba.core import types
from numba.core.typing.templates import ConcreteTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model
from numba.np.numpy_support import from_dtype

WIDTH: Final = 8
BYTES: Final = 64
"""Bytes looked at by ``shared_bits``."""
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
_Build: TypeAlias = Callable[[Any, Any, Any], Any]
"""From an LLVM builder and two values to their result."""


@register_model(LanesType)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)


@register_model(MaskType)
class _MaskModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _BITS)


def _pointer(builder: Any, address: Any, index: Any, kind: Any) -> Any:
    first = builder.inttoptr(address, ir.IntType(8 * _BYTES[kind]).as_pointer())
    return builder.bitcast(builder.gep(first, [index]), kind.as_pointer())


def _reader(kind: Any, element: Any, result: Any) -> Callable[..., Any]:
    @intrinsic
    def read(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            pointer = builder.bitcast(
                _pointer(builder, arguments[0], arguments[1], element), kind.as_pointer()
            )
            return builder.load(pointer, align=_BYTES[element])

        return result(types.int64, types.int64), generate

    return cast(Callable[..., Any], read)


def _writer(kind: Any, element: Any, value_type: Any) -> Callable[..., Any]:
    @intrinsic
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
_INT32: Final = ir.IntType(32)
_BYTE: Final = ir.IntType(8)
_BYTES: Final = {_DOUBLE: 8, _INT64: 8, _INT32: 4, _BYTE: 1}

number_at: Final = _reader(_DOUBLE, _DOUBLE, types.float64)
"""``number_at(address, index)``: element of a float64 array."""
whole_at: Final = _reader(_INT64, _INT64, types.int64)
"""``whole_at(address, index)``: element of an int64 array."""
half_at: Final = _reader(_INT32, _INT32, types.int32)
"""``half_at(address, index)``: element of an int32 array."""
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

    @intrinsic
    def read(typing_context: Any, address: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            offset = builder.mul(arguments[1], ir.Constant(_INT64, dtype.itemsize))
            at = builder.add(arguments[0], offset)
            return builder.inttoptr(at, context.get_value_type(record_type))

        return record_type(types.int64, types.int64), generate

    return cast(Callable[..., Any], read)


@intrinsic
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


@intrinsic
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


@intrinsic
def spread(typing_context: Any, number: Any) -> Any:
    """One float64, eight times."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return lanes_type(types.float64), generate


@intrinsic
def choose(typing_context: Any, mask: Any, first: Any, second: Any) -> Any:
    """``first`` where the mask holds, else ``second``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return lanes_type(mask_type, lanes_type, lanes_type), generate


@intrinsic
def either(typing_context: Any, holds: Any, first: Any, second: Any) -> Any:
    """``first`` if ``holds``, else ``second``, two float64 or two int64: no branch to be predicted."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    kind = types.float64 if isinstance(first, types.Float) else types.int64
    return kind(types.boolean, kind, kind), generate


@intrinsic
def shared_bits(typing_context: Any, address: Any, index: Any, bits: Any) -> Any:
    """Which of the ``BYTES`` elements from ``index`` on of a uint8 array have a bit of ``bits``, as a
    number: bit *i* for element ``index + i``.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = ir.VectorType(_BYTE, BYTES)
        place = _pointer(builder, arguments[0], arguments[1], _BYTE)
        found = builder.load(builder.bitcast(place, kind.as_pointer()), align=1)
        undefined, narrow = ir.Constant(kind, ir.Undefined), builder.trunc(arguments[2], _BYTE)
        first = builder.insert_element(undefined, narrow, ir.Constant(_INT32, 0))
        zeros = ir.Constant(ir.VectorType(_INT32, BYTES), [0] * BYTES)
        wanted = builder.shuffle_vector(first, undefined, zeros)
        shared = builder.and_(found, wanted)
        mask = builder.icmp_unsigned("!=", shared, ir.Constant(kind, [0] * BYTES))
        return builder.bitcast(mask, _INT64)

    return types.int64(types.int64, types.int64, types.int64), generate


@intrinsic
def magnitude(typing_context: Any, value: Any) -> Any:
    """Each element without its sign."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        wholes = ir.VectorType(_INT64, WIDTH)
        bits = builder.bitcast(arguments[0], wholes)
        unsigned = builder.and_(bits, ir.Constant(wholes, [2**63 - 1] * WIDTH))
        return builder.bitcast(unsigned, _VECTOR)

    return lanes_type(lanes_type), generate


@intrinsic
def mask_bits(typing_context: Any, mask: Any) -> Any:
    """The mask as a number: bit *i* for element *i*."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        byte = builder.bitcast(arguments[0], ir.IntType(WIDTH))
        return builder.zext(byte, ir.IntType(64))

    return types.int64(mask_type), generate


@intrinsic
def lowest_bit(typing_context: Any, bits: Any) -> Any:
    """The number of the lowest bit that is set; 64 where none is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 0))

    return types.int64(types.int64), generate


@intrinsic
def element(typing_context: Any, value: Any, index: Any) -> Any:
    """One element."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.extract_element(arguments[0], arguments[1])

    return types.float64(lanes_type, types.intp), generate


def _folded(symbol: str) -> Callable[..., Any]:
    @intrinsic
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


def _operator(operation: Callable[..., Any], operand: Any, result: Any, build: _Build) -> None:
    """Teach kernels ``operation`` of two ``operand`` values, element by element.

    A template and the instruction itself, where an overload would be compiled for each of its uses.
    """

    class Template(ConcreteTemplate):
        cases = (signature(result, operand, operand),)

    infer_global(operation)(Template)

    @lower_builtin(operation, operand, operand)
    def _(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return build(builder, *arguments)


def _named(instruction: str) -> _Build:
    """The LLVM instruction of that name."""
    return lambda builder, first, second: getattr(builder, instruction)(first, second)


def _compared(symbol: str) -> _Build:
    """The comparison that is false where an element is NaN."""
    return lambda builder, first, second: builder.fcmp_ordered(symbol, first, second)


for _operation, _instruction in (
    (operator.add, "fadd"),
    (operator.sub, "fsub"),
    (operator.mul, "fmul"),
    (operator.truediv, "fdiv"),
):
    _operator(_operation, lanes_type, lanes_type, _named(_instruction))
for _operation, _symbol in (
    (operator.ge, ">="),
    (operator.gt, ">"),
    (operator.le, "<="),
    (operator.lt, "<"),
):
    _operator(_operation, lanes_type, mask_type, _compared(_symbol))
for _operation, _instruction in ((operator.and_, "and_"), (operator.or_, "or_")):
    _operator(_operation, mask_type, mask_type, _named(_instruction))
