"""``ninefold doctor``."""

import typer

from .errors import EXIT_CHECK
from .options import DEFAULT_STORE, AsJson, StorePath
from .output import print_json, stdout


def doctor(store: StorePath = DEFAULT_STORE, as_json: AsJson = False) -> None:
    """Check the installation, the numba cache, the store and the free disk space."""
    from dataclasses import asdict

    from .. import doctor as diagnose
    from ..tables import print_findings

    findings = diagnose(store)
    healthy = all(finding.ok for finding in findings)
    if as_json:
        print_json({"healthy": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        print_findings(findings, stdout())
    if not healthy:
        raise typer.Exit(EXIT_CHECK)
