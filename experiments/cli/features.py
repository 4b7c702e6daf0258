"""``ninefold features``: build feature matrices, and say what a column is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import DEFAULT_STORE, AsJson, Overrides, StorePath
from .output import kernel_progress, print_json, stdout

if TYPE_CHECKING:
    from ..config import RunConfig
    from ..features.build import BuiltMatrix

DEFAULT_OUT = Path("features")


def features(
    config: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CONFIG]", help="YAML file; needed to build, and for own indicators."
        ),
    ] = None,
    overrides: Overrides = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", help="This symbol only. Repeatable.")
    ] = None,
    timeframe: Annotated[
        list[str] | None,
        typer.Option("--timeframe", metavar="STEP", help="Bars of this step instead. Repeatable."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder of the matrices.")
    ] = DEFAULT_OUT,
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove older matrices of what is built.")
    ] = False,
    columns: Annotated[
        bool, typer.Option("--columns", help="Show each column with its warm-up.")
    ] = False,
    list_: Annotated[
        bool, typer.Option("--list", help="List the indicators instead of building.")
    ] = False,
    family: Annotated[
        str | None, typer.Option("--family", metavar="NAME", help="With --list: this family only.")
    ] = None,
    describe: Annotated[
        str | None,
        typer.Option(
            "--describe", metavar="NAME", help="Say what an indicator or a column is instead."
        ),
    ] = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Build a matrix of features for each symbol and step; compute only what changed."""
    from engine import ConfigError

    from .. import load_config

    loaded = None if config is None else load_config(config, overrides or ())
    if describe is not None:
        _describe(describe, loaded, as_json=as_json)
        return
    if list_ or family is not None:
        _list(family, loaded, as_json=as_json)
        return
    if loaded is None:
        raise ConfigError(
            "features: name a configuration to build, or ask with --list or --describe NAME"
        )
    from ..features.build import build_matrices

    built = list(
        build_matrices(
            loaded,
            store=store,
            out=out,
            symbols=symbol or (),
            timeframes=timeframe or (),
            prune=prune,
            progress=kernel_progress(),
        )
    )
    if as_json:
        print_json({"matrices": [_facts(one) for one in built]})
        return
    from ..feature_tables import print_matrices

    print_matrices(built, stdout(), with_columns=columns)


def _describe(name: str, config: "RunConfig | None", *, as_json: bool) -> None:
    from ..feature_tables import print_description
    from ..features.describe import described

    found = described(name, _indicators(config))
    if as_json:
        print_json(found.facts())
        return
    print_description(found, stdout())


def _list(family: str | None, config: "RunConfig | None", *, as_json: bool) -> None:
    from engine import ConfigError

    from ..feature_tables import print_indicators
    from ..features.describe import described, family_of

    indicators = _indicators(config)
    families = {name: family_of(one) for name, one in indicators.items()}
    if family is not None and family not in families.values():
        known = ", ".join(sorted(set(families.values())))
        raise ConfigError(f"--family {family}: there is no such family; there are {known}")
    listed = [name for name in indicators if family in (None, families[name])]
    if as_json:
        print_json({"indicators": [described(name, indicators).facts() for name in listed]})
        return
    print_indicators([indicators[name] for name in listed], stdout())


def _indicators(config: "RunConfig | None") -> Any:
    from indicators import INDICATORS_BY_NAME

    from ..features.own_indicators import indicators_of

    return INDICATORS_BY_NAME if config is None else indicators_of(config)


def _facts(built: "BuiltMatrix") -> dict[str, Any]:
    return {
        "symbol": built.symbol,
        "timeframe": built.timeframe,
        "path": str(built.path),
        "rows": built.rows,
        "computed": built.computed,
        "reused": built.reused,
        "pruned": built.pruned,
        "seconds": built.seconds,
        "columns": [
            {
                "name": one.name,
                "type": one.dtype,
                "kind": one.output.kind,
                "unit": one.output.unit,
                "lookback": one.lookback,
                "stable": one.stable,
                "known": one.known,
                "key": one.key,
            }
            for one in built.columns
        ],
        "absent": [{"name": str(one.feature), "reason": one.reason} for one in built.absent],
    }
