"""The base of all other packages: errors, records, files, locks. It imports none of them."""
