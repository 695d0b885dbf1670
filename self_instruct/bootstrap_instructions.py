"""`bootstrap_instructions.py` of the published code: runs `selfbehave bootstrap`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["bootstrap", *sys.argv[1:]]))
