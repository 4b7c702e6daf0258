"""``ninefold ablate CONFIG``."""

from .options import DEFAULT_STORE, AsJson, ConfigPath, Overrides, StorePath
from .output import print_json, progress, stdout


def ablate(
    config: ConfigPath,
    overrides: Overrides = None,
    store: StorePath = DEFAULT_STORE,
    as_json: AsJson = False,
) -> None:
    """Run a configuration without each of its heads, and with each head alone."""
    from .. import ablate as ablate_config
    from .. import load_config
    from ..ablation_table import ablation_json, print_ablation

    found = ablate_config(load_config(config, overrides or ()), store=store, progress=progress())
    if as_json:
        print_json(ablation_json(found))
        return
    print_ablation(found, stdout())
