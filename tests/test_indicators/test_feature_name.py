import pytest

from engine import ConfigError
from indicators import INDICATORS, INDICATORS_BY_NAME, feature
from indicators.feature_name import known_feature, parsed_feature
from strategies import HEADS

HEAD_FEATURES = sorted({wanted for head in HEADS for wanted in head().features().values()}, key=str)


def test_every_feature_of_the_heads_reads_back_from_its_name():
    assert len(HEAD_FEATURES) > 100
    for wanted in HEAD_FEATURES:
        assert parsed_feature(str(wanted)) == wanted
        assert known_feature(str(wanted), INDICATORS_BY_NAME) == wanted


def test_every_output_of_the_catalogue_can_be_named():
    for indicator in INDICATORS:
        for output in indicator.outputs:
            clock = indicator.only_clock or "bars"
            text = f"{indicator.name}.{output.name}"
            assert known_feature(text, INDICATORS_BY_NAME) == feature(
                indicator.name, output.name, clock=clock
            )


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1234567.0, 1e-12, 2.5, -7.0, 1e300])
def test_a_parameter_is_never_rounded(value: float):
    wanted = feature("anything", "at_all", x=value)
    assert parsed_feature(str(wanted)) == wanted
    assert dict(parsed_feature(str(wanted)).parameters)["x"] == value


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("rsi.rsi", "rsi.rsi()@bars"),
        ("rsi.rsi(length=7)", "rsi.rsi(length=7)@bars"),
        ("rsi.rsi@bars:4h", "rsi.rsi()@bars:4h"),
        (" atr.atr ( length = 2.1e1 ) @ bars:1d ", "atr.atr(length=21)@bars:1d"),
        ("a.b(y=1,x=2)", "a.b(x=2,y=1)@bars"),
        ("a.b@bars:4h+metrics&funding", "a.b()@bars:4h+metrics&funding"),
    ],
)
def test_what_may_be_left_out(short: str, whole: str):
    assert str(parsed_feature(short)) == whole


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("", 1, "the name of an indicator is expected, the text ends"),
        ("rsi", 4, "'.' and the name of an output"),
        ("rsi.", 5, "the name of an output is expected"),
        ("rsi.rsi(", 9, "the name of a parameter"),
        ("rsi.rsi(length)", 15, "'=' and a number is expected, ')' stands there"),
        ("rsi.rsi(length=x)", 16, "a number is expected, 'x)'"),
        ("rsi.rsi(length=3", 17, "',' or ')' is expected"),
        ("rsi.rsi(length=3,length=4)", 18, "parameter 'length' is given twice"),
        ("rsi.rsi(length=3)bars", 18, "'(', '@' or the end"),
        ("rsi.rsi@", 9, "a clock, such as bars:4h"),
        ("rsi.rsi@bars+", 13, "the end is expected, '+'"),
        ("rsi.rsi@bars more", 14, "the end is expected, 'more'"),
    ],
)
def test_an_error_points_at_the_place(text: str, place: int, says: str):
    with pytest.raises(ConfigError) as error:
        parsed_feature(text)
    assert f"feature {text!r}, at character {place}: " in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("bolinger.upper", 1, "'bolinger' is no indicator; did you mean 'bollinger'?"),
        ("rsi.rso", 5, "'rso' is no output of rsi; did you mean 'rsi'? there are rsi"),
        ("rsi.rsi(lenght=3)", 9, "'lenght' is no parameter of rsi; did you mean 'length'?"),
        ("rsi.rsi(length=9999)", 9, "length=9999.0 must lie in [2, 200]"),
        ("rsi.rsi(length=2.5)", 9, "length=2.5 must be a whole number"),
        ("rsi.rsi@bars:4q", 9, "timeframe='4q' is not a bar step"),
        ("altcoin_season.index@bars", 22, "is computed on clock universe only"),
    ],
)
def test_an_unknown_word_is_named_with_the_nearest_one(text: str, place: int, says: str):
    with pytest.raises(ConfigError) as error:
        known_feature(text, INDICATORS_BY_NAME)
    assert f"at character {place}: " in str(error.value)
    assert says in str(error.value)
