"""Croissant metadata: a description of the files, so that tools can find and load the dataset.

It follows the Croissant format specification 1.0 of MLCommons (JSON-LD on schema.org's Dataset)
and uses the context of the specification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from ..runs.finished import FinishedRow
from .description import Description
from .row_records import columns_of

__all__ = ["croissant"]

_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_TYPES = {
    pa.string(): "sc:Text",
    pa.bool_(): "sc:Boolean",
    pa.float64(): "sc:Float",
    pa.int64(): "sc:Integer",
}
_FORMATS = {".parquet": "application/x-parquet", ".jsonl": "application/jsonlines"}


def croissant(
    description: Description, rows: Sequence[FinishedRow], checksums: Mapping[str, str]
) -> dict[str, Any]:
    """The metadata of a release.

    Args:
        rows: of all splits, which have the same columns.
        checksums: the SHA-256 of each data file, by its path in the release.
    """
    metadata: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": description.name,
        "description": description.summary,
        "license": description.licence,
        "version": description.version,
        "creator": [{"@type": "sc:Organization", "name": one} for one in description.authors],
        "inLanguage": list(description.languages),
        "keywords": list(description.tags),
        "citeAs": description.bibtex,
        "isLiveDataset": False,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path,
                "name": path,
                "contentUrl": path,
                "encodingFormat": _FORMATS[path[path.rindex(".") :]],
                "sha256": checksum,
            }
            for path, checksum in checksums.items()
        ],
        "recordSet": [
            _records(split, f"data/{split}.parquet", rows) for split in description.sizes
        ],
    }
    if description.date is not None:
        metadata["datePublished"] = description.date
    return metadata


def _records(split: str, path: str, rows: Sequence[FinishedRow]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The rows of the {split} split.",
        "key": {"@id": f"{split}/id"},
        "field": [_field(split, path, *column) for column in columns_of(rows)],
    }


def _field(split: str, path: str, name: str, type: pa.DataType, meaning: str) -> dict[str, Any]:
    is_list = pa.types.is_list(type)
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{split}/{name}",
        "name": name,
        "description": meaning,
        "dataType": _TYPES[type.value_type if is_list else type],
        "source": {"fileObject": {"@id": path}, "extract": {"column": name}},
    }
    if is_list:
        field["repeated"] = True
    return field
