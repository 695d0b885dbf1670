"""Near duplicates among millions of texts, exactly as the novelty rule finds them one by one.

Texts go by blocks of numbers (`blocks`). What a block is too similar to among the kept texts of an
earlier one is found by searching (`prefix_search`) an index of rare tokens (`prefix_index`) and
decided by pure functions (`deciding`), which workers run on a folder of blocks (`sharding`) for the
rows of data files (`files`, `data_rows`). `minhash` is an approximation, only where asked for.
"""
