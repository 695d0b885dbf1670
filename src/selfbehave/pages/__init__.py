"""HTML pages that open from disk: one frame, style and table for all reports."""
