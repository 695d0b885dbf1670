"""`selfbehave cluster`: the stages, the ladder and near-duplicate removal on a Ray cluster.

Only these commands import Ray, when they run.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..core.errors import EXIT_USAGE, SelfBehaveError
from ..core.extras import needs_extra
from ..core.rungs import RUNGS
from ..engines.settings import EngineSettings
from ..runs.run_settings import RunSettings
from ..stages.base import Stage
from ..stages.prepare import PREPARE
from .dedupe import add_dedupe_options, dedupe_files
from .options import settings_of
from .run import add_run_options, settings_of_added_stages
from .stage_commands import add_stage_options, folder_of, numbered_stages
from .watching import add_watching, watched

if TYPE_CHECKING:
    from ..cluster.batch_llm import BatchModel
    from ..cluster.connection import ClusterSettings
    from ..events.stage_report import StageReport
    from ..runs.pipeline import RunReport
    from ..views.display import Display

__all__ = ["add_cluster"]

Command = Callable[[argparse.Namespace], None]


def add_cluster(commands: Any) -> None:
    """Add the `cluster` commands."""
    text = "run the stages on a Ray cluster; the files are those of one machine"
    sub = commands.add_parser("cluster", help=text, description=text)
    actions = sub.add_subparsers(title="commands", metavar="COMMAND", required=True)
    run = actions.add_parser("run", help="all stages", description="all stages")
    run.set_defaults(command=_with_ray(_run))
    add_run_options(run)
    _add_shared_options(run)
    for help, stage in numbered_stages():
        if stage.is_sequential:
            continue  # its requests depend on answers, so they cannot be distributed
        action = actions.add_parser(stage.name, help=help, description=help)
        action.set_defaults(command=_with_ray(partial(_run_stage, stage)))
        add_stage_options(action, stage)
        if stage.asks_engine:
            _add_vllm_options(action)
        _add_shared_options(action)
    _add_ladder(actions)
    _add_dedupe(actions)


def _add_shared_options(parser: argparse.ArgumentParser) -> None:
    _add_store_option(parser)
    add_watching(parser)
    _add_cluster_options(parser)


def _add_dedupe(actions: Any) -> None:
    help = "remove near duplicates by ROUGE-L; all nodes must see the folder of --to"
    action = actions.add_parser("dedupe", help=help, description=help)
    action.set_defaults(command=_with_ray(_dedupe))
    add_dedupe_options(action, of_file=str)
    action.add_argument(
        "--work_dir",
        type=Path,
        metavar="DIR",
        help="for files at an address such as s3://…: a folder that all nodes see, where their "
        "copies are while the work goes on",
    )
    _add_cluster_options(action)


def _add_ladder(actions: Any) -> None:
    help = "check how far rows climb the ladder: JSON Lines or Parquet files of any number and size"
    action = actions.add_parser("ladder", help=help, description=help)
    action.set_defaults(command=_with_ray(_ladder))
    action.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="rows of instruction, input and output: a path, or an address such as s3://…; "
        "*.parquet or JSON Lines; * for several",
    )
    action.add_argument(
        "--to", required=True, metavar="DIR", help="a folder for the rows with their verdicts"
    )
    action.add_argument(
        "--top_rung",
        choices=RUNGS,
        default=RUNGS[-1],
        help="highest rung to check; above bound, generated code runs in the sandbox "
        "(default: %(default)s)",
    )
    action.add_argument(
        "--rows_per_part",
        type=int,
        default=200,
        help="rows of a part: what a worker takes at a time (default: %(default)s)",
    )
    action.add_argument(
        "--format", choices=("jsonl", "parquet"), default="jsonl", help="(default: %(default)s)"
    )
    _add_cluster_options(action)


def _add_store_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="ADDRESS",
        help="keep the run's folder at an address such as s3://… too: what is newer there is "
        "fetched before the work, what is newer here is stored after it",
    )


def _add_vllm_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--vllm",
        action="store_true",
        help="answer by Ray's LLM batch processor, with vLLM on the cluster's GPU nodes; --engine "
        "then names the model, a Hugging Face 'org/model' or a folder that all nodes see",
    )
    parser.add_argument(
        "--vllm_replicas",
        type=int,
        default=1,
        metavar="N",
        help="copies of the model (default: %(default)s)",
    )
    parser.add_argument(
        "--vllm_engine",
        type=json.loads,
        default={},
        metavar="JSON",
        help="arguments of vLLM's engine, such as '{\"tensor_parallel_size\": 2}'",
    )


def _add_cluster_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--address",
        help="of the Ray cluster, such as auto on one of its nodes (default: RAY_ADDRESS, or a "
        "cluster of this machine alone, started for this command)",
    )
    parser.add_argument("--workers", type=int, help="at a time (default: one for each core)")


def _with_ray(command: Command) -> Command:
    """Run the command with the environment variables that Ray reads when it is imported."""

    @wraps(command)
    def checked(options: argparse.Namespace) -> None:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # send no usage statistics
        is_local = not options.address and "RAY_ADDRESS" not in os.environ
        if is_local and "ray" not in sys.modules:
            # A cluster listens on the network, and anyone who can reach it can run code on it.
            os.environ.setdefault("RAY_AUTH_MODE", "token")
            os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        needs_extra("cluster")(command)(options)

    return checked


def _cluster_of(options: argparse.Namespace) -> ClusterSettings:
    from ..cluster.connection import ClusterSettings

    return ClusterSettings(address=options.address, workers=options.workers)


def _model_of(options: argparse.Namespace, engine: EngineSettings) -> BatchModel | None:
    from ..cluster.batch_llm import BatchModel

    if not options.vllm:
        return None
    return BatchModel(
        name=engine.engine,
        api="completions" if engine.api == "completions" else "chat",
        replicas=options.vllm_replicas,
        engine=options.vllm_engine,
    )


def _ladder(options: argparse.Namespace) -> None:
    from ..cluster.ladder_files import LadderSettings, climb_files

    settings = LadderSettings(
        top_rung=options.top_rung, rows_per_part=options.rows_per_part, format=options.format
    )
    outcome = climb_files(options.files, options.to, settings, _cluster_of(options))
    if outcome.lack:
        print(f"stopped at bound: {outcome.lack}", file=sys.stderr)
    before = f", {outcome.done_before:,} of them before" if outcome.done_before else ""
    print(f"{outcome.rows:,} rows in {outcome.parts:,} parts{before}: {outcome.folder}")
    for rung, count in outcome.reached.most_common():
        print(f"  {rung}: {count:,}")


def _dedupe(options: argparse.Namespace) -> None:
    from ..cluster.connection import connected
    from ..cluster.copies import copied
    from ..cluster.dedupe_workers import RayExecutor

    with (
        copied((options.files, options.pool), options.to, options.work_dir) as (read, to),
        connected(_cluster_of(options)) as workers,
    ):
        (options.files, options.pool), options.to = read, to
        dedupe_files(options, workers, executor=RayExecutor())


def _run(options: argparse.Namespace) -> None:
    from ..cluster import run_stages

    settings, engine = settings_of(RunSettings, options), settings_of(EngineSettings, options)
    added, cluster = settings_of_added_stages(options), _cluster_of(options)
    with _kept(options, "run", options.batch_dir) as (display, finish):
        finish(run_stages.run(options.batch_dir, settings, engine, cluster, display, added))


def _run_stage(stage: Stage[Any], options: argparse.Namespace) -> None:
    from ..cluster import run_stages

    settings, engine = settings_of(stage.settings, options), settings_of(EngineSettings, options)
    model = _model_of(options, engine) if stage.asks_engine else None
    folder, cluster = folder_of(stage, settings, options), _cluster_of(options)
    if stage is PREPARE and options.store:
        _check_is_within(folder, settings.output_dir)
    with _kept(options, stage.name, folder) as (display, finish):
        finish(run_stages.run_stage(stage, settings, folder, engine, cluster, display, model))


def _check_is_within(folder: Path, output_dir: str) -> None:
    if not Path(output_dir).absolute().is_relative_to(folder.absolute()):
        raise SelfBehaveError(
            "--store keeps the folder of --instance_files, and --output_dir is outside of it",
            where=output_dir,
            mend=f"give an --output_dir in {folder}",
            exit_code=EXIT_USAGE,
        )


@contextmanager
def _kept(
    options: argparse.Namespace, stage: str, folder: Path
) -> Iterator[tuple[Display, Callable[[RunReport | StageReport], None]]]:
    """Run a stage with a display, and copy its folder to the store that the user gave."""
    from ..cluster.folder_store import kept_in

    with (
        watched(f"cluster {stage}", options) as (display, finish),
        kept_in(options.store, folder, display.say),
    ):
        yield display, finish
