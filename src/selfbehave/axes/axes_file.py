"""Read a table of axes from TOML; see docs/how-to/axes.md."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from ..core.errors import SelfBehaveError
from .formulas import Formula, FormulaError, Value, parse_formula
from .table import AXIS_NAMES, DIFFICULTIES, Axes, Feature, Kind, Outcome, Setting, without_excluded
from .values import NoValuesError, draw_rows, draw_values

__all__ = ["NONE", "PACKAGED", "axes_named", "packaged_axes", "parse_axes", "read_axes"]

# What settings name instead of a file. A file extends the first to keep its systems and kinds.
PACKAGED, NONE = "packaged", "none"

_PACKAGED_FILE = Path(__file__).with_name("packaged.toml")
_LARGEST = 1_000_000  # bytes of a file
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PATH = re.compile(r"[a-z][a-z0-9_.]*")
_BRACES = re.compile(r"\{([^{}]*)\}")
_TOP = ("extends", "systems", "weights", "kinds")
_TABLES = ("given", "when", "then", "values", "outcomes")
_LISTS = ("words", "settings", "groups", "features", "table", "says")
_TEXTS = ("name", "rule", "difficulty", "doc_string", "in_words")
_NEEDED = ("name", "rule", *_TABLES)
_HOLDS = "holds"


@cache
def packaged_axes() -> Axes:
    """The table that comes with the package."""
    return parse_axes(_PACKAGED_FILE.read_text(encoding="utf-8"), str(_PACKAGED_FILE))


def axes_named(choice: str) -> Axes | None:
    """The table that a setting names: the packaged one, that of a file, or None for "none".

    Raises:
        SelfBehaveError: as `read_axes`.
    """
    if choice == NONE:
        return None
    return packaged_axes() if choice == PACKAGED else read_axes(choice)


def read_axes(file: str | Path) -> Axes:
    """The table of axes in a file.

    Raises:
        SelfBehaveError: the file cannot be read, or something in it is wrong: one line, with the
            file's line.
    """
    path = Path(file)
    try:
        if path.stat().st_size > _LARGEST:
            raise SelfBehaveError(f"a table of axes of more than {_LARGEST:,} bytes", where=path)
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SelfBehaveError(f"cannot be read: {error.strerror}", where=path) from error
    except UnicodeDecodeError as error:
        raise SelfBehaveError("is not UTF-8", where=path) from error
    return parse_axes(text, str(path))


def parse_axes(text: str, where: str) -> Axes:
    """The table of axes in a text.

    Args:
        where: the file's name, for messages.

    Raises:
        SelfBehaveError: something in it is wrong.
    """
    try:
        found = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), .*\)", str(error))
        line = at[1] if at else str(text.count("\n") + 1)
        what = re.sub(r" \(at .*\)", "", str(error))
        raise SelfBehaveError(f"is not TOML: {what}", where=f"{where}:{line}") from error
    return _Reader(text, where, found).axes()


@dataclass(frozen=True)
class _Reader:
    text: str
    where: str
    found: Mapping[str, Any]

    def axes(self) -> Axes:
        self._known((), self.found, _TOP)
        extends = self.found.get("extends", "")
        if extends not in ("", PACKAGED):
            self._fail(f"extends {extends!r}: only {PACKAGED!r} can be extended", "extends")
        base = packaged_axes() if extends else Axes({}, (), {})
        group_of = {**base.group_of, **self._systems()}
        kinds = {kind.name: kind for kind in base.kinds}
        own: set[str] = set()
        listed = self.found.get("kinds", [])
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            self._fail("kinds are written as [[kinds]]", "kinds")
        for at, entry in enumerate(listed):
            kind = _KindReader(self, at, entry).kind(group_of)
            if kind.name in own:
                self._fail(f"there are two kinds {kind.name!r}", "name", kind=at)
            own.add(kind.name)
            kinds[kind.name] = kind
        axes = Axes(group_of, tuple(kinds.values()), {})
        weights = self._weights(axes)
        merged = {
            axis: {**base.weights.get(axis, {}), **weights.get(axis, {})} for axis in AXIS_NAMES
        }
        sha256 = hashlib.sha256((self.text + base.sha256).encode()).hexdigest()
        axes = without_excluded(Axes(group_of, tuple(kinds.values()), merged, sha256))
        if not axes.kinds:
            what = "no kind of rule has a system, an outcome and a feature of a weight above 0"
            self._fail(what, "weights" if weights else "kinds")
        return axes

    def _systems(self) -> dict[str, str]:
        groups = self.found.get("systems", {})
        if not isinstance(groups, dict):
            self._fail("systems are lists by group", "systems")
        group_of: dict[str, str] = {}
        for group, systems in groups.items():
            for system in self._texts(systems, group):
                if system in group_of:
                    self._fail(f"the system {system!r} stands twice", group)
                if not system.strip() or ":" in system:
                    self._fail(f"{system!r} is no name of a system", group)
                group_of[system] = group
        return group_of

    def _weights(self, axes: Axes) -> dict[str, dict[str, float]]:
        weights = self.found.get("weights", {})
        if not isinstance(weights, dict):
            self._fail("weights are tables such as [weights.feature]", "weights")
        self._known(("weights",), weights, AXIS_NAMES)
        for axis, of_values in weights.items():
            if not isinstance(of_values, dict):
                self._fail(f"weights of {axis} are a table [weights.{axis}]", axis)
            there = {*axes.values_of(axis)} | ({*Feature} if axis == "feature" else set())
            for value, weight in of_values.items():
                if value not in there:
                    self._fail(f"a weight for {value!r}, which is no {axis}", value)
                is_number = isinstance(weight, int | float) and not isinstance(weight, bool)
                if not is_number or not 0 <= weight <= 1_000:
                    self._fail(f"the weight {weight!r} is no number from 0 to 1,000", value)
        return weights

    def _texts(self, value: Any, key: str, kind: int | None = None) -> list[str]:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self._fail(f"{key} is a list of texts", key, kind=kind)
        return value

    def _known(
        self,
        path: Sequence[str],
        there: Iterable[str],
        known: Iterable[str],
        kind: int | None = None,
    ) -> None:
        allowed = list(known)
        for key in there:
            if key not in allowed:
                place = f" in {'.'.join(path)}" if path else ""
                mend = f"there are {', '.join(allowed)}"
                self._fail(f"{key!r} is unknown{place}", key, kind=kind, mend=mend)

    def _fail(
        self, what: str, key: str, *, kind: int | None = None, mend: str | None = None
    ) -> NoReturn:
        line = _line_of(self.text, key, kind)
        raise SelfBehaveError(what, where=f"{self.where}:{line}", mend=mend)


@dataclass(frozen=True)
class _KindReader:
    """Reads one of the tables under [[kinds]]."""

    reader: _Reader
    at: int
    entry: Mapping[str, Any]

    def kind(self, group_of: Mapping[str, str]) -> Kind:
        entry = self.entry
        self.reader._known((), entry, (*_TEXTS, *_TABLES, *_LISTS), self.at)
        for key in _NEEDED:
            if key not in entry:
                self._fail(f"the kind lacks {key}", key)
        for key in _TEXTS:
            if not isinstance(entry.get(key, ""), str):
                self._fail(f"{key} is a text", key)
        for key in _TABLES:
            if not isinstance(entry[key], dict) or not entry[key]:
                self._fail(f"{key} is a table with at least one entry", key)
        if not _NAME.fullmatch(entry["name"]):
            self._fail(f"{entry['name']!r} is no name: small letters, digits and _", "name")
        difficulty = entry.get("difficulty", DIFFICULTIES[0])
        if difficulty not in DIFFICULTIES:
            self._fail(f"difficulty is one of {', '.join(DIFFICULTIES)}", "difficulty")
        words = self._list("words")
        kind = Kind(
            name=entry["name"],
            rule=entry["rule"],
            difficulty=difficulty,
            settings=self._settings(group_of, words),
            given=self._names("given"),
            when=self._names("when"),
            then=self._names("then"),
            values=self._formulas(entry["values"], "values"),
            outcomes=tuple(self._outcomes()),
            features=self._features(),
            table=tuple(self._list("table")),
            doc_string=entry.get("doc_string", ""),
            says=tuple(self._list("says")),
            in_words=entry.get("in_words", ""),
        )
        self._check(kind, words)
        return kind

    def _settings(self, group_of: Mapping[str, str], words: Sequence[str]) -> tuple[Setting, ...]:
        settings: dict[str, Setting] = {}
        for group in self._list("groups"):
            systems = [system for system, of in group_of.items() if of == group]
            if not systems:
                self._fail(f"no group {group!r}", "groups")
            if words:
                self._fail("a kind of whole groups has no words: give it settings", "words")
            settings |= {system: Setting(system, {}) for system in systems}
        for text in self._list("settings"):
            system, _, after = text.partition(":")
            given = [word.strip() for word in after.split(",")] if after else []
            if system not in group_of:
                mend = "put it into a group under [systems]"
                self._fail(f"no system {system!r}", f'"{text}"', mend=mend)
            if len(given) != len(words) or not all(given):
                wanted = ", ".join(words) or "no words"
                self._fail(f"{text!r} needs after its colon: {wanted}", f'"{text}"')
            settings[system] = Setting(system, dict(zip(words, given, strict=True)))
        if not settings:
            self._fail("the kind has neither settings nor groups", "name")
        return tuple(settings.values())

    def _names(self, key: str) -> dict[str, str]:
        for variable, name in self.entry[key].items():
            if not _NAME.fullmatch(variable) or not isinstance(name, str) or not name.strip():
                self._fail(f"{key} has the full name of a quantity by its name", variable)
        return dict(self.entry[key])

    def _formulas(self, entries: Mapping[str, Any], place: str) -> dict[str, Formula]:
        return {name: self._formula(text, name, place) for name, text in entries.items()}

    def _formula(self, text: Any, name: str, place: str) -> Formula:
        if not isinstance(text, str | int) or isinstance(text, bool):
            self._fail(f"{place}.{name} is a formula in quotes", f"{place}.{name}")
        try:
            return parse_formula(str(text))
        except FormulaError as error:
            self._fail(f"{place}.{name}: {error}", f"{place}.{name}")

    def _outcomes(self) -> Iterable[Outcome]:
        for name, entries in self.entry["outcomes"].items():
            if not _NAME.fullmatch(name) or not isinstance(entries, dict):
                self._fail(f"outcomes.{name} is a table of formulas", name)
            formulas = self._formulas(entries, f"outcomes.{name}")
            yield Outcome(name, formulas, formulas.pop(_HOLDS, None))

    def _features(self) -> tuple[Feature, ...]:
        entry = self.entry
        suits = [Feature.PLAIN, Feature.BACKGROUND, Feature.RULE]
        if entry.get("table"):
            suits.append(Feature.TABLE)
        elif not entry.get("doc_string"):
            suits.append(Feature.OUTLINE)
        if entry.get("doc_string"):
            suits.append(Feature.DOC_STRING)
        if "features" not in entry:
            return tuple(suits)
        for name in self._list("features"):
            if name not in [*suits]:
                there = ", ".join(suits)
                self._fail(f"the feature {name!r} does not suit the kind; there are {there}", name)
        return tuple(Feature(name) for name in self._list("features"))

    def _check(self, kind: Kind, words: Sequence[str]) -> None:
        """What no single entry shows: each name is known, and the outcome follows."""
        stated = [*kind.given, *kind.when, *kind.then]
        if twice := next((name for name in stated if stated.count(name) > 1), None):
            # A state that changes has a name before and another after.
            self._fail(f"{twice!r} stands in two of given, when and then", twice)
        for name in stated:
            if name not in kind.values:
                self._fail(f"values has no formula for {name!r}", name)
        own = {*kind.values, *words}
        for outcome in kind.outcomes:
            known = own | {*outcome.values}
            formulas = [*kind.values.values(), *outcome.values.values()]
            formulas += [outcome.holds] if outcome.holds else []
            for formula in formulas:
                for unknown in sorted(formula.names - known):
                    self._fail(f"{formula.text!r}: nothing is called {unknown!r}", unknown)
            if outcome.holds is not None and outcome.holds.draws:
                self._fail(f"outcomes.{outcome.name}: what must hold is not drawn", _HOLDS)
        seen = {*kind.given, *kind.when, *words}
        for name in kind.then:
            if kind.values[name].draws:
                self._fail(f"the outcome {name!r} is drawn, and does not follow", f"values.{name}")
            for hidden in sorted(kind.values[name].names - seen):
                what = f"the outcome {name!r} follows from {hidden!r}, which no step states"
                self._fail(what, f"values.{name}")
        texts = [kind.rule, *kind.given.values(), *kind.when.values(), *kind.then.values()]
        for text in texts:
            for word in _BRACES.findall(text):
                if word not in words and word not in kind.values:
                    self._fail(f"{text!r}: {word!r} is none of the words", word)
        if kind.doc_string and kind.doc_string not in stated:
            self._fail(f"doc_string {kind.doc_string!r} is no quantity of a step", "doc_string")
        if kind.table:
            named = [name for name in kind.given.values() if '"' in name]
            if len(kind.table) < 2 or not named or len(named) % (len(kind.table) - 1):
                what = "the table needs a head for the names and one for each quantity of a row"
                self._fail(what, "table")
        self._try(kind)

    def _try(self, kind: Kind) -> None:
        """Draw values once for each outcome: what has none would end a run."""
        setting = kind.settings[0]
        drawn: dict[str, dict[str, Value]] = {}
        for outcome in kind.outcomes:
            try:
                drawn[outcome.name] = draw_values(kind, outcome, setting, "check")
            except NoValuesError as error:
                self._fail(f"outcomes.{outcome.name}: {error}", f"outcomes.{outcome.name}")
        if Feature.OUTLINE not in kind.features:
            return
        for outcome in kind.outcomes:
            try:
                draw_rows(kind, outcome, setting, drawn[outcome.name], "check")
            except NoValuesError as error:
                mend = "let the values of When depend on the Given, or list other features"
                key = f"outcomes.{outcome.name}"
                self._fail(f"{key}: an outline has {error}", key, mend=mend)

    def _list(self, key: str) -> list[str]:
        return self.reader._texts(self.entry.get(key, []), key, self.at)

    def _fail(self, what: str, key: str, mend: str | None = None) -> NoReturn:
        name = self.entry.get("name")
        kind = f"kind {name!r}: " if isinstance(name, str) and name else ""
        self.reader._fail(kind + what, key, kind=self.at, mend=mend)


def _line_of(text: str, key: str, kind: int | None) -> int:
    """The line where a key stands, such as `name` or `values.name`.

    Args:
        kind: the place of the kind in whose table the key stands; None for the rest of the file.
    """
    lines = text.splitlines()
    first, end = 0, len(lines)
    if kind is not None:
        heads = [at for at, line in enumerate(lines) if re.match(r"\s*\[\[\s*kinds\s*\]\]", line)]
        if kind < len(heads):
            first = heads[kind]
            end = heads[kind + 1] if kind + 1 < len(heads) else len(lines)
    found = first
    for part in key.split(".") if _PATH.fullmatch(key) else [key]:
        as_key = re.compile(rf'(?:^|[\s.{{,\["]){re.escape(part)}"?\s*(?:=|\]|\.)')
        for pattern in (as_key, re.compile(re.escape(part))):
            at = next((at for at in range(found, end) if pattern.search(lines[at])), None)
            if at is not None:
                found = at
                break
    return found + 1
