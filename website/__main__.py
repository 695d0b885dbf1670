"""`python -m website [--to DIR]`: build the documentation, without a network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .build import build

parser = argparse.ArgumentParser(prog="python -m website", description=__doc__)
parser.add_argument("--to", type=Path, default=Path("site"), help="(default: %(default)s)")
folder: Path = parser.parse_args().to
if not build(folder):
    sys.exit(1)
print(f"documentation: {folder / 'index.html'}")
