"""The formatter lays Gherkin out and never changes what it says."""

import json
import time
from typing import Any

import pytest
from gherkin.dialect import DIALECTS
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from selfbehave.bdd import ScenarioError
from selfbehave.bdd.feature_text import as_feature
from selfbehave.bdd.formatting import format_scenario
from selfbehave.bdd.official_parser import parse_officially
from selfbehave.prompts.bdd import scenario_of
from selfbehave.seeds.load import load_seeds


def meaning(text: str) -> Any:
    """The official parser's document without locations and ids."""

    def bare(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: bare(one) for key, one in value.items() if key not in ("location", "id")}
        return [bare(one) for one in value] if isinstance(value, list) else value

    return json.loads(json.dumps(bare(parse_officially(*as_feature(text)))))


def assert_only_laid_out(text: str) -> None:
    laid_out = format_scenario(text)
    assert meaning(laid_out) == meaning(text)
    assert format_scenario(laid_out) == laid_out


def test_a_document_is_indented_aligned_and_spaced() -> None:
    untidy = (
        "# about it\n# language: en\n@a   @b # why\nFeature:  Money\n  As it was written\n"
        "Background:\nGiven a bank\n\n\n@slow\nScenario Outline: <n>\n"
        'Given these:\n|a|long one|\n|漢字|x\\|y|\nAnd text:\n"""json\n  {}\n """ \n'
        "Examples:\n|n|\n|1|\n@t\nExamples: more\n|n|\n# two\n|22|\n"
        "Rule: r\nExample: one\n* all of it\n"
    )
    assert format_scenario(untidy) == (
        "# about it\n# language: en\n@a @b # why\nFeature: Money\n  As it was written\n\n"
        "  Background:\n    Given a bank\n\n  @slow\n  Scenario Outline: <n>\n"
        "    Given these:\n      | a    | long one |\n      | 漢字 | x\\|y     |\n"
        '    And text:\n      """json\n        {}\n      """\n\n'
        "    Examples:\n      | n |\n      | 1 |\n\n    @t\n    Examples: more\n"
        "      | n  |\n# two\n      | 22 |\n\n  Rule: r\n\n    Example: one\n      * all of it"
    )


def test_a_bare_scenario_stays_bare() -> None:
    assert format_scenario("@a\n  Scenario: x\nGiven y\n |z|\n") == (
        "@a\nScenario: x\n  Given y\n    | z |"
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "Scenario:\n  Given \n  When ",
        "free text\n   \nScenario: x\n  \n  * \n\n\n",
        "# a\n\n# language: de\nSzenario: x\n  * y\n",
        "# language: cs\nScénář: x\n  A  také y\n  A také z\n",
        "Scenario: x\n  Given y\n    | a \\\\ | \\d | \\n | \\| | left out\n",
        "Scenario: x\n  Given y\n    ```` \n   \\`\\`\\` \\\n\n      deep  \n   ```\n",
        'Scenario: x\n  Given y\n\t"""\n\t\ttab\n   \n  """ after\n',
        "Scenario: x\r\n  Given y\r\n    | a |\r\n",
        "Scenario: one\u2028line\n  Given a\x0bb\x85c\n",
        "Feature: x\n  text\n\n  # note\n\n  Scenario: y\n  * z\n  # 1\n\n  # 2\n  Rule: r\n",
        "@a\n\n# b\n@c\n\nFeature: f\n@d@e\n# g\nScenario: x\n* y",
    ],
)
def test_odd_documents_keep_their_meaning(text: str) -> None:
    assert_only_laid_out(text)


def test_what_is_not_gherkin_is_refused() -> None:
    with pytest.raises(ScenarioError, match="line 4: inconsistent cell count"):
        format_scenario("Scenario: x\nGiven a\n| 1 |\n| 1 | 2 |\n")
    with pytest.raises(ScenarioError, match="longer than"):
        format_scenario("Scenario: x\n" + "  Given a\n" * 10_000)


def test_many_comments_take_no_more_than_their_share_of_time() -> None:
    started = time.monotonic()
    format_scenario("Scenario: x\n" + "#\n" * 2_900 + "* a\n")
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("quality", ["high_quality", "mixed_quality"])
def test_every_packaged_scenario_is_laid_out_already(quality: str) -> None:
    for task in load_seeds(quality).tasks:
        scenario = scenario_of(task.instruction)
        assert format_scenario(scenario) == scenario
        assert meaning(scenario)["feature"]["children"]


# What a line may hold: anything but the parser's one line break. Bars, backslashes, quotes, hashes,
# tags and wide or zero-width letters are drawn often, since they are what could go wrong.
letters = st.sampled_from('ab <>"`|\\#@:*n\t\r\u00a0\u2028\x0b漢é') | st.characters(
    exclude_characters="\n", exclude_categories=("Cs",)
)
line = st.text(letters, max_size=12)
spaces = st.sampled_from(["", "  ", "    ", "\t", " \t "])
word = st.text("abc#é漢+-", min_size=1, max_size=4)
blank = st.sampled_from(["", "", "", "\n", "   \n\n"])
comment = st.builds(lambda indent, text, end: f"{indent}#{text}\n{end}", spaces, line, blank)
noise = st.lists(comment, max_size=1).map("".join) | blank
tags = st.lists(
    st.builds(
        lambda indent, names, gap, note, end: indent + gap.join(names) + note + "\n" + end,
        spaces,
        st.lists(word.map(lambda name: f"@{name}"), min_size=1, max_size=3),
        st.sampled_from([" ", "   ", ""]),
        st.sampled_from(["", " # a note", "  #"]),
        noise,
    ),
    max_size=2,
).map("".join)


@st.composite
def tables(draw: st.DrawFn) -> str:
    width = draw(st.integers(0, 3))
    cell = line.map(lambda text: text.replace("\\", "\\\\").replace("|", "\\|")) | st.just("\\n")
    loose = st.sampled_from(["\\d", " a\\b ", "\\\\\\|", "\\n\\n", "x \\"])
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        cells = draw(st.lists(cell | loose, min_size=width, max_size=width))
        # A backslash at a cell's end would escape the bar.
        cells = [text + " " if text.endswith("\\") else text for text in cells]
        end = draw(st.sampled_from(["", " ", " rest"]))
        rows.append(f"{draw(spaces)}|{''.join(text + '|' for text in cells)}{end}\n{draw(noise)}")
    return "".join(rows)


@st.composite
def doc_strings(draw: st.DrawFn) -> str:
    delimiter = draw(st.sampled_from(['"""', "```"]))
    escaped = "".join(f"\\{mark}" for mark in delimiter)
    content = st.builds(
        lambda indent, text, end: indent + text.replace(delimiter, escaped) + end,
        spaces,
        line | st.sampled_from([delimiter, f"\\{delimiter}", f"{delimiter}{delimiter[0]}", ""]),
        spaces,
    )
    lines = draw(st.lists(content, max_size=4))
    opening = draw(spaces) + delimiter + draw(st.sampled_from(["", "json", " a b ", "'"]))
    return "\n".join([opening, *lines, draw(spaces) + delimiter + draw(spaces)]) + "\n"


@st.composite
def documents(draw: st.DrawFn) -> str:
    name = draw(
        st.sampled_from(["en", "en", "de", "fr", "cs", "ja", "zh-CN", "ru", "ar", "en-old"])
    )
    dialect = DIALECTS[name]
    steps = [word for kind in ("given", "when", "then", "and", "but") for word in dialect[kind]]
    description = st.lists(
        st.builds(lambda indent, text: f"{indent}{text}\n", spaces, line), max_size=3
    ).map("".join)

    def title(kind: str) -> str:
        keyword = draw(st.sampled_from(dialect[kind]))
        return f"{draw(spaces)}{keyword}:{draw(line)}\n{draw(blank | description)}{draw(noise)}"

    def step() -> str:
        argument = draw(st.just("") | tables() | doc_strings())
        return (
            draw(spaces) + draw(st.sampled_from(steps)) + draw(line) + f"\n{draw(noise)}{argument}"
        )

    def scenario() -> str:
        kind = draw(st.sampled_from(["scenario", "scenarioOutline"]))
        parts = [draw(tags), title(kind), *(step() for _ in range(draw(st.integers(0, 3))))]
        for _ in range(draw(st.integers(0, 2))):
            parts += [draw(tags), title("examples"), draw(st.just("") | tables())]
        return "".join(parts)

    def children() -> str:
        background = title("background") + step() if draw(st.booleans()) else ""
        return background + "".join(scenario() for _ in range(draw(st.integers(0, 2))))

    head = f"{draw(noise)}# language: {name}\n{draw(noise)}"
    if draw(st.booleans()):
        return head + scenario()
    rules = "".join(draw(tags) + title("rule") + children() for _ in range(draw(st.integers(0, 2))))
    return head + draw(tags) + title("feature") + children() + rules


@settings(
    max_examples=400,
    derandomize=True,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
@given(documents())
def test_any_document_keeps_its_meaning_and_is_laid_out_once(text: str) -> None:
    try:
        meaning(text)
    except ScenarioError:
        assume(False)
    assert_only_laid_out(text)
