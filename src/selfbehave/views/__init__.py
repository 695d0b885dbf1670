"""What is told of a run while it goes, and the views that show it.

Stages and engines tell events (`events`), one way; a view makes of them a live picture on a
terminal (`live`), lines (`lines`), next to nothing (`quiet`) or JSON for machines (`machine`).
"""
