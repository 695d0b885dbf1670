"""Drawing: one palette and style, shared by the figures of studies and reports."""
