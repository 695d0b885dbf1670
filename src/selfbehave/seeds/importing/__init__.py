"""Turn a user's own features into seed tasks.

The project is read, never imported or executed. The official Gherkin parser reads its scenarios;
its step functions are read from their syntax trees.
"""

from .left_out import REASONS, LeftOut
from .seed_tasks import Imported, ImportReport, import_features

__all__ = ["REASONS", "ImportReport", "Imported", "LeftOut", "import_features"]
