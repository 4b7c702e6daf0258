"""Expressions of the user: what they mean, that no row reaches a later one, and how errors point."""

import math

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from engine import ConfigError
from indicators import INDICATORS, Feature, feature
from strategies.expressions import Condition, bars_back, evaluated, features_of, parsed_condition
from strategies.expressions import syntax as expression
from strategies.expressions.parser import FUNCTIONS, MOST_CHARACTERS, MOST_DEPTH, MOST_PARTS
from strategies.expressions.syntax import MOST_BARS
from tests.oracles import expressions as literal

CLOSE, OPEN = feature("bar", "close"), feature("bar", "open")
RSI = feature("rsi", "rsi", length=14)
NAN = math.nan


def answers(text: str, **columns: list[float]) -> list[bool | None]:
    """What an expression says on each row of ``close``, ``open`` and so on; None: not known."""
    values = {feature("bar", name): np.array(column) for name, column in columns.items()}
    found = evaluated(parsed_condition(text), values, len(next(iter(columns.values()))))
    assert not (found.holds & found.fails).any()
    return [
        True if h else False if f else None for h, f in zip(found.holds, found.fails, strict=True)
    ]


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("close>1", "bar.close()@bars > 1.0"),
        ("rsi.rsi(length=14) < 30", "rsi.rsi(length=14)@bars < 30.0"),
        ("rsi.rsi@bars:4h < 30", "rsi.rsi()@bars:4h < 30.0"),
        (
            "rsi.rsi@bars+volume > 1 or rsi.rsi@bars + volume > 1",
            "rsi.rsi()@bars+volume > 1.0 or rsi.rsi()@bars + bar.volume()@bars > 1.0",
        ),
        ("close > 1 and open > 2 or low > 3", "bar.close()@bars > 1.0 and bar.open()@bars > 2.0 or "
         "bar.low()@bars > 3.0"),
        ("close > 1 and (open > 2 or low > 3)", "bar.close()@bars > 1.0 and (bar.open()@bars > 2.0 or "
         "bar.low()@bars > 3.0)"),
        ("not close > 1 and open > 2", "not bar.close()@bars > 1.0 and bar.open()@bars > 2.0"),
        ("close - (open - low) - high > -1e2", "bar.close()@bars - (bar.open()@bars - bar.low()@bars) - "
         "bar.high()@bars > -100.0"),
        ("(close + open) * 2 / .5 > 1", "(bar.close()@bars + bar.open()@bars) * 2.0 / 0.5 > 1.0"),
        ("since(not\n held(close > 1, 3))\t> 2", "since(not held(bar.close()@bars > 1.0, 3)) > 2.0"),
    ],
)  # fmt: skip
def test_what_a_text_is(text: str, canonical: str) -> None:
    found = parsed_condition(text)
    assert str(found) == canonical
    assert parsed_condition(canonical) == found


def test_a_feature_that_is_meant_for_one_clock_gets_it() -> None:
    one = next(one for one in INDICATORS if one.only_clock == "tvl")
    name = f"{one.name}.{one.outputs[0].name}"
    assert str(parsed_condition(f"{name} > 0")) == f"{name}()@tvl > 0.0"


def test_the_features_and_how_far_it_looks_back() -> None:
    text = "previous(mean(close, 5), 3) > 1 and held(crosses_above(rsi.rsi(length=14), open), 4)"
    found = parsed_condition(text)
    assert features_of(found) == (CLOSE, RSI, OPEN)
    assert bars_back(found) == 3 + 4
    assert bars_back(parsed_condition("since(previous(close, 2) > 1) > 3")) == MOST_BARS - 1 + 2
    assert bars_back(parsed_condition("close > open")) == 0


def test_unknown_never_fires_whichever_way_it_is_asked() -> None:
    close, other = [NAN, 1.0, 3.0], [0.0, 2.0, NAN]
    assert answers("close > 2", close=close) == [None, False, True]
    assert answers("not close > 2", close=close) == [None, True, False]
    assert answers("close != close", close=close) == [None, False, False]
    assert answers("close > 2 or not close > 2", close=close) == [None, True, True]
    assert answers("close > 2 and open > 1", close=close, open=other) == [False, False, None]
    assert answers("close > 2 or open < 1", close=close, open=other) == [True, False, True]
    assert answers("not (close > 2 and open > 1)", close=close, open=other) == [True, True, None]


def test_a_division_by_zero_is_not_known() -> None:
    assert answers("1 / close > 0", close=[0.0, 2.0, -1.0]) == [None, True, False]
    assert answers("close * 1e200 * 1e200 > 0", close=[1.0]) == [None]


def test_a_feature_without_data_is_known_nowhere() -> None:
    found = evaluated(parsed_condition("open > 1 or not open > 1"), {CLOSE: np.ones(3)}, 3)
    assert not found.known.any()


def test_windows_by_hand() -> None:
    close = [1.0, 4.0, 2.0, NAN, 3.0, 5.0]
    for text, expected in (
        ("previous(close, 2)", [NAN, NAN, 1.0, 4.0, 2.0, NAN]),
        ("change(close, 1)", [NAN, 3.0, -2.0, NAN, NAN, 2.0]),
        ("highest(close, 2)", [NAN, 4.0, 4.0, NAN, NAN, 5.0]),
        ("lowest(close, 2)", [NAN, 1.0, 2.0, NAN, NAN, 3.0]),
        ("mean(close, 2)", [NAN, 2.5, 3.0, NAN, NAN, 4.0]),
        ("since(close > 3)", [NAN, 0.0, 1.0, NAN, NAN, 0.0]),
    ):
        for row, value in enumerate(expected):
            known = None if math.isnan(value) else True
            assert answers(f"{text} == {value if known else 0}", close=close)[row] is known, text


def test_crossings_and_held_by_hand() -> None:
    close, open_ = [1.0, 2.0, 3.0, 3.0, 1.0], [2.0, 2.0, 2.0, 2.0, 2.0]
    columns = {"close": close, "open": open_}
    assert answers("crosses_above(close, open)", **columns) == [False, False, True, False, False]
    assert answers("crosses_below(close, open)", **columns) == [None, False, False, False, True]
    assert answers("held(close >= 2, 3)", **columns) == [False, False, False, True, False]
    assert answers("held(close >= 1, 3)", **columns) == [None, None, True, True, True]


def test_since_counts_to_its_most_and_no_further() -> None:
    rows = MOST_BARS + 50
    close = np.zeros(rows)
    close[10] = 1.0
    never = np.zeros(rows)
    never_before = np.full(rows, 1.0)
    never_before[20:] = 0.0
    for column, first in (
        (close, 10 + MOST_BARS),
        (never, MOST_BARS - 1),
        (never_before, 19 + MOST_BARS),
    ):
        at_most = evaluated(
            parsed_condition(f"since(close == 1) == {MOST_BARS}"), {CLOSE: column}, rows
        )
        assert np.flatnonzero(at_most.holds).tolist() == list(range(first, rows))
    assert literal.number(
        parsed_condition("since(close == 1) > 0").left,
        {CLOSE: [0.0] * MOST_BARS},
    ) == MOST_BARS  # fmt: skip


ERRORS = {
    "rsj.rsi < 3": ("'rsj' is no indicator; did you mean 'rsi'", "rsj"),
    "rsi.rsx < 3": ("'rsx' is no output of rsi; did you mean 'rsi'", "rsx"),
    "rsi.rsi(lengt=3) < 3": ("'lengt' is no parameter of rsi; did you mean 'length'", "lengt"),
    "rsi.rsi(length=9999) < 3": ("length=9999.0 must lie in", "length"),
    "rsi.rsi@bars:4x > 1": ("'4x' is not a bar step", "bars"),
    "rsi > 3": ("is an indicator; name one of its outputs: rsi.rsi", "rsi"),
    "clsoe > 3": ("did you mean 'close'", "clsoe"),
    "hihgest(close, 3) > 1": ("is no function here; did you mean 'highest'", "hihgest"),
    "close@bars:4h > 3": ("write bar.close@bars:4h", "close"),
    "since > 3": ("is a function; its arguments follow", "since"),
    "close < open < high": ("comparisons do not chain", "< high"),
    "close + 3": ("this is a number, a condition is expected; compare it", "close + 3"),
    "not close": ("this is a number, a condition is expected", "close"),
    "close > 1 and rsi.rsi": ("this is a number, a condition is expected", "rsi.rsi"),
    "close > 1 + (open > 3)": ("this is a condition, a number is expected", "(open > 3)"),
    "(close > 1) * 2 > 1": ("this is a condition, a number is expected", "(close > 1)"),
    "-(close > 1) > 1": ("this is a condition, a number is expected", "(close > 1)"),
    "highest(close > 1, 3) > 1": ("this is a condition, a number is expected", "close > 1"),
    "since(close) > 1": ("this is a number, a condition is expected", "close"),
    "previous(close, -1) > open": ("a negative number of bars would reach a later row", "-1) > open"),
    "change(close, 0) > 1": ("must be a whole number from 1 to 1000", "0) > 1"),
    "mean(close, 2.5) > 1": ("must be a whole number from 1 to 1000", "2.5"),
    "mean(close, 1001) > 1": ("must be a whole number from 1 to 1000", "1001"),
    "held(close > 1, open) > 1": ("written out: a whole number", "open"),
    "held(close > 1) and open > 1": ("',' and a number of bars: held(x, 5)", ") and"),
    "crosses_above(close) and open > 1": ("a second number: crosses_above(a, b)", ") and"),
    "close = 3": ("did you mean '=='?", "= 3"),
    "close > 1e999": ("no finite number", "1e999"),
    "3 > 2": ("reads no feature", "3 > 2"),
    "close > 1)": ("')' stands there where the expression could end", ")"),
    "(close > 1": ("')' is expected, the text ends", ""),
    "close > 1 and": ("the text ends", ""),
    "": ("the text ends", ""),
    "close[1] > 2": ("'[' stands there", "[1]"),
    "close.__class__ > 1": ("'close' is no indicator", "close"),
    "__import__('os') > 1": ("is no function here", "__import__"),
    "close > 1; open": ("';' stands there", ";"),
    "close > 3x": ("'3' stands there", "3x"),
    "lambda: close > 1": ("'lambda' is no name here", "lambda"),
    "é > close": ("'é' stands there", "é"),
}  # fmt: skip


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_points_at_the_word(text: str) -> None:
    says, word = ERRORS[text]
    with pytest.raises(ConfigError) as error:
        parsed_condition(text)
    rule, shown, carets = str(error.value).split("\n")
    assert says in rule
    assert shown == f"    {text}"
    marked = carets.removeprefix("    ")
    start = len(marked) - len(marked.lstrip())
    assert text[start:].startswith(word), (marked, rule)
    assert set(marked.strip()) == {"^"}
    assert text[start : start + len(marked.strip())] in (
        word,
        word[:1],
        word.split()[0] if word else "",
    )


def test_a_clock_that_there_is_not() -> None:
    clocks = ("bars", "funding")
    assert parsed_condition("rsi.rsi@bars:4h > funding_rate.annual@funding", clocks=clocks)
    for text, word in (("rsi.rsi@fundng > 1", "fundng"), ("rsi.rsi@bars+close > 1", "close")):
        with pytest.raises(ConfigError, match=f"there is no clock '{word}'") as error:
            parsed_condition(text, clocks=clocks)
        carets = str(error.value).split("\n")[2]
        assert text[carets.index("^") - 4 :].startswith(word)


def test_an_indicator_that_is_looked_up_later() -> None:
    found = parsed_condition("mine.out(x=2) > rsi.rsi", only_listed=False)
    assert features_of(found)[0] == Feature("mine", "out", (("x", 2.0),), "bars")
    with pytest.raises(ConfigError, match="is no output of rsi"):
        parsed_condition("mine.out > rsi.no", only_listed=False)


def test_a_long_expression_is_shown_around_the_word() -> None:
    text = "close > 1 and " * 40 + "opne > 1" + " and close > 1" * 40
    with pytest.raises(ConfigError, match="'opne' is no name here; did you mean 'open'") as error:
        parsed_condition(text)
    _, shown, carets = str(error.value).split("\n")
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "opne"
    assert shown.startswith("    …")
    assert len(shown) < 100


def test_limits_of_length_depth_and_parts() -> None:
    joined = "close > 1" + " and close > 1" * ((MOST_PARTS - 1) // 2)
    parsed_condition(joined)
    with pytest.raises(ConfigError, match=f"more than {MOST_PARTS} operators"):
        parsed_condition(f"{joined} and close > 1")
    for opened, closed in (("(", ")"), ("-", ""), ("mean(", ", 2)")):
        parsed_condition(opened * MOST_DEPTH + "close" + closed * MOST_DEPTH + " > 1")
        with pytest.raises(ConfigError, match=f"more than {MOST_DEPTH} things"):
            parsed_condition(
                opened * (MOST_DEPTH + 1) + "close" + closed * (MOST_DEPTH + 1) + " > 1"
            )
    with pytest.raises(ConfigError, match=f"more than {MOST_DEPTH} things"):
        parsed_condition("not " * (MOST_DEPTH + 1) + "close > 1")
    parsed_condition("close > 1".ljust(MOST_CHARACTERS))
    with pytest.raises(ConfigError, match=f"{MOST_CHARACTERS} are allowed"):
        parsed_condition("close > 1".ljust(MOST_CHARACTERS + 1))


COLUMNS = (CLOSE, OPEN, RSI)
WHOLE = st.integers(1, 4)


def numerics(whole: bool) -> st.SearchStrategy[expression.Numeric]:
    """Numbers of any kind; where ``whole``, such as are whole numbers where the columns are."""
    leaves = st.one_of(
        st.builds(expression.Column, st.sampled_from(COLUMNS)),
        st.builds(expression.Number, st.sampled_from([0.0, 1.0, 2.0, 3.0])),
    )
    signs = "+-*" if whole else "+-*/"
    windows = ["previous", "change", "highest", "lowest"]

    def larger(inner: st.SearchStrategy) -> st.SearchStrategy:
        compared = st.builds(
            expression.Comparison, st.sampled_from(["<", ">=", "=="]), inner, inner
        )
        return st.one_of(
            st.builds(expression.Negative, inner),
            st.builds(expression.Arithmetic, st.sampled_from(list(signs)), inner, inner),
            st.builds(expression.Windowed, st.sampled_from(windows), inner, WHOLE),
            st.builds(expression.Since, compared),
        )

    made = st.recursive(leaves, larger, max_leaves=4)
    if whole:
        return made
    # Means of a power of two of whole numbers are exact, in whichever order they are added.
    means = st.builds(
        expression.Windowed, st.just("mean"), numerics(True), st.sampled_from([1, 2, 4])
    )
    return st.one_of(made, means)


def larger_conditions(inner: st.SearchStrategy) -> st.SearchStrategy:
    return st.one_of(
        st.builds(expression.Not, inner),
        st.builds(expression.Held, inner, WHOLE),
        st.builds(expression.Combination, st.sampled_from(["and", "or"]), inner, inner),
    )


SIMPLE = st.one_of(
    st.builds(
        expression.Comparison,
        st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
        numerics(False),
        numerics(False),
    ),
    st.builds(
        expression.Crossing,
        st.sampled_from(["crosses_above", "crosses_below"]),
        numerics(False),
        numerics(False),
    ),
)
CONDITIONS = st.recursive(SIMPLE, larger_conditions, max_leaves=4)
VALUES = st.one_of(st.integers(-2, 3).map(float), st.none())


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, st.integers(1, 9).flatmap(
    lambda rows: st.tuples(*[st.lists(VALUES, min_size=rows, max_size=rows) for _ in COLUMNS])
))  # fmt: skip
def test_every_row_is_what_a_history_that_ends_there_says(
    condition: Condition, given_columns: tuple[list[float | None], ...]
) -> None:
    rows = len(given_columns[0])
    columns = {
        one: np.array([NAN if value is None else value for value in values])
        for one, values in zip(COLUMNS, given_columns, strict=True)
    }
    found = evaluated(condition, columns, rows)
    for row in range(rows):
        history = {
            one: values[: row + 1] for one, values in zip(COLUMNS, given_columns, strict=True)
        }
        expected = literal.truth(condition, history)
        assert (bool(found.holds[row]), bool(found.fails[row])) == (
            expected is True,
            expected is False,
        ), (row, str(condition))


@settings(max_examples=300, deadline=None)
@given(CONDITIONS)
def test_what_is_written_reads_back(condition: Condition) -> None:
    text = str(condition)
    assume(features_of(condition) and len(text) <= MOST_CHARACTERS)
    read = parsed_condition(text)
    assert read == condition
    assert str(read) == text


@settings(max_examples=100, deadline=None)
@given(CONDITIONS, st.integers(5, 40), st.integers(0, 2**32 - 1))
def test_a_row_depends_on_no_more_rows_than_it_says(
    condition: Condition, rows: int, seed: int
) -> None:
    """The last row of a window of ``bars_back`` rows before it is the last row of the whole."""
    back = bars_back(condition)
    assume(back < rows)
    generator = np.random.default_rng(seed)
    whole = {one: generator.integers(-2, 3, rows).astype(float) for one in COLUMNS}
    window = {one: column[rows - 1 - back :] for one, column in whole.items()}
    first, last = evaluated(condition, whole, rows), evaluated(condition, window, back + 1)
    assert (first.holds[-1], first.fails[-1]) == (last.holds[-1], last.fails[-1])


PIECES = st.lists(
    st.one_of(
        st.sampled_from([
            *FUNCTIONS, "and", "or", "not", "(", ")", ",", "<", "==", "=", "-", "/", ".", "@", "close",
            "rsi.rsi", "rsi", "length", "bars:4h", "14", "2.5", "1e999", "-1", " ", "\n", "…", "\\", "{",
        ]),
        st.text(max_size=4),
    ),
    max_size=14,
).map(" ".join)  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(max_size=200), PIECES))
@example("rsi.rsi(length=1e5000) > 1")
@example("mean(close, 1e300) > 1")
@example("rsi.rsi(\n")
@example("close > 1\x00")
def test_any_text_is_read_or_refused_as_a_configuration_is(text: str) -> None:
    try:
        found = parsed_condition(text)
    except ConfigError:
        return
    evaluated(found, {CLOSE: np.ones(3)}, 3)
