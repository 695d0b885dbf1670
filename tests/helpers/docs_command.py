"""`selfbehave` as the documentation's tests run it.

What no test can do is done by something near it: an engine that runs on this machine is a scripted
server, whose address is in the environment; hundreds of instructions are a few; and a served study
ends once it is served.
"""

import os
import subprocess
import sys

from selfbehave.cli.main import main
from selfbehave.engines.models import MODELS

ASKING = ("run", "bootstrap", "classify", "instances", "evaluate")
EMBEDDED = {model.name for model in MODELS}
FEW, MOST = "3", 99  # instructions instead of more than so many


def within_reach(arguments: list[str]) -> list[str]:
    server = os.environ["SELFBEHAVE_DOCS_SERVER"]
    if "--engine" in arguments:
        at = arguments.index("--engine") + 1
        if arguments[at].endswith(".gguf") or arguments[at] in EMBEDDED:
            arguments[at] = server
    elif arguments[:1] and arguments[0] in ASKING and "--help" not in arguments:
        arguments = [*arguments, "--engine", server]
    if (size := "--num_instructions_to_generate") in arguments:
        at = arguments.index(size) + 1
        arguments[at] = FEW if int(arguments[at]) > MOST else arguments[at]
    return arguments


def serve(arguments: list[str]) -> int:
    command = [sys.executable, "-m", "selfbehave", *arguments, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="")
            if line.startswith("serving at"):
                process.kill()
                return 0
    return process.returncode


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(serve(given) if given[:2] == ["study", "serve"] else main(within_reach(given)))
