"""The reference of commands, read from the command line's parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from selfbehave.cli.main import command_parser

from .markdown import code, escaped, fenced

__all__ = ["markdown"]

_WIDTH = 88  # of a line of usage


def markdown() -> str:
    """Every command with its usage, arguments and options, from the help texts."""
    return "\n\n".join(
        part for depth, parser in _commands(command_parser(), 0) for part in _section(depth, parser)
    )


def _commands(
    parser: argparse.ArgumentParser, depth: int
) -> Iterator[tuple[int, argparse.ArgumentParser]]:
    """A parser and the parsers of its commands, in order."""
    yield depth, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _commands(command, depth + 1)


def _section(depth: int, parser: argparse.ArgumentParser) -> Iterator[str]:
    if depth:
        yield f"{'#' * (depth + 1)} {parser.prog}"
    if parser.description:
        yield escaped(_sentence(parser.description))
    formatter = argparse.HelpFormatter(prog=parser.prog, width=_WIDTH)
    formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
    yield fenced(formatter.format_help().rstrip(), "text")
    for action in parser._actions:
        if action.dest != "help" and not isinstance(action, argparse._SubParsersAction):
            yield _definition(parser, action)


def _definition(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    names = ", ".join(map(code, action.option_strings)) or code(str(action.metavar or action.dest))
    if action.option_strings and (value := _value(action)):
        names += f" {code(value)}"
    if action.nargs == "+":
        names += " …"
    if action.required and action.option_strings:
        names += " (required)"
    words = " ".join((action.help or "").split())
    if action.nargs != 0:  # a switch needs no default: it is off
        formatter = parser._get_formatter()
        words = " ".join(formatter._expand_help(action).split()) if words else ""
    sentences = [escaped(_sentence(words))] if words else []
    if action.choices:
        sentences.append(f"One of {', '.join(code(str(choice)) for choice in action.choices)}.")
    return f"{names}\n:   {' '.join(sentences)}"


def _value(action: argparse.Action) -> str:
    """The name of an option's value."""
    if action.metavar:
        return str(action.metavar)
    return "N" if action.type in (int, float) else ""


def _sentence(text: str) -> str:
    return text if text.endswith(".") else f"{text}."
