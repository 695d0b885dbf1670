"""A dataset to publish, made from finished runs: files that others can load, and a dataset card."""
