from collections.abc import Iterator, Mapping

from selfbehave import AuditedRow, Check, Detail, Fault


class PolitenessCheck(Check):
    """A check of `selfbehave audit`."""

    faults: Mapping[str, str] = {"impolite": "a scenario whose actors never say please"}

    def find(self, row: AuditedRow) -> Iterator[Fault]:
        if row.scenario is not None and "please" not in row.scenario.body.lower():
            title = row.scenario.body.strip().splitlines()[0]
            yield Fault("impolite", line=1, detail=Detail(words=title))
