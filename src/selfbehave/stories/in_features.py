"""Stories in feature files: the description of a feature, and its rules as criteria."""

from __future__ import annotations

from ..bdd.faults import sentence
from ..bdd.scenario import ScenarioError, parse_document
from ..core.errors import SelfBehaveError
from .story import Story, made_story
from .texts import parted

__all__ = ["stories_in_feature"]

_LARGEST = 200_000  # characters: behave takes seconds for more


def stories_in_feature(text: str, file: str) -> list[Story]:
    """The one story of a feature file; the scenarios that it has already are not read.

    Raises:
        SelfBehaveError: it is no feature, or its story is too long.
    """
    if len(text) > _LARGEST:
        raise SelfBehaveError(
            f"a feature of more than {_LARGEST:,} characters",
            where=file,
            mend="give a file with its description alone",
        )
    try:
        feature = parse_document(text)["feature"]
    except ScenarioError as error:
        line = error.fault.line or 1
        raise SelfBehaveError(
            sentence(error.fault), where=f"{file}:{line}", mend="give a file that behave can read"
        ) from error
    told, criteria = parted(feature["description"].splitlines())
    rules = (child["rule"] for child in feature["children"] if "rule" in child)
    said = [" ".join(f"{rule['name']} {rule['description']}".split()) for rule in rules]
    line = feature["location"]["line"]
    return [made_story(file, "line", line, "", feature["name"], told, (*criteria, *said), line)]
