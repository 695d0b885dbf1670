"""The rating pages: what raters, the consensus rater and the study's owner see in a browser."""
