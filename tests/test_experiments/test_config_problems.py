"""Wrong configurations: one short line with the place, the key, the value, the rule, and what to do."""

from pathlib import Path
from typing import Any

import pytest

from engine import ConfigError
from experiments import load_config
from experiments.config_fetch import load_fetch_config
from experiments.sweeps.space import load_searchable

RUN = "data: {simulated: {days: 30}}\n"
SWEEP = f"{RUN}sweep:\n  space: {{exits.stop_atr: {{kind: real, low: 1, high: 2}}}}\n"
INSIDE = (
    "pydantic",
    "Input",
    "Tuple",
    "Dictionary",
    "validator",
    "discriminator",
    "tag ",
    "instance",
)
"""Words of the library that checks, which mean nothing to a person."""


def refused(path: Path, text: str, load: Any) -> str:
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(path)
    message = str(caught.value).replace(str(path), "f.yaml")
    assert "\n" not in message
    assert len(message) < 800
    assert not [word for word in INSIDE if word in message]
    return message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "f.yaml:1: the key 'data' is missing; name instruments of the store or a simulated"),
        (
            "data:\n",
            "f.yaml:1: data=null must be a section of keys and values; its keys are timeframe",
        ),
        ("data: [1]\n", "f.yaml:1: data=[1] must be a section of keys"),
        ("data: {instruments: {}}\n", "f.yaml:1: data.instruments={} must be a list"),
        ("data: {instruments: [BTC]}\n", "f.yaml:1: data.instruments.0='BTC' must be a section"),
        (f"{RUN}seed: 1.5\n", "f.yaml:2: seed=1.5 must be a whole number"),
        (f"{RUN}seed: abc\n", "f.yaml:2: seed='abc' must be a whole number"),
        (f"{RUN}seed: -1\n", "f.yaml:2: seed=-1 must be at least 0"),
        (f"{RUN}initial_cash: much\n", "f.yaml:2: initial_cash='much' must be a number"),
        (f"{RUN}consensus: {{quorum: 12}}\n", "f.yaml:2: consensus.quorum=12 must be at most 9"),
        (
            f"{RUN}consensus: {{exit_on_flat: 7}}\n",
            "consensus.exit_on_flat=7 must be true or false",
        ),
        (f"{RUN}heads: {{enabled: []}}\n", "f.yaml:2: heads.enabled=[] is empty; state at least 1"),
        (f"{RUN}heads: {{enabled: ict}}\n", "f.yaml:2: heads.enabled='ict' must be a list"),
        (
            f"{RUN}exits: {{ladder: [[1]]}}\n",
            "f.yaml:2: exits.ladder.0 has 1 items; it must have more",
        ),
        (f"{RUN}exits: {{ladder: [[1, 2, 3]]}}\n", "exits.ladder.0=[1, 2, 3] has 3 items; it must"),
        (f"{RUN}targets: ''\n", "f.yaml:2: targets='' is empty"),
        (f"{RUN}targets: 3\n", "f.yaml:2: targets=3 must be a text; put it in quotes"),
        (
            f"{RUN}entry: {{kind: stopp}}\n",
            "entry.kind='stopp' is unknown; did you mean 'stop'? It must",
        ),
        ("data: {start: soon}\n", "f.yaml:1: data.start='soon' must be a day, such as 2021-01-31"),
        ("data: {start: 2021-01-01T03:00:00}\n", "data.start=2021-01-01T03:00:00 must be a day"),
        (f"{RUN}1: 2\n", "the key 1 is not a word; put it in quotes"),
        (f"{RUN}name: {'x' * 500}\n", f"name='{'x' * 59}… must be made of letters"),
        (SWEEP, "f.yaml:2: unknown key 'sweep'; this is a sweep's configuration, which `ninefold"),
        (
            "fetch: []\nattempts: 3\n",
            "f.yaml:1: unknown key 'fetch'; this is a list of what to fetch",
        ),
    ],
)
def test_a_wrong_run_is_told_in_words(tmp_path: Path, text: str, told: str):
    message = refused(tmp_path / "f.yaml", text, load_config)
    assert told in message
    assert "; f.yaml" not in message, "one slip, one problem"


@pytest.mark.parametrize(
    ("sweep", "told"),
    [
        ("{}", "f.yaml:2: the key 'sweep.space' is missing; state what is searched, such as"),
        ("3", "f.yaml:2: sweep=3 must be a section of keys and values; its keys are family"),
        ("{space: {}}", "f.yaml:2: sweep.space={} is empty; state at least 1"),
        ("{spac: {}}", "f.yaml:2: unknown key 'sweep.spac'; did you mean 'space'?"),
        ("{sampler: tpe, space: {a: {kind: weights}}}", "did you mean 'sweep.search.sampler'?"),
        ("{space: {a: 3}}", "sweep.space.a=3 must be a section of keys and values; write a range"),
        (
            "{space: {a: {low: 1, high: 2}}}",
            "sweep.space.a states no kind; write a range, such as {kind",
        ),
        (
            "{space: {a: {kind: reel}}}",
            "sweep.space.a.kind='reel' is unknown; did you mean 'real'? It",
        ),
        ("{space: {a: {kind: real, low: 1}}}", "f.yaml:2: the key 'sweep.space.a.high' is missing"),
        (
            "{space: {a: {kind: whole, lo: 1, high: 2}}}",
            "'sweep.space.a.lo'; did you mean 'low'? valid keys here: kind, low, high, step",
        ),
        (
            "{space: {a: {kind: choice, values: [1]}}}",
            "sweep.space.a.values=[1] has 1 items; it must have",
        ),
        (
            "{space: {exits: {stop_atr: {kind: real}}}}",
            "write the path as one key, exits.stop_atr: {kind",
        ),
        (
            "{space: {exits.stop_art: {kind: real, low: 1, high: 2}}}",
            "f.yaml:2: sweep.space.exits.stop_art: "
            "exits has no key 'stop_art'; did you mean 'exits.stop_atr'?",
        ),
        (
            "{space: {exits.stop_atr: {kind: real, low: -1, high: 2}}}",
            "f.yaml:2: sweep.space.exits.stop_atr: exits.stop_atr=-1.0 must lie in",
        ),
        (
            "{space: {a: {kind: weights}}, objectives: [sharpe]}",
            "sweep.objectives.0='sharpe' must be a section of keys and values; its keys are metric",
        ),
        ("{space: {a: {kind: weights}}, objectives: [{metric: sharp}]}", "did you mean 'sharpe'?"),
        (
            "{space: {a: {kind: weights}}, constraints: [{metric: trades}]}",
            "sweep.constraints.0: state either",
        ),
    ],
)
def test_a_wrong_sweep_is_told_in_words(tmp_path: Path, sweep: str, told: str):
    message = refused(tmp_path / "f.yaml", f"{RUN}sweep: {sweep}\n", load_searchable)
    assert told in message
    assert "; f.yaml" not in message, "one slip, one problem"


def test_either_type_of_a_value_is_one_problem(tmp_path: Path):
    signals = "{venue: a, market: spot, symbol: c, source: %s}"
    for source, told in [
        ("[]", "signals.source=[] is empty; state at least 1"),
        ("[x, {}]", "signals.source.1={} must be a text"),
        ("true", "signals.source=true must be a list or a text; put it in quotes"),
    ]:
        text = f"data: {{instruments: [{{signals: {signals % source}}}]}}\n"
        assert told in refused(tmp_path / "f.yaml", text, load_config)


def test_a_word_or_a_list_is_one_problem(tmp_path: Path):
    universe = "{venue: simulated, market: spot, symbols: BTCSIM}"
    text = f"data: {{simulated: {{}}, universe: {universe}}}\n"
    message = refused(tmp_path / "f.yaml", text, load_config)
    assert message == "f.yaml:1: data.universe.symbols='BTCSIM' must be 'all' or a list"


def test_a_section_of_sweeps_is_no_slip_of_a_run(tmp_path: Path):
    message = refused(tmp_path / "f.yaml", f"{RUN}validation: {{shifts: 3}}\n", load_config)
    told = "unknown key 'validation'; it belongs to the configuration of a sweep"
    assert message == f"f.yaml:2: {told}, beside the section sweep"


def test_many_problems_are_counted(tmp_path: Path):
    text = RUN + "".join(f"key{number}: 1\n" for number in range(30))
    message = refused(tmp_path / "f.yaml", text.replace("key", "q"), load_config)
    assert message.endswith("; and 27 more")
    assert message.count("unknown key") == 3
    assert message.count("valid keys here") == 1


def test_a_run_is_no_list_of_what_to_fetch(tmp_path: Path):
    message = refused(tmp_path / "f.yaml", f"{RUN}name: a\n", load_fetch_config)
    assert message == (
        "f.yaml:1: the key 'fetch' is missing; experiments/configs/fetch.yaml shows what "
        "`ninefold data fetch` takes"
    )
