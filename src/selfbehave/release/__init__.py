"""A dataset to publish, made of finished runs: files others can load, and a card that tells all."""
