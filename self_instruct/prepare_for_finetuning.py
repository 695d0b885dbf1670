"""The seed project's `prepare_for_finetuning.py`: `selfbehave prepare`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["prepare", *sys.argv[1:]]))
