"""A dataset to publish, made of finished runs: files for others to load, and their card."""
