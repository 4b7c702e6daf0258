"""``ninefold ablate CONFIG``."""

from .options import DEFAULT_STORE, AsJson, ConfigPath, Overrides, StorePath
from .output import kernel_progress, print_json, stdout


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

    found = ablate_config(
        load_config(config, overrides or ()), store=store, progress=kernel_progress()
    )
    if as_json:
        print_json(ablation_json(found))
        return
    print_ablation(found, stdout())
