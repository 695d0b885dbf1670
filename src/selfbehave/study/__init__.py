"""The study: people rate a sample of a dataset, and what they say is kept, compared and told."""
