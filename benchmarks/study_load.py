"""Fifty raters at a time on a study's pages: how long it takes to save a rating, and is any lost?

Each rater opens a scenario's page, gives an answer to each of its questions after a pause, and goes
on to the next, as the page's script does. The raters are a process of their own, and so is the
server: `selfbehave study serve` as it is, on the loopback device. A rating counts from the request
to the answer that says it is kept; afterwards each of these must be in the study. The pauses are
shorter than people's; what the server keeps up with at most is measured without any.

Run as a process, `python -m benchmarks.study_load SECONDS PAUSE` with links on its standard
input, it is the raters.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from selfbehave.study.rater_answers import QUESTIONS
from selfbehave.study.sampling import draw, read_dataset
from selfbehave.study.store import RATER, Study

from .tables import Table

RATERS = 50
SIZE = 286  # scenarios of each of two datasets: Yamane's sample of 1,000
PAUSE = 1.0  # mean seconds before an answer, exponentially distributed
SHORT, FULL = 30, 600  # seconds
MOST = 100.0  # milliseconds that the 99th of 100 ratings may take


def main(options: list[str]) -> None:
    """Measure for half a minute; for ten with `--full`."""
    seconds = FULL if "--full" in options else SHORT
    table = Table(
        f"{RATERS} raters at once, a rating each, milliseconds",
        "pause", "seconds", "ratings", "a second", "median", "p95", "p99", "longest", "lost",
        "page p99",
    )  # fmt: skip
    for pause, length in ((PAUSE, seconds), (0.0, min(seconds, 60) // 2)):
        with tempfile.TemporaryDirectory() as folder:
            told = _measured(Path(folder) / "load.study", length, pause)
        ratings, pages = sorted(told.ratings), sorted(told.pages)
        table.row(
            f"{pause:g} s", length, len(ratings), f"{len(ratings) / length:.0f}",
            *(f"{_share(ratings, share):.1f}" for share in (0.5, 0.95, 0.99, 1.0)),
            told.lost, f"{_share(pages, 0.99):.1f}",
        )  # fmt: skip
        if pause:
            verdict = _share(ratings, 0.99) <= MOST and not told.lost and not told.failed
    table.print()
    print(f"  p99 at most {MOST:.0f} ms and none lost: {'yes' if verdict else 'NO'}")


@dataclass
class Told:
    """What raters saw: milliseconds of each request, and the answers that they were told of."""

    ratings: list[float] = field(default_factory=list)
    pages: list[float] = field(default_factory=list)
    failed: int = 0
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    lost: int = 0


def _measured(path: Path, seconds: int, pause: float) -> Told:
    samples = [
        draw(name, str(source), rows, size=min(SIZE, len(rows)))
        for name, source, rows in map(read_dataset, ("high_quality", "mixed_quality"))
    ]
    names = [f"rater{number}" for number in range(RATERS)]
    with Study.create(path, samples, raters=names) as study:
        tokens = {rater.token: rater for rater in study.raters() if rater.role == RATER}
    command = [sys.executable, "-m", "selfbehave", "study", "serve", str(path), "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        links = []
        for line in server.stdout:
            if line.startswith("serving at"):
                break
            links.append(line.split()[-1])
        ours = [link for link in links if link.split("/")[-2] in tokens]
        raters = subprocess.run(
            [sys.executable, "-m", __name__, str(seconds), str(pause)],
            input="\n".join(ours), stdout=subprocess.PIPE, text=True, check=True,
        )  # fmt: skip
    finally:
        server.kill()  # as a power cut would: what was told as kept is there
        server.wait()
    told = Told(**json.loads(raters.stdout))
    with Study.open(path) as study:
        for token, rater in tokens.items():
            order, answers = study.order(rater), study.answers(rater)
            for place, value in told.kept.get(token, {}).items():
                position, _, question = place.partition(" ")
                told.lost += answers.get(order[int(position) - 1], {}).get(question) != value
    return told


def _share(sorted_values: list[float], share: float) -> float:
    return sorted_values[min(len(sorted_values) - 1, int(share * len(sorted_values)))]


async def _rate_all(links: list[str], seconds: float, pause: float) -> Told:
    told = Told()
    until = time.monotonic() + seconds
    await asyncio.gather(*(_rate(link, until, pause, told) for link in links))
    return told


async def _rate(link: str, until: float, pause: float, told: Told) -> None:
    """One rater, who begins at a moment of their own."""
    address = urlsplit(link)
    token = link.split("/")[-2]
    chance = random.Random(token)
    connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
    head = f"Host: {address.netloc}\r\nAccept: "

    async def ask(request: str, kind: str, body: str = "") -> tuple[int, str, float]:
        nonlocal connection
        began = time.perf_counter()
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        while True:
            connection = connection or await asyncio.open_connection(address.hostname, address.port)
            reader, writer = connection
            try:
                writer.write(f"{request} HTTP/1.1\r\n{head}{kind}\r\n{length}\r\n{body}".encode())
                answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                break
            except (asyncio.IncompleteReadError, ConnectionError):
                connection = None  # closed after a long pause: as browsers do, once more
        size = int(answer.partition("content-length:")[2].split("\r\n", 1)[0])
        content = (await reader.readexactly(size)).decode()
        return int(answer.split()[1]), content, 1000 * (time.perf_counter() - began)

    await asyncio.sleep(chance.uniform(0, pause))
    for position in range(1, 10_000):
        path = f"{address.path}{position}"
        status, page, taken = await ask(f"GET {path}", "text/html")
        csrf = re.search(r'name="csrf" value="([^"]+)"', page)
        if status != 200 or csrf is None:
            break  # behind the last scenario
        told.pages.append(taken)
        for question in QUESTIONS:
            await asyncio.sleep(chance.expovariate(1 / pause) if pause else 0)
            if time.monotonic() > until:
                return
            value = chance.choice(("yes", "no"))
            form = urlencode({question: value, "csrf": csrf[1]})
            status, content, taken = await ask(f"POST {path}", "application/json", form)
            told.ratings.append(taken)
            if status == 200 and json.loads(content)["answers"][question] == value:
                told.kept.setdefault(token, {})[f"{position} {question}"] = value
            else:
                told.failed += 1


if __name__ == "__main__":
    given = sys.stdin.read().split()
    seen = asyncio.run(_rate_all(given, float(sys.argv[1]), float(sys.argv[2])))
    print(json.dumps(asdict(seen)))
