"""The dataset card: a release's content, how it was made, its quality, and its limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from huggingface_hub import DatasetCardData

from ..bdd.fences import fence
from ..novelty.rule import THRESHOLD
from ..novelty.shared_runs import RUN_WORDS
from ..pages.rendering import templates_of
from ..runs.finished import FinishedRow, FinishedRun
from ..runs.rungs_reached import rung_shares
from . import quality
from .description import Checks, Description, SeedsUsed
from .formats import FORMATS
from .left_out import REASONS
from .overlaps import OVERLAPS_FILE, counted
from .row_records import FORMS, columns_of
from .training_forms import TRAINING_FORMS, FormRows

__all__ = ["card", "size_category"]

# The Hub's size categories: the first bound that is above the number of rows.
_SIZES = (
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
)
_FOLDERS = {"default": "data"}  # of configurations, if it is not their name
_MOST_OVERLAPS = 500  # named in the card; their file names all
_TABLE_MARKS = str.maketrans({"|": "\\|", "\n": " ", "<": "&lt;"})
# Settings to omit, such as paths and addresses of the author's machine.
_NOT_SHOWN = frozenset(
    "base_url engine input_file output_file instance_files output_dir classification_type_files "
    "seed_tasks_path seed_tasks_sha256 stories".split()
)


def card(
    description: Description,
    runs: Sequence[FinishedRun],
    seeds: Sequence[SeedsUsed],
    rows: Sequence[FinishedRow],
    checks: Checks,
    checksums: Mapping[str, str],
    forms: Sequence[FormRows] = (),
) -> str:
    """The card as Markdown, with the Hub's YAML header.

    Args:
        checksums: the checksums of the files of the card's configurations, by path.
        forms: those that are made of attempts.
    """
    environment = templates_of(__package__, is_html=False)
    environment.filters["cell"] = lambda value: str(value).translate(_TABLE_MARKS)
    body = environment.get_template("card.md").render(
        about=description,
        runs=runs,
        seeds=seeds,
        checks=checks,
        rows=rows,
        columns=[(name, _type_name(type), meaning) for name, type, meaning in columns_of(rows)],
        forms=[(TRAINING_FORMS[one.name], one) for one in forms],
        reasons=REASONS,
        added_formats=[(name, FORMATS[name].description) for name in FORMATS.added()],
        by_run=Counter(row.run for row in rows),
        engines=_engines(rows),
        settings=[(run.name, _settings_shown(run.settings)) for run in runs],
        rungs=rung_shares(rows),
        by_people=quality.criteria_shares(rows, automatic=False),
        by_rules=quality.criteria_shares(rows, automatic=True),
        novelty=quality.novelty(rows),
        faults=quality.most_faults(rows),
        poor_practice=quality.poor_practice(rows),
        domains=Counter(row.domain for row in rows if row.domain is not None).most_common(),
        threshold=THRESHOLD,
        run_words=RUN_WORDS,
        overlaps_file=OVERLAPS_FILE,
        overlaps_by_reason=counted(checks.overlaps),
        most_overlaps=_MOST_OVERLAPS,
        version=version("selfbehave"),
        fence=fence,
        uses_gemma=any(row.engine and "gemma" in row.engine.lower() for row in rows),
        example=next((row for row in rows if row.scenario and row.step_functions), None),
    )
    return f"---\n{_hub_metadata(description, checksums, forms)}\n---\n\n{body}"


def size_category(rows: int) -> str:
    """The Hub's category of a number of rows."""
    return next((name for bound, name in _SIZES if rows < bound), "1M<n<10M")


def _engines(rows: Sequence[FinishedRow]) -> dict[str, int]:
    """The number of rows that each model wrote, the highest first."""
    return dict(Counter(row.engine or "unknown" for row in rows).most_common())


def _hub_metadata(
    description: Description, checksums: Mapping[str, str], forms: Sequence[FormRows]
) -> str:
    # The number of rows by split, of each configuration; their files are in folders of their names.
    sizes = dict.fromkeys(("default", *FORMS), description.sizes)
    sizes |= {one.name: one.sizes for one in forms if one.by_split}
    files = {
        form: {split: f"{_FOLDERS.get(form, form)}/{split}.parquet" for split in of_form}
        for form, of_form in sizes.items()
    }
    configs: list[dict[str, Any]] = [
        {
            "config_name": form,
            **({"default": True} if form == "default" else {}),
            "data_files": [{"split": split, "path": path} for split, path in by_split.items()],
        }
        for form, by_split in files.items()
    ]
    # `datasets` caches a folder by its name and this metadata, not by its files. Without the
    # checksums, it would return the rows of an earlier release with the same name.
    infos = [
        {
            "config_name": form,
            "splits": [
                {"name": split, "num_examples": size} for split, size in sizes[form].items()
            ],
            "download_checksums": {
                path: {"checksum": checksums[path]} for path in by_split.values()
            },
        }
        for form, by_split in files.items()
    ]
    data = DatasetCardData(
        pretty_name=description.name,
        license=description.licence,
        language=list(description.languages),
        size_categories=[size_category(sum(description.sizes.values()))],
        task_categories=["text-generation"],
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        multilinguality=["monolingual" if len(description.languages) == 1 else "multilingual"],
        tags=[*description.tags, "croissant"],
        configs=configs,
        dataset_info=infos,
    )
    text: str = data.to_yaml()
    return text.strip()


def _settings_shown(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each stage's settings on one line, without those at their defaults."""
    lines = []
    for stage, values in settings.items():
        if isinstance(values, dict):
            pairs = [
                f"{name} = {value}"
                for name, value in values.items()
                if name not in _NOT_SHOWN and value != "default"
            ]
            if pairs:
                lines.append((stage, ", ".join(pairs)))
    return lines


def _type_name(type: Any) -> str:
    return str(type).replace("list<element: ", "list<").replace("list<item: ", "list<")
