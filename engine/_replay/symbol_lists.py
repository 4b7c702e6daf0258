"""Lists of symbols in rising order at an address: those held, and those with an order."""

from ..jit import inner_kernel
from ..simd import put_whole, whole_at


@inner_kernel
def insert_kernel(symbols: int, count: int, symbol: int) -> None:
    """Put ``symbol`` into the rising list of ``count`` at the address ``symbols``."""
    k = count
    while k > 0 and whole_at(symbols, k - 1) > symbol:
        put_whole(symbols, k, whole_at(symbols, k - 1))
        k -= 1
    put_whole(symbols, k, symbol)


@inner_kernel
def remove_kernel(symbols: int, count: int, symbol: int) -> None:
    """Take ``symbol`` out of the rising list of ``count`` at the address ``symbols``."""
    k = 0
    while whole_at(symbols, k) != symbol:
        k += 1
    for after in range(k + 1, count):
        put_whole(symbols, after - 1, whole_at(symbols, after))
