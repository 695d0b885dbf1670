"""Views show the events of a run.

One draws a live picture on a terminal (`live`), one prints lines (`lines`), one prints almost
nothing (`quiet`), and one writes JSON for programs (`machine`).
"""
