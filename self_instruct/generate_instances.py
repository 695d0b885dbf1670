"""`generate_instances.py` of the published code: runs `selfbehave instances`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["instances", *sys.argv[1:]]))
