"""Runs scenarios and their step functions by real behave, in a sandbox of bubblewrap only."""

from .runner import Limits, Outcome, missing, require, run_pair

__all__ = ["Limits", "Outcome", "missing", "require", "run_pair"]
