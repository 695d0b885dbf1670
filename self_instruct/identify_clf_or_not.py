"""`identify_clf_or_not.py` of the published code: runs `selfbehave classify`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["classify", *sys.argv[1:]]))
