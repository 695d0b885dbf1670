"""Everything that reads what others wrote, each as a function of the bytes of one file.

A reader either reads or raises a SelfBehaveError of one line: `outcome` checks it. The seeds are
well-formed inputs for fuzzers to start from, made of the packaged data. `wrapped` puts a text where
it hurts a reader most: into the field that is parsed, matched, laid out or shown.
"""

from __future__ import annotations

import asyncio
import io
import json
import random
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from rich.console import Console

from selfbehave.audit.file_audit import MAX_ROW_CHARACTERS, audit_file
from selfbehave.audit.repair import repair_file
from selfbehave.audit.rows import read_rows
from selfbehave.bdd.criteria import judge_row
from selfbehave.bdd.extract import find_leak, unfinished_tail
from selfbehave.bdd.fences import fence, first_block
from selfbehave.bdd.formatting import format_scenario
from selfbehave.bdd.ladder import Rung, climb
from selfbehave.bdd.mutants import mutants
from selfbehave.bdd.row_repair import repair
from selfbehave.bdd.scenario import ScenarioError, as_feature
from selfbehave.bdd.screening import unsolvable
from selfbehave.bdd.smells import code_smells, scenario_smells
from selfbehave.core.errors import SelfBehaveError
from selfbehave.core.jsonl import write_jsonl
from selfbehave.core.records import Dropped, is_yes
from selfbehave.core.run_files import (
    CLASSIFICATION_FILE,
    DROPPED_FILE,
    FINETUNING_DIR,
    INSTANCES_FILE,
    JOURNAL_FILE,
    LADDER_FILE,
    RUN_FILE,
)
from selfbehave.engines.journal import Journal
from selfbehave.engines.providers.openai_answers import MAX_ANSWER_CHARACTERS
from selfbehave.evaluation.benchmark import load_benchmark
from selfbehave.evaluation.overlap import overlap_with
from selfbehave.evaluation.result_figures import panels
from selfbehave.evaluation.result_tables import axis_tables, rung_tables, scenario_table
from selfbehave.evaluation.results import Evaluation
from selfbehave.evaluation.scores import Answered, EngineScores, scored
from selfbehave.prompts import FAMILIES, Answer
from selfbehave.prompts.bdd import instruction_for, scenario_of
from selfbehave.prompts.rubric import read_verdict
from selfbehave.runs.dropped_file import write_dropped
from selfbehave.runs.finished import read_run
from selfbehave.runs.pipeline import prepare
from selfbehave.runs.run_file import note_settings, read_settings
from selfbehave.seeds.importing import import_features
from selfbehave.seeds.load import load_seeds, seeds_path
from selfbehave.seeds.markdown import jsonl_of_file, markdown_of_file, to_markdown
from selfbehave.stages.classify import read_classifications
from selfbehave.stages.prepare import PrepareSettings
from selfbehave.stats.tables import print_table
from selfbehave.stories.reading import read_stories
from selfbehave.study import automatic_rater, study_tables
from selfbehave.study.analysis import analyse
from selfbehave.study.exchange import read_ratings, write_ratings
from selfbehave.study.items import StudyItem
from selfbehave.study.ratings import Rating
from selfbehave.study.sample_pages import page, write_pages
from selfbehave.study.sampling import draw
from selfbehave.study.store import Study
from selfbehave.study.web import highlight
from selfbehave.study.web.overview import overview
from selfbehave.study.web.places import walk_of
from selfbehave.views.display import Display

from ..helpers.paths import ROOT
from ..helpers.release_runs import make_run
from ..helpers.study_samples import CODE, small_study

__all__ = ["READERS", "Reader", "outcome"]


@dataclass(frozen=True)
class Reader:
    """What reads a kind of file.

    Attributes:
        read: its bytes, in a folder of its own to work in.
        seeds: well-formed ones.
        wrapped: a file with a text in its most sensitive place.
    """

    read: Callable[[bytes, Path], None]
    seeds: Callable[[], list[bytes]]
    wrapped: Callable[[str], bytes] = str.encode


def outcome(name: str, data: bytes) -> str:
    """ "read", or the line that says why not; whatever else is raised is a defect."""
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        try:
            READERS[name].read(data, Path(folder))
        except SelfBehaveError as error:
            line = str(error)
            assert line.isprintable() or not {"\n", "\r", "\x1b"} & set(line), repr(line)
            assert "\n" not in line
            line.encode()
            return line
    return "read"


_MEMORY = Path("/dev/shm")


def _each(*reads: Callable[[], object]) -> None:
    """Call each, whether or not the others refuse; raise the last refusal."""
    refusal = None
    for read in reads:
        try:
            read()
        except SelfBehaveError as error:
            refusal = error
            str(error).encode()
    if refusal is not None:
        raise refusal


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# Seed tasks and datasets


@cache
def _tasks() -> list[Any]:
    chosen = random.Random("hostile").sample(load_seeds("mixed_quality").tasks, 4)
    return [*load_seeds("high_quality").tasks[:2], *chosen]


def _jsonl(rows: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(row).encode("utf-8", "surrogatepass") + b"\n" for row in rows)


def _seed_task(text: str) -> dict[str, Any]:
    return {
        "id": text[:100_000],
        "name": text[:100_000],
        "instruction": f"{text}\n\n{fence('gherkin', text)}",
        "instances": [{"input": text, "output": f"{text}\n\n{fence('python', text)}"}],
        "is_classification": False,
    }


def _read_seed_tasks(data: bytes, folder: Path) -> None:
    path = str(_file(folder, "seeds.jsonl", data))
    _each(lambda: load_seeds(path), lambda: to_markdown(load_seeds(path).tasks))
    markdown_of_file(path)


def _read_seeds_page(data: bytes, folder: Path) -> None:
    path = _file(folder, "seeds.md", data)
    (folder / "back.jsonl").write_text(jsonl_of_file(str(path)))
    load_seeds(str(folder / "back.jsonl"))


def _read_dataset(data: bytes, folder: Path) -> None:
    path = str(_file(folder, "data.jsonl", data))
    audit_file(path)
    repair_file(path, str(folder / "mended.jsonl"))
    audit_file(str(folder / "mended.jsonl"))


def _read_benchmark(data: bytes, folder: Path) -> None:
    file = _file(folder, "data.jsonl", data)
    benchmark = load_benchmark(str(file))
    problems = benchmark.problems[:3]
    answers = tuple(
        Answered(one.task.id, 0, "text", (), None, "", {"completion_tokens": 1}, one.canary)
        for one in problems
    )
    scores = scored(problems, answers, (1,))
    engine = EngineScores("one", "a model", "chat", answers, scores)
    overlap = overlap_with(problems, [file])
    evaluation = Evaluation(benchmark, problems, 1, (1,), overlap, (engine,))
    # The figures themselves are drawn by V8, which reserves more memory than bombs may take.
    panels(evaluation)
    for table in (scenario_table(evaluation), *axis_tables(evaluation), *rung_tables(evaluation)):
        print_table(table, Console(file=io.StringIO()))
    json.dumps(evaluation.to_dict())


def _benchmark_of(text: str) -> bytes:
    names = {"id": text, "name": text, "difficulty": text, "canary": text}
    return _jsonl([_seed_task(SCENARIO) | names | {"axes": {"rule": text, text: "a"}}])


def _dataset_of(text: str) -> bytes:
    rows = [
        {"instruction": instruction_for(text), "input": "", "output": fence("python", text)},
        {"instruction": instruction_for(SCENARIO), "input": text, "output": text},
        {"instruction": f"```gherkin\n{text}", "output": f"```python\n{text}"},
        {"prompt": text, "completion": f"def f(): pass\n{text}"},
    ]
    return _jsonl(rows)


SCENARIO = "Scenario: Tea\n  Given a basket\n  When it is emptied\n  Then nothing is in it"


def _read_sample(data: bytes, folder: Path) -> None:
    path = str(_file(folder, "data.jsonl", data))
    sample = draw("data", path, read_rows(path), error=0.2)
    write_pages(sample.items, folder / "pages")
    for item in sample.items:
        page(item)
    automatic_rater.rate(sample.items)
    with Study.create(folder / "a.study", [sample], raters=["ada"]) as study:
        study.import_ratings(automatic_rater.rate(study.items()))
        write_ratings(folder / "out.xlsx", study.ratings(), _names(study))
        write_ratings(folder / "out.csv", study.ratings(), _names(study))


def _names(study: Study) -> dict[tuple[str, str], str]:
    return {(item.dataset, item.scenario_id): item.name for item in study.items()}


def _benchmark_seeds() -> list[bytes]:
    problems = load_benchmark().problems[:2]
    return [_jsonl([one.to_dict() for one in problems]), *_dataset_seeds()]


def _dataset_seeds() -> list[bytes]:
    return [
        seeds_path("high_quality").read_bytes()[:6000].rpartition(b"\n")[0] + b"\n",
        _jsonl([task.to_dict() for task in _tasks()]),
        _jsonl(
            [
                {
                    "scenario_id": number,
                    "instruction": task.instruction,
                    "input": "",
                    "output": task.instances[0].output,
                }
                for number, task in enumerate(_tasks())
            ]
        ),
        _jsonl([{"prompt": one.instruction, "completion": "text"} for one in _tasks()]),
    ]


# Features, step modules, projects


def _read_feature(data: bytes, folder: Path) -> None:
    _file(folder, "features/steps/tea.py", f"{CODE}\n@step('{{x}}')\ndef g(c, x): pass\n".encode())
    _file(folder, "features/one.feature", data)
    import_features([folder], Rung.BOUND, Rung.BOUND)


def _read_step_module(data: bytes, folder: Path) -> None:
    _file(folder, "features/one.feature", f"Feature: a\n{SCENARIO}\n".encode())
    for name in ("steps/tea.py", "environment.py", "steps/pots.py", "steps/__init__.py"):
        _file(folder, f"features/{name}", data)
    import_features([folder], Rung.BOUND, Rung.BOUND)


def _read_pytest_module(data: bytes, folder: Path) -> None:
    lead = b"from pytest_bdd import *\nscenarios('.')\n"
    _file(folder, "one.feature", f"Feature: a\n{SCENARIO}\n".encode())
    _file(folder, "test_one.py", data)
    _file(folder, "test_two.py", lead + data)
    _file(folder, "conftest.py", data)
    _file(folder, "pytest.ini", data)
    import_features([folder], Rung.BOUND, Rung.BOUND)


@cache
def _example(folder: str) -> list[bytes]:
    from ..helpers.paths import DATA

    return [path.read_bytes() for path in sorted((DATA / folder).rglob("*.py"))]


def _behave_modules() -> list[bytes]:
    return [*_example("behave_project"), *(code.encode() for code in _codes())]


def _codes() -> list[str]:
    blocks = [first_block(task.instances[0].output, ("python",)) for task in _tasks()]
    return [block.body for block in blocks if block is not None]


def _features() -> list[bytes]:
    from ..helpers.paths import DATA

    found = [path.read_bytes() for path in sorted(DATA.rglob("*.feature"))]
    return [*found, *(f"Feature: a\n{one}\n".encode() for one in _scenarios())]


def _scenarios() -> list[str]:
    return [scenario_of(task.instruction) for task in _tasks()]


# Model answers


def _read_answer(data: bytes, folder: Path) -> None:
    text = data.decode("utf-8", "replace")[:MAX_ANSWER_CHARACTERS]
    classic = "Name three birds."
    for is_truncated in (False, True):
        answer = Answer(text, is_truncated)
        for family in FAMILIES.values():
            family.candidates(answer)
            for instruction in (instruction_for(SCENARIO), classic):
                family.instances(instruction, answer, is_classification=False)
                family.instances(instruction, answer, is_classification=True)
        read_verdict(text, is_truncated)
    is_yes(text)
    repair(instruction_for(SCENARIO), text)
    find_leak(text)
    unsolvable(text)
    raw = {"instruction": classic, "raw_instances": text, "most_similar": {}}
    rows = [raw, raw | {"instruction": instruction_for(SCENARIO)}]
    write_jsonl(folder / INSTANCES_FILE, rows)
    write_jsonl(folder / CLASSIFICATION_FILE, [{"instruction": classic, "is_classification": text}])
    _prepare(folder)


def _read_stories(data: bytes, folder: Path, name: str) -> None:
    for story in read_stories([str(_file(folder, name, data))]).stories:
        json.dumps(story.source).encode()


def _prepare(folder: Path) -> None:
    settings = PrepareSettings(
        instance_files=(str(folder / INSTANCES_FILE),),
        classification_type_files=(str(folder / CLASSIFICATION_FILE),),
        output_dir=str(folder / FINETUNING_DIR),
        top_rung="bound",
    )
    prepare(settings, _SILENT)


class _Silent(Display):
    def say(self, text: str) -> None:
        pass


_SILENT = _Silent()


def _answers() -> list[bytes]:
    tasks = "\n".join(f"{number}. {task.instruction}" for number, task in enumerate(_tasks()[:3]))
    return [
        *(task.instances[0].output.encode() for task in _tasks()),
        "\n\n".join(fence("gherkin", one) for one in _scenarios()).encode(),
        tasks.encode(),
        b"Example 1\nInput: a\nOutput: b\nExample 2\nOutput: c\n\nTask: next",
        b"Label: yes\nInput: 27\nLabel: no\nInput: 40\n",
        b" No\n\nTask: G",
    ]


def _read_pair(data: bytes, folder: Path) -> None:
    """A scenario and its code, divided by a line of dashes."""
    text = data.decode("utf-8", "replace")[:MAX_ROW_CHARACTERS]
    scenario, _, code = text.partition("\n----\n")
    item = StudyItem("d", "1", "", instruction_for(scenario), "", fence("python", code))
    climb(scenario, code)
    for read in (format_scenario, scenario_smells, as_feature):
        with suppress(ScenarioError):
            read(scenario)
    with suppress(ScenarioError):
        for mutant in islice(mutants(scenario), 2):
            climb(mutant.text, code)
    with suppress(SyntaxError):
        code_smells(code)
    unfinished_tail(code)
    repair(item.instruction, item.output)
    judge_row(item.instruction, "", item.output)
    page(item)
    highlight.gherkin(scenario)
    highlight.python(code)


def _pairs() -> list[bytes]:
    return [
        f"{scenario}\n----\n{code}".encode()
        for scenario, code in zip(_scenarios(), _codes(), strict=False)
    ]


# Ratings and studies


def _read_ratings(suffix: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, folder: Path) -> None:
        ratings = read_ratings(_file(folder, f"ratings{suffix}", data))
        for to in (".csv", ".xlsx", ".jsonl"):
            with suppress(SelfBehaveError):  # a text may be too long for a cell
                write_ratings(folder / f"out{to}", ratings)
                assert len(read_ratings(folder / f"out{to}")) == len(ratings)
        with Study.create(folder / "a.study", []) as study:
            study.import_ratings(ratings)
            study.ratings()

    return read


_RATINGS = [
    Rating("HG", "1", "ada", True, False, None, True, True, "=1+1\nsecond"),
    Rating("HG", "2", "ben", True, True, True, True, note="_x0041_ é"),
    Rating("MG", "b", "ben", note="'quoted"),
]


def _ratings(suffix: str) -> Callable[[], list[bytes]]:
    @cache
    def written() -> list[bytes]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"ratings{suffix}"
            write_ratings(path, _RATINGS, {("HG", "1"): "A title"})
            return [path.read_bytes()]

    return written


def _parts_of_workbook() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(_ratings(".xlsx")()[0])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _read_workbook_part(data: bytes, folder: Path) -> None:
    """A part of a workbook, named in the first line."""
    name, _, content = data.partition(b"\n")
    parts = dict(_parts_of_workbook())
    parts[name.decode("ascii", "replace").replace("\0", "")[:100] or "x"] = content
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part, value in parts.items():
            archive.writestr(part, value)
    _read_ratings(".xlsx")(buffer.getvalue(), folder)


def _workbook_parts() -> list[bytes]:
    return [name.encode() + b"\n" + data for name, data in _parts_of_workbook().items()]


def _read_study(data: bytes, folder: Path) -> None:
    path = _file(folder, "a.study", data)
    with Study.open(path) as study:
        ratings = study.ratings()
        study.history()
        write_pages(study.items(), folder / "pages")
        write_ratings(folder / "out.csv", ratings or _RATINGS, _names(study))
        for rater in study.raters():
            if rater.role != "owner":
                walk_of(study, rater)
            study.rater_with(rater.token)
        overview(study, lambda rater: rater.token)
        study.questions()
        if ratings:
            analysis = analyse(ratings)
            study_tables.tables(analysis)


@cache
def _study() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        with small_study(Path(folder) / "a.study") as study:
            ada, ben = study.people()
            for rater in (ada, ben):
                for item_id in study.order(rater):
                    study.answer(rater, item_id, {"essential": "yes", "note": "why?"})
        return (Path(folder) / "a.study").read_bytes()


# A run's folder


def _read_run_file(name: str) -> Callable[[bytes, Path], None]:
    def read(data: bytes, folder: Path) -> None:
        for path, content in _run().items():
            _file(folder, path, content)
        _file(folder, name, data)
        _each(
            lambda: read_run(str(folder)),
            lambda: read_settings(folder),
            lambda: note_settings(folder, "prepare", {"min_rung": "bound"}),
            lambda: read_classifications([folder / CLASSIFICATION_FILE]),
            lambda: write_dropped(folder, "prepare", [Dropped("prepare", "why", "text")]),
            lambda: _prepare(folder),
        )

    return read


@cache
def _run() -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with suppress(SelfBehaveError):
            pairs = [(task.instruction, task.instances[0].output) for task in _tasks()]
            make_run(folder, pairs)
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def _row(name: str) -> Callable[[str], bytes]:
    """The first row of a run's file with a text in every field."""

    def wrapped(text: str) -> bytes:
        row = json.loads(_run()[name].partition(b"\n")[0])
        return _jsonl([dict.fromkeys(row, text), row | {"instruction": text, "output": text}])

    return wrapped


def _read_journal(data: bytes, folder: Path) -> None:
    _file(folder, JOURNAL_FILE, data)

    async def answers() -> None:
        with Journal(folder) as journal:
            journal.answers()

    asyncio.run(answers())


@cache
def _journal() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        _read_journal(b"", Path(folder))
        return (Path(folder) / JOURNAL_FILE).read_bytes()


def _run_file(name: str, wrapped: Callable[[str], bytes] | None = None) -> Reader:
    return Reader(_read_run_file(name), lambda: [_run()[name]], wrapped or _row(name))


_ALL = f"{FINETUNING_DIR}/all_generated_instances.jsonl"
_LADDER = f"{FINETUNING_DIR}/{LADDER_FILE}"

READERS: dict[str, Reader] = {
    "seed_tasks": Reader(_read_seed_tasks, _dataset_seeds, lambda text: _jsonl([_seed_task(text)])),
    "seeds_page": Reader(
        _read_seeds_page,
        lambda: [to_markdown(_tasks()).encode()],
        lambda text: to_markdown([]).encode() + f"## a: b\n\n### Output\n\n{text}\n".encode(),
    ),
    "dataset": Reader(_read_dataset, _dataset_seeds, _dataset_of),
    "benchmark": Reader(_read_benchmark, _benchmark_seeds, _benchmark_of),
    "sample": Reader(_read_sample, _dataset_seeds, _dataset_of),
    "stories_page": Reader(
        lambda data, folder: _read_stories(data, folder, "a.md"),
        lambda: [(ROOT / "examples/backlog/sports-halls.md").read_bytes()],
    ),
    "stories_table": Reader(
        lambda data, folder: _read_stories(data, folder, "a.csv"),
        lambda: [b'id,story,criteria\nHALL-1,"As a club, I book","- 18 euros\n- 4 hours"\n'],
        lambda text: f"story\n{text}\n".encode(),
    ),
    "stories_lines": Reader(
        lambda data, folder: _read_stories(data, folder, "a.jsonl"),
        lambda: [_jsonl([{"id": "HALL-1", "story": "As a club, I book", "criteria": ["18"]}])],
        lambda text: _jsonl([{"story": text, "criteria": [text]}]),
    ),
    "feature": Reader(_read_feature, _features),
    "step_module": Reader(_read_step_module, _behave_modules),
    "pytest_module": Reader(_read_pytest_module, lambda: _example("pytest_bdd_project")),
    "answer": Reader(_read_answer, _answers),
    "pair": Reader(_read_pair, _pairs, lambda text: f"{text}\n----\n{text}".encode()),
    "ratings_csv": Reader(_read_ratings(".csv"), _ratings(".csv")),
    "ratings_jsonl": Reader(
        _read_ratings(".jsonl"),
        _ratings(".jsonl"),
        lambda text: _jsonl(
            [
                dict.fromkeys(("dataset", "scenario_id", "rater", "note"), text)
                | dict.fromkeys(("essential", "singular", "complete", "integrous"))
            ]
        ),
    ),
    "workbook": Reader(_read_ratings(".xlsx"), _ratings(".xlsx")),
    "workbook_part": Reader(
        _read_workbook_part,
        _workbook_parts,
        lambda text: b"xl/worksheets/sheet1.xml\n" + text.encode(),
    ),
    "study": Reader(_read_study, lambda: [_study()]),
    "run_settings": _run_file(RUN_FILE, str.encode),
    "run_rows": _run_file(_ALL),
    "run_instances": _run_file(INSTANCES_FILE),
    "run_ladder": _run_file(_LADDER),
    "run_classes": _run_file(CLASSIFICATION_FILE),
    "run_dropped": Reader(
        _read_run_file(DROPPED_FILE),
        lambda: [_jsonl([Dropped("classify", "why", "text", 1, "x").to_dict()])],
        lambda text: _jsonl([Dropped("classify", text, text).to_dict(), {"stage": text}]),
    ),
    "journal": Reader(_read_journal, lambda: [_journal()]),
}
