"""Statistics that reports and studies share: estimates with intervals, and the domains of texts."""
