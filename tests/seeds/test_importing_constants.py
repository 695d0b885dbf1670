"""Constants of a project's code are worked out without running it, in bounded time and space."""

import ast
import time
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from selfbehave.seeds.importing.constants import NotConstantError, constant
from selfbehave.seeds.importing.modules import Modules
from selfbehave.seeds.importing.references import Argument, References


def value_of(folder: Path, expression: str, code: str = "", **modules: str) -> Any:
    """What an expression is worth behind some code, beside other modules."""
    for name, text in {**modules, "own": code}.items():
        (folder / f"{name}.py").write_text(text)
    found = Modules([folder])
    module = found.at(folder / "own.py")
    assert module is not None
    node = ast.parse(expression, mode="eval").body
    return constant(Argument(node, module), References(found, "behave"))


@pytest.mark.parametrize(
    ("expression", "code", "value"),
    [
        ("'a' 'b' + \"c\"", "", "abc"),
        ("A", "A = 'a'", "a"),
        ("A", "A: str = 'a'", "a"),
        ("A", "A = B = C\nC = 'c'", "c"),
        ("f'{A} of {N}'", "A = 'cups'\nN = 3", "cups of 3"),
        ("'%s has %d, 100%%' % (A, 2)", "A = 'Ada'", "Ada has 2, 100%"),
        ("'{} of {n} {{}}'.format(A, n=2)", "A = 'cups'", "cups of 2 {}"),
        ("' Tea '.strip().lower()", "", "tea"),
        ("D['a'][1]", "D = {'a': ['x', 'y']}", "y"),
        ("dict(a=A)['a']", "A = 1", 1),
        ("(*A, 'c')", "A = ['a', 'b']", ("a", "b", "c")),
        ("Texts.TEA", "class Texts:\n    TEA = 'tea'", "tea"),
        ("other.TEA", "import other", "green tea"),
        ("tea", "from other import TEA as tea", "green tea"),
        ("TEA", "from other import *", "green tea"),
        ("other.Texts.TEA", "import other", "black tea"),
        ("str(PurePath('a') / 'b' / A)", "from pathlib import PurePath\nA = 'c'", "a/b/c"),
        ("join('a', 'b')", "from os.path import join", "a/b"),
    ],
)
def test_what_code_spells_out_is_worked_out(
    expression: str, code: str, value: object, tmp_path: Path
) -> None:
    other = "TEA = 'green tea'\nclass Texts:\n    TEA = 'black tea'\n"
    assert value_of(tmp_path, expression, code, other=other) == value


def test_a_path_beside_its_module_begins_there(tmp_path: Path) -> None:
    code = "from pathlib import Path\nimport os\nHERE = Path(__file__).resolve().parent\n"
    expected = PurePosixPath(tmp_path / "features")
    assert value_of(tmp_path, "HERE / 'features'", code) == expected
    assert value_of(tmp_path, "os.path.join(os.path.dirname(__file__), 'x')", code) == str(
        tmp_path / "x"
    )


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("A", ""),
        ("A", "A = 'a'\nA = 'b'"),
        ("A", "A = 'a'\nif x:\n    A = 'b'"),
        ("A", "for A in 'ab': pass"),
        ("A", "A = input()"),
        ("A['x']", "A = {'x': 'y'}\nA['x'] = 'z'"),
        ("A[0]", "A = ['x']\nA.append('z')"),
        ("Texts.TEA.value", "from enum import Enum\nclass Texts(Enum):\n    TEA = 'tea'"),
        ("Texts.TEA", "from enum import Enum\nclass Texts(Enum):\n    TEA = 'tea'"),
        ("f'{1:>9}'", ""),
        ("f'{A!r}'", "A = 'a'"),
        ("'{:>9}'.format(1)", ""),
        ("'{0.real}'.format(1)", ""),
        ("'%9d' % 1", ""),
        ("'a' * 9", ""),
        ("open('x').read()", ""),
        ("'a' + 1", ""),
        ("{}['a']", ""),
        ("[][0]", ""),
        ("'{}'.format()", ""),
    ],
)
def test_what_only_a_run_can_tell_is_no_constant(
    expression: str, code: str, tmp_path: Path
) -> None:
    with pytest.raises(NotConstantError):
        value_of(tmp_path, expression, code)


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("A", "A = A"),
        ("A", "A = B\nB = A"),
        ("A0", "\n".join(f"A{n} = A{n + 1} + A{n + 1}" for n in range(60)) + "\nA60 = ''"),
        ("A0", "\n".join(f"A{n} = A{n + 1}" for n in range(5_000)) + "\nA5000 = ''"),
        ("A0", "\n".join(f"A{n} = f'{{A{n + 1}}}' * 2" for n in range(40)) + "\nA40 = 'x'"),
        ("+".join(["A"] * 5_000), "A = 'a' 'b'"),
        ("'" + "{}" * 5_000 + "'.format(" + ",".join(["A"] * 5_000) + ")", f"A = '{'x' * 9_000}'"),
        ("'" + "%s" * 2_000 + "' % (" + "A," * 2_000 + ")", f"A = '{'x' * 9_000}'"),
        ("'" + "{0}" * 3_000 + "'.format(A)", f"A = '{'x' * 9_000}'"),
        ("f'" + "{A}" * 3_000 + "'", f"A = '{'x' * 9_000}'"),
        ("(" * 60 + "'a'" + "+'b')" * 60 + "[" * 1 + "0]", "x = " + "[" * 80 + "]" * 80),
    ],
    ids=range(11),
)
def test_hostile_code_is_given_up_soon(expression: str, code: str, tmp_path: Path) -> None:
    started = time.process_time()
    try:
        value = value_of(tmp_path, expression, code)
    except (NotConstantError, RecursionError):
        value = ""
    assert len(value) <= 10_000
    assert time.process_time() - started < 5
