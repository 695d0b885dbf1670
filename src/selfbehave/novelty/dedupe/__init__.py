"""Near duplicates among millions of texts, exactly as the novelty rule finds them one by one.

Texts go by blocks of numbers (`blocks`). What a block is too similar to among the kept texts of an
earlier one is found through an index of rare tokens (`prefix_index`) and told by pure functions
(`deciding`), which workers run on a folder of blocks (`sharding`) for the rows of data files
(`files`, `rows`). `minhash` is an approximation, for who asks for it.
"""
