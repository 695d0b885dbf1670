"""The study: people rate a sample of a dataset; their ratings are kept, compared and reported."""
