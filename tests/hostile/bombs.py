"""Small inputs made to cost much, or to break what reads them."""

from __future__ import annotations

from collections.abc import Iterator

from .readers import READERS, Reader

__all__ = ["bombs_for"]

LENGTH = 60_000  # characters: what takes time by their square takes minutes
MIB = 2**20

_COLUMNS = 60


def bombs_for(name: str) -> Iterator[tuple[str, bytes]]:
    """Every bomb for a reader, by what it is made of."""
    reader = READERS[name]
    if name not in ("pair", "answer"):  # an answer is no file, and bounded as it comes
        yield from _files(reader)
    for what, text in TEXTS.items():
        yield what, _encoded(reader, text)
    for what, pair in PAIRS.items() if name == "pair" else ():
        yield what, pair.encode()


def _encoded(reader: Reader, text: str) -> bytes:
    try:
        return reader.wrapped(text)
    except UnicodeEncodeError:  # a file has half a surrogate pair only by mistake
        return reader.wrapped(text.replace("\ud800", "\ufffd"))


def _files(reader: Reader) -> Iterator[tuple[str, bytes]]:
    """Whole files, whatever they should hold."""
    seed = reader.seeds()[0]
    yield "nothing", b""
    yield "a byte order mark", b"\xef\xbb\xbf" + seed
    yield "two byte order marks", b"\xef\xbb\xbf" * 2 + seed
    yield "UTF-16", seed.decode("utf-8", "replace").encode("utf-16")
    yield "no UTF-8", b"\xff\xfe\xfd" + seed
    yield "U+0000", b"\0" * 1000
    yield "ends of lines by CR alone", seed.replace(b"\r\n", b"\n").replace(b"\n", b"\r")
    yield "cut off", seed[: len(seed) // 2]
    yield "deep lists", b"[" * LENGTH
    yield "deep objects", b'{"a":' * LENGTH
    yield "a deep object", b'{"instruction": ' + b"[" * 900 + b"]" * 900 + b"}"
    yield "a deep heading", b"## " + b"[" * LENGTH
    yield "a deep table", b"a = " + b"[" * LENGTH
    yield "a long number", b'{"request_idx": ' + b"9" * 5000 + b"}"
    yield "a long number in a table", b"a = " + b"9" * 5000
    yield "no table", b"prepare = 1"
    for value in (b"1e999", b"-1e999", b"NaN", b"9" * 4000, b'"x"', b"[]", b"{}", b"null", b"1"):
        yield f"{value[:9]!r} everywhere", _with_values(value)
    yield "10 MiB on one line", b"x" * (10 * MIB)
    yield "5 MiB of empty lines", b"\n" * (5 * MIB)
    yield "10 MiB of empty lists", b'{"instruction": [' + b"[]," * (10 * MIB // 3) + b"[]]}"
    yield "10 MiB of commas", b"," * (10 * MIB)
    yield "a line of 33 MiB", b"{" + b" " * (33 * MIB) + b"}"


def _with_values(value: bytes) -> bytes:
    names = (
        "id name instruction instances is_classification input output prompt completion criteria "
        "most_similar avg_similarity_score metadata request_idx instance_metadata faults rung "
        "instruction_metadata raw_instances decided_by scenario_id stage reason text dataset rater "
        "fault_codes"
    ).split()
    fields = [b'"%s": %s' % (name.encode(), value) for name in names]
    texts = [b'"%s": "bound"' % name.encode() for name in names]
    rows = [b"{" + b", ".join(fields) + b"}"]
    # Each field wrong by itself, all others texts.
    rows += [
        b"{" + b", ".join([*texts[:at], fields[at], *texts[at + 1 :]]) + b"}"
        for at in range(len(names))
    ]
    return b"\n".join(rows)


def _laughs() -> str:
    """An outline whose values hold the next column's parameter twice."""
    names = [f"p{number}" for number in range(_COLUMNS)]
    values = [f"<{name}><{name}>" for name in names[1:]] + ["ha"]
    table = "\n".join(f"| {' | '.join(row)} |" for row in (names, values))
    return f"Scenario Outline: laughs\n  Given <p0>\n  Examples:\n{table}\n"


def _repeated(each: str, length: int = LENGTH) -> str:
    return each * (length // len(each))


def _module(each: str) -> str:
    lines = "".join(each.format(n=n) for n in range(LENGTH // len(each)))
    return f"from behave import given, when, then\n{lines}"


def _scenario(lines: str) -> str:
    return f"Scenario: a\n  Given a basket\n{lines}"


_LONG_STEP = f"Scenario: a\n  Given {'a' * 40_000}\n  When a\n  Then b\n"
_TYPED = "{:w}a" * 60

TEXTS: dict[str, str] = {
    # What regular expressions trip over
    "backticks": _repeated("`"),
    "backticks and a word": "```" + "a" * LENGTH + "`",
    "backticks and blanks": "```" + " " * LENGTH + "`",
    "fences that open": _repeated("```python\n"),
    "fences that open and close": _repeated("```gherkin\n```\n"),
    "longer and longer fences": "\n".join("`" * n for n in range(3, 440)),
    "blanks": " " * LENGTH,
    "blanks before a word": " " * LENGTH + "given",
    "a title with blanks": f"Scenario: a{' ' * LENGTH}b",
    "blanks in a cell": _scenario(f"  | a{' ' * 40_000}b |\n"),
    "tabs": "\t" * LENGTH,
    "line feeds": "\n" * LENGTH,
    "carriage returns": "\r" * LENGTH,
    "U+2028": "\u2028" * LENGTH,
    "a task and blanks": f"Task{' ' * LENGTH}x",
    "a task and digits": f"Task {'1' * LENGTH}x",
    "an example and blanks": f"Example 1{' ' * LENGTH}x",
    "an input without an output": "Example 1\nInput:" + "\n" * LENGTH,
    "items": _repeated("1. "),
    "labels": _repeated("\nLabel:"),
    "quotation marks": _repeated('"'),
    "quotation marks of a page": _repeated("“"),
    "apostrophes": _repeated(" '"),
    "doc strings": _repeated('"""'),
    "doc strings apart": _repeated('""" """ '),
    "angle brackets": _repeated("<"),
    "bars": _repeated("|"),
    "bars and blanks": _repeated("| "),
    "backslashes": _repeated("\\"),
    "braces": _repeated("{"),
    "at signs": _repeated("@"),
    "hashes": _repeated("#"),
    "titles": _repeated("Scenario: "),
    "titles on lines": _repeated("Scenario:\n"),
    "keywords": _repeated("given "),
    "a folded scenario of and": "Scenario: a Given b " + _repeated("and c "),
    "a folded scenario of and within bounds": "Scenario: a Given b " + _repeated("and c ", 45_000),
    "words": _repeated("word "),
    "one word": "a" * LENGTH,
    "a formula": "=" * LENGTH,
    "characters that no page holds": "\x00\x1b[2J\u202e\ufffe\ud800",
    "a closing tag": _repeated("</script><script>alert(1)</script>"),
    # Gherkin that grows
    "laughs": _laughs(),
    "rows and steps": "Scenario Outline: a\n" + "* a\n" * 5000 + "Examples:\n" + "|a|\n" * 6000,
    "a background of many": "Feature: a\nBackground:\n"
    + "* a\n" * 5000
    + "Scenario: b\n* c\n" * 1500,
    "tags of many": "@t " * 8000 + "\n" + "Feature: a\n" + "Scenario: b\n* c\n" * 1500,
    "a long cell": "Scenario Outline: a\n  Given "
    + "<a>" * 8000
    + "\n  Examples:\n|a|\n"
    + f"|{'b' * 400}|\n" * 50,
    "an outline's heading of repeats": f"Scenario Outline: a\n  Given <{'a' * 40}\n"
    "  Examples:\n|(a+)+b|\n|c|\n",
    "steps": _scenario("* a\n" * 11_000),
    "rules": "Feature: a\n" + "Rule: b\n" * 5000,
    "columns": _scenario("|" + "a|" * 20_000),
    "comments": "# c\n" * 12_000 + "Scenario: a\n  Given b\n",
    "languages": "# language: fr\n" * 3000,
    "a doc string that is not closed": _scenario('  """\n' + "a\n" * 20_000),
    "a long step": _LONG_STEP,
    # Python that is deep, or much
    "parentheses": "x = " + "(" * 50_000,
    "brackets within the parser's bounds": f"x = {'[' * 90}{']' * 90}",
    "minuses": "x = " + "-" * 50_000 + "1",
    "attributes": "x" + ".y" * 40_000,
    "sums": "x = 1" + "+1" * 40_000,
    "calls": "x" + "()" * 40_000,
    "elif": "if x: pass\n" + "elif x: pass\n" * 3000,
    "else if": "".join(f"{' ' * n}if x:\n" for n in range(99)) + " " * 99 + "pass\n",
    "nested functions": "".join(f"{' ' * n}def f():\n" for n in range(99)) + " " * 99 + "pass\n",
    "lambdas": "x = " + "lambda: " * 5000 + "1",
    "a long integer": f"x = {'9' * 50_000}",
    "a power": "x = 9 ** 9 ** 9 ** 9\ny = 'a' * 10 ** 10\n",
    "format strings": "x = " + "f'{" * 1000,
    "step functions": _module("@given('a{n}')\ndef f{n}(c): pass\n"),
    "decorators": _module("@given('a{n}')\n") + "def f(c): pass\n",
    "a pattern of many fields": f"@given('{'{}a' * 300}')\ndef f(c): pass\n",
    "a pattern that backtracks": "use_step_matcher('re')\n@given('(a*)*(a*)*b')\ndef f(c): pass\n",
    "a pattern of a large count": "use_step_matcher('re')\n@given('(a{999}){999}')\ndef f(c): 1\n",
    "null bytes in code": "x = '\0'\n",
    "half a pair in code": "x = '\ud800'\n",
}

# A scenario and code that make each other slow.
PAIRS: dict[str, str] = {
    "typed fields and a long step": f"{_LONG_STEP}\n----\n@given('{_TYPED}')\ndef f(c): pass\n",
    "fields and a long step": f"{_LONG_STEP}\n----\n@given('{'{}a' * 300}')\ndef f(c): pass\n",
    "many steps and functions": _scenario("".join(f"* a{n}\n" for n in range(500)))
    + "\n----\n"
    + _module("@given('a{n}')\ndef f{n}(c): pass\n"),
    "backtracking and a long step": f"{_LONG_STEP}\n----\nuse_step_matcher('re')\n"
    + "".join(f"@given('(a*)*(a*)*b{n}')\ndef f{n}(c): pass\n" for n in range(400)),
}
