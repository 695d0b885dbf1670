"""Find near duplicates among millions of texts, with exactly the decisions of the novelty rule.

Texts are stored as blocks of numbers (`blocks`). To compare a block with the kept texts of an
earlier one, `prefix_search` looks them up in an index of rare tokens (`prefix_index`). The pure
functions in `deciding` decide which texts to keep; workers run them on a folder of blocks
(`sharding`) for the rows of data files (`dedupe_files`, `row_text`). `minhash` is an approximation,
used only on request.
"""
