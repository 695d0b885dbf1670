"""The study: people rate a sample of what was generated; how they agree, and what follows."""
