"""The command line: one module a command. It holds no logic of its own."""

from .main import entry_point

__all__ = ["entry_point"]
