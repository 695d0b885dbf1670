"""The study: people rate a sample of a dataset; the study keeps, compares and reports ratings."""
