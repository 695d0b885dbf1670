"""`CITATION.cff`: how to cite a release, by the Citation File Format 1.2.0."""

from __future__ import annotations

from typing import Any

import yaml

from .description import Description

__all__ = ["citation"]

_SELF_INSTRUCT = {
    "type": "article",
    "title": "Self-Instruct: Aligning Language Models with Self-Generated Instructions",
    "authors": [
        {"family-names": family, "given-names": given}
        for given, family in (
            ("Yizhong", "Wang"),
            ("Yeganeh", "Kordi"),
            ("Swaroop", "Mishra"),
            ("Alisa", "Liu"),
            ("Noah A.", "Smith"),
            ("Daniel", "Khashabi"),
            ("Hannaneh", "Hajishirzi"),
        )
    ],
    "identifiers": [{"type": "other", "value": "arXiv:2212.10560"}],
    "year": 2022,
}


def citation(description: Description) -> str:
    """The file's text."""
    fields: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it as below.",
        "type": "dataset",
        "title": description.name,
        "abstract": description.summary,
        "version": description.version,
        "authors": [{"name": name} for name in description.authors],
        "keywords": list(description.tags),
    }
    if description.date is not None:
        fields["date-released"] = description.date
    if description.url is not None:
        fields["url"] = description.url
    fields["references"] = [_SELF_INSTRUCT]
    text: str = yaml.safe_dump(fields, sort_keys=False, allow_unicode=True, width=100)
    return text
