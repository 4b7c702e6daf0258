from pathlib import Path

import pytest

from engine import ConfigError
from experiments.yaml_source import overridden, parse_source, read_source

TEXT = """\
name: a
data:
  instruments:
    - signals:
        symbol: X
    - signals:
        symbol: Y
"""


def test_every_key_knows_its_line():
    source = parse_source(TEXT, "f.yaml")
    assert source.origin(("name",)) == "f.yaml:1"
    assert source.origin(("data", "instruments", 1, "signals", "symbol")) == "f.yaml:7"
    assert source.origin(("data", "absent")) == "f.yaml:2"
    assert source.origin(("absent",)) == "f.yaml:1"


def test_overrides_apply_in_order_and_leave_the_source_alone():
    source = parse_source(TEXT, "f.yaml")
    changed = overridden(
        source,
        [
            "data.instruments.1.signals.symbol=Z",
            "new.deep.key=2.5",
            "list=[1, two]",
            "new.deep.key=3",
            "empty=",
        ],
    )
    assert changed.tree["data"]["instruments"][1]["signals"]["symbol"] == "Z"
    assert changed.tree["new"] == {"deep": {"key": 3}}
    assert changed.tree["list"] == [1, "two"]
    assert changed.tree["empty"] is None
    assert changed.origin(("new", "deep", "key")) == "-s new.deep.key=3"
    assert source.tree["data"]["instruments"][1]["signals"]["symbol"] == "Y"


def test_an_override_may_hold_an_equals_sign():
    assert overridden(parse_source(TEXT, "f"), ["name=a=b"]).tree["name"] == "a=b"


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("name", "write an override as key=value"),
        ("=3", "write an override as key=value"),
        ("a..b=3", "write an override as key=value"),
        ("name.first=3", "name is 'a'"),
        ("data.instruments.2.signals=3", "list of 2"),
        ("data.instruments.first=3", "list of 2"),
        ("name=[1", "not valid YAML"),
    ],
)
def test_bad_overrides_are_refused(override: str, told: str):
    with pytest.raises(ConfigError) as caught:
        overridden(parse_source(TEXT, "f"), [override])
    assert str(caught.value).startswith(f"-s {override}: ")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nb: [1, 2\n", "f.yaml:3: not valid YAML"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: the key 'a' is written twice"),
        ("- 1\n- 2\n", "f.yaml:1: a configuration is a section of keys and values, not [1, 2]"),
        (f"- {'long ' * 999}\n", "f.yaml:1: a configuration is a section"),
        ("b: 1\na: &x {c: [*x]}\n", "f.yaml:2: the value of a.c.0 holds itself"),
        ("a: !!python/object:os.system x\n", "f.yaml:1: not valid YAML"),
        ("b: 1\na: 2021-13-45\n", "f.yaml:2: a=2021-13-45: month must be in 1..12"),
        ("a: \x07\n", "f.yaml: not valid YAML"),
    ],
)
def test_bad_yaml_is_one_line_with_its_place(text: str, told: str):
    with pytest.raises(ConfigError) as caught:
        parse_source(text, "f.yaml")
    assert str(caught.value).startswith(told)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


def test_an_override_meets_a_key_that_holds_dots():
    text = "space:\n  exits.stop_atr: {low: 1, high: 2}\n  exits: {stop_frac: 3}\n"
    source = overridden(
        parse_source(text, "f"), ["space.exits.stop_atr.low=0.5", "space.exits.stop_frac=4"]
    )
    assert source.tree["space"] == {
        "exits.stop_atr": {"low": 0.5, "high": 2},
        "exits": {"stop_frac": 4},
    }
    assert source.origin(("space", "exits.stop_atr", "low")) == "-s space.exits.stop_atr.low=0.5"


def test_an_empty_file_is_an_empty_mapping():
    assert parse_source("# nothing\n", "f").tree == {}


def test_missing_and_unreadable_files(tmp_path: Path):
    with pytest.raises(ConfigError, match="there is no such configuration file"):
        read_source(tmp_path / "absent.yaml")
    with pytest.raises(ConfigError, match=r"is a folder, not a configuration file$"):
        read_source(tmp_path)
    (tmp_path / "run.json").touch()
    with pytest.raises(ConfigError, match="it holds a run, which `ninefold runs verify`"):
        read_source(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read as a text file"):
        read_source(tmp_path / "binary.yaml")
