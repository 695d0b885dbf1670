"""`prepare_for_finetuning.py` of the published code: runs `selfbehave prepare`."""

import sys

from selfbehave.cli.main import main

sys.exit(main(["prepare", *sys.argv[1:]]))
