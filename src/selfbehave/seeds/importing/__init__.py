"""A user's own features as seed tasks.

The project is read, never imported or executed: its scenarios by the official Gherkin parser, its
step functions from their syntax trees.
"""

from .left_out import REASONS, LeftOut
from .seed_tasks import Imported, ImportReport, import_features

__all__ = ["REASONS", "ImportReport", "Imported", "LeftOut", "import_features"]
