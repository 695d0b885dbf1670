"""Where the published ratings are; tests that need them are skipped where they are not."""

import os
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

PUBLISHED = Path(
    os.environ.get("SELFBEHAVE_PUBLISHED", ROOT.parent / "shared" / "data" / "published")
)
needs_published = pytest.mark.skipif(
    not (PUBLISHED / "Annotation.xlsx").is_file(),
    reason=f"the published ratings are not at {PUBLISHED} (set SELFBEHAVE_PUBLISHED)",
)
