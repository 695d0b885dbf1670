"""The seed project's `generate_instances.py`: `selfbehave instances`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["instances", *sys.argv[1:]]))
