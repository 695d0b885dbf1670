"""The novelty rule and its pool; `dedupe` applies the same rule to millions of texts."""
