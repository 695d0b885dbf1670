"""Seed tasks as Markdown: readable, and read back to exactly the same tasks."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfbehave.cli.main import main
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.four_criteria import CRITERIA
from selfbehave.core.records import Instance, SeedTask
from selfbehave.seeds.load import seeds_path
from selfbehave.seeds.markdown import from_markdown, to_jsonl, to_markdown
from selfbehave.seeds.packaged_names import PACKAGED

from ..helpers.paths import CLASSIC_SEEDS

TASK = SeedTask(
    "hq_1",
    "pay",
    "Write:\n\n```gherkin\nScenario: x\n  Given a\n```",
    (Instance("", "```python\n# code\n```"),),
    False,
    {"essential": True, "singular": False, "complete": True, "integrous": True},
)
PAGE = """# Seed tasks

<!-- fmt: off -->

1 seed task. `selfbehave seeds from-markdown` reads this page back.

## hq_1: pay

Classification: no\\
Criteria: essential, not singular, complete, integrous

### Instruction

Write:

```gherkin
Scenario: x
  Given a
```

### Output

```python
# code
```
"""


def test_a_page_has_a_heading_a_task_its_criteria_and_its_fenced_texts() -> None:
    assert to_markdown([TASK]) == PAGE
    assert from_markdown(PAGE) == [TASK]


@pytest.mark.parametrize("fence", ["```", "~~~", "````"])
def test_a_line_within_a_fence_is_no_heading(fence: str) -> None:
    page = PAGE.replace("```python\n# code\n```", f"{fence}python\n## helpers: two\n{fence}")
    (task,) = from_markdown(page)
    assert task.instances[0].output == f"{fence}python\n## helpers: two\n{fence}"
    assert to_markdown([task]) == page


def test_a_doc_string_may_hold_a_heading() -> None:
    text = '  Given a\n    """\n## Title: of a letter\n    """'
    page = PAGE.replace("  Given a", text)
    assert from_markdown(page)[0].instruction == TASK.instruction.replace("  Given a", text)


def test_blanks_around_a_heading_do_not_matter() -> None:
    page = PAGE.replace("## hq_1: pay", "##  hq_1: pay \t").replace("### Output", "###\tOutput  ")
    page = page.replace("### Instruction", "### Instruction ")
    assert from_markdown(page) == [TASK]


def test_a_fence_that_is_never_closed_is_named_before_it_swallows_a_task() -> None:
    second = PAGE[PAGE.index("## hq_1") :].replace("hq_1", "hq_2")
    page = PAGE.replace("# code\n```", "# code") + "\n" + second
    with pytest.raises(SelfBehaveError) as caught:
        from_markdown(page, where="page.md")
    assert str(caught.value).startswith(
        "page.md:31: '### Instruction' is inside the fence opened on line 23"
    )


@pytest.mark.parametrize("name", PACKAGED)
def test_the_page_of_a_packaged_set_is_in_step_and_reads_back_byte_for_byte(
    name: str, tmp_path: Path
) -> None:
    file, page = seeds_path(name), tmp_path / "page.md"
    back = tmp_path / "back.jsonl"
    assert main(["seeds", "to-markdown", name, "--output_file", str(page)]) == 0
    assert page.read_bytes() == file.with_suffix(".md").read_bytes()
    assert main(["seeds", "from-markdown", str(page), "--output_file", str(back)]) == 0
    assert back.read_bytes() == file.read_bytes()
    assert "(JSON)" not in page.read_text(encoding="utf-8")


def test_without_an_output_file_the_text_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["seeds", "to-markdown", str(CLASSIC_SEEDS)]) == 0
    assert capsys.readouterr().out.startswith(f"# {CLASSIC_SEEDS.stem}\n")


lines = st.text("ab `#~\\\t\r\n\x0b\u2028\x85é漢", max_size=20) | st.sampled_from(
    ["```", "````python", "## a: b", "### Output", "### Input (JSON)", "Criteria: x", "", " ",
     "# h", "~~~", "```json", '"a"']
)  # fmt: skip
texts = st.lists(lines, max_size=5).map("\n".join) | st.text(max_size=20)
tasks = st.builds(
    SeedTask,
    id=st.text(max_size=8) | st.just("hq_1"),
    name=texts,
    instruction=texts.filter(lambda text: bool(text.strip())),
    instances=st.lists(st.builds(Instance, texts, texts), min_size=1, max_size=3).map(tuple),
    is_classification=st.booleans(),
    criteria=st.none()
    | st.permutations(CRITERIA).flatmap(
        lambda names: st.fixed_dictionaries({name: st.booleans() for name in names})
    ),
)


@settings(max_examples=300, derandomize=True)
@given(st.lists(tasks, min_size=1, max_size=3))
def test_any_tasks_read_back_exactly(drawn: list[SeedTask]) -> None:
    page = to_markdown(drawn)
    back = from_markdown(page)
    assert back == drawn
    assert to_jsonl(back) == to_jsonl(drawn)
    assert to_markdown(back) == page


@pytest.mark.parametrize(
    ("page", "complaint"),
    [
        ("", "page.md: the page has no task"),
        (PAGE.replace("## hq_1: pay", "## pay"), "page.md:7: a task heading must be 'id: name'"),
        (PAGE.replace("## hq_1: pay", "## [1"), "page.md:7: not a task heading"),
        (PAGE.replace("## hq_1: pay", "## [1, 2]"), "page.md:7: field 'id' must be a text"),
        (PAGE.replace("Classification: no\\", ""), "page.md:7: field 'is_classification'"),
        (PAGE.replace(": no\\", ": maybe"), "page.md:9: Classification: must be yes or no"),
        (PAGE.replace("not singular, ", ""), "page.md:10: the criteria must be essential"),
        (PAGE.replace("Criteria:", "Kriterien:"), "page.md:10: unknown line"),
        (PAGE.replace("### Output", "### Result"), "page.md:7: field 'instances' is empty"),
        (PAGE.replace("### Output", "### Output (JSON)"), "page.md:21: expected a JSON string"),
    ],
)
def test_a_line_that_is_not_the_pages_is_named(page: str, complaint: str) -> None:
    with pytest.raises(SelfBehaveError) as caught:
        from_markdown(page, where="page.md")
    assert complaint in str(caught.value)


def test_a_field_the_page_has_no_place_for_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "seeds.jsonl"
    file.write_text(to_jsonl([TASK]).replace('{"id"', '{"author": "x", "id"'))
    assert main(["seeds", "to-markdown", str(file)]) == 1
    assert "seeds.jsonl:1: unsupported fields for a page: author" in capsys.readouterr().err
