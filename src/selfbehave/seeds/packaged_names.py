"""The names of the packaged seed sets."""

from __future__ import annotations

PACKAGED_HIGH_QUALITY = "high_quality"
PACKAGED_MIXED_QUALITY = "mixed_quality"
PACKAGED = (PACKAGED_HIGH_QUALITY, PACKAGED_MIXED_QUALITY)
