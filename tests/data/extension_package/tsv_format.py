from collections.abc import Iterator, Sequence

from selfbehave.runs.finished import FinishedRow


class TsvFormat:
    """A format of `selfbehave release`: its files go into the release's folder `tsv`."""

    description = "identifier, rung and domain of each row, as tab-separated values"

    def files(self, split: str, rows: Sequence[FinishedRow]) -> Iterator[tuple[str, str]]:
        lines = [f"{row.id}\t{row.rung}\t{row.domain}\n" for row in rows]
        yield f"{split}.tsv", "id\trung\tdomain\n" + "".join(lines)
