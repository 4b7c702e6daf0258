"""``python -m experiments``: the same as the command ``ninefold``."""

import sys

from .cli import main

sys.exit(main())
