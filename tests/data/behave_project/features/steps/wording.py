"""Words that follow from numbers."""

IRREGULAR = {}
IRREGULAR["entry"] = "entries"


def plural(noun, count):
    return noun if count == 1 else IRREGULAR.get(noun, f"{noun}s")
