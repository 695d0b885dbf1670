"""The seed project's `bootstrap_instructions.py`: `selfbehave bootstrap`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["bootstrap", *sys.argv[1:]]))
