"""The scripted server with files and batches, as OpenAI's Batch API has them, and with faults.

Run it as a process: `python tests/helpers/batch_server.py --log FILE --folder FOLDER
[--faults JSON]`. Files are on disk. A batch is answered, and paid for, the moment it begins; its
status goes on with each look at it. The log has a line for each request that was paid for: a digest
of its body.

Faults, by name:
    down: steps ("upload", "begin", "begun", "look", "list", "content") that answer 503 once;
        "begun" does so after the batch has begun.
    hang: a step that never answers; "uploaded" and "begun" hang after they took effect.
    failing: every so many lines fails. expiring, cancelled: the second half has no answer.
    refused: the batch fails as a whole. in_flight: a batch stays so until the file "go" exists.
    no_batches: there are no such endpoints.
    strangers: lines of others, repeated and broken ones. no_list: batches cannot be listed.
    together: batches look as Together shows them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections import Counter
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

if __package__:
    from .scripted_server import Handler, answer
else:
    from scripted_server import Handler, answer  # type: ignore[no-redef]

STATUSES = ["validating", "in_progress", "finalizing"]


class BatchHandler(Handler):
    folder: Path
    trouble: dict[str, Any]
    down: set[str]
    looks: Counter[str]
    batches: dict[str, dict[str, Any]]

    def do_POST(self) -> None:  # noqa: N802 (its name in the library)
        path = urlsplit(self.path).path
        if path.endswith("/files"):
            self.upload(self.rfile.read(int(self.headers["Content-Length"])))
        elif path.endswith("/batches"):
            self.begin(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        else:
            super().do_POST()

    def do_GET(self) -> None:  # noqa: N802 (its name in the library)
        *_, parent, name = urlsplit(self.path).path.split("/")
        if name == "content":
            self.content(parent)
        elif parent == "batches":
            self.look(name)
        elif name == "batches":
            self.list()
        else:
            super().do_GET()

    def upload(self, raw: bytes) -> None:
        if self.trouble.get("no_batches"):
            self.reply(404, {"detail": "Not Found"})
            return
        if self.is_down("upload"):
            return
        boundary = self.headers["Content-Type"].partition("boundary=")[2].encode()
        parts = [part for part in raw.split(b"--" + boundary) if b"\r\n\r\n" in part]
        assert any(b'name="purpose"' in part and b"batch" in part for part in parts)
        (file,) = (part for part in parts if b"filename=" in part)
        name = f"file-{len(list(self.folder.iterdir()))}"
        (self.folder / name).write_bytes(file.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n"))
        self.hang("uploaded")
        self.reply(200, {"id": name, "object": "file", "purpose": "batch"})

    def begin(self, asked: dict[str, Any]) -> None:
        if self.is_down("begin"):
            return
        assert asked["completion_window"] == "24h"
        lines = (self.folder / asked["input_file_id"]).read_bytes().splitlines()
        with self.lock:
            batch = {
                "id": f"batch-{len(self.batches)}",
                "input_file_id": asked["input_file_id"],
                "metadata": asked["metadata"],
                "request_counts": {"total": len(lines), "completed": 0, "failed": 0},
                "status": "validating",
            }
            self.batches[batch["id"]] = batch
        if not self.trouble.get("refused"):
            self.answer_all(batch, [json.loads(line) for line in lines], asked["endpoint"])
        self.hang("begun")
        if not self.is_down("begun"):
            self.tell(batch, is_new=True)

    def answer_all(self, batch: dict[str, Any], lines: list[Any], endpoint: str) -> None:
        good, bad = [], []
        is_cut = self.trouble.get("expiring") or self.trouble.get("cancelled")
        count = len(lines) // 2 if is_cut else len(lines)
        for number, line in enumerate(lines[:count]):
            assert (line["url"], line["method"]) == (endpoint, "POST")
            every = self.trouble.get("failing")
            if every and number % every == 0:
                error = {"error": {"message": "overloaded"}}
                failed = {"status_code": 500, "body": error}
                bad.append({"custom_id": line["custom_id"], "response": failed, "error": None})
                continue
            good.append({"custom_id": line["custom_id"], "response": self.paid(line["body"])})
        for line in lines[count:]:
            error = {"code": "batch_expired", "message": "it could not be executed in time"}
            bad.append({"custom_id": line["custom_id"], "response": None, "error": error})
        rows = [json.dumps(row) for row in reversed(good)]
        if self.trouble.get("strangers"):
            other = good[0] | {"response": self.paid(lines[-1]["body"], is_logged=False)}
            rows += [json.dumps(good[0] | {"custom_id": "nobody's"}), json.dumps(other), "{", "[]"]
        (self.folder / f"{batch['id']}-output").write_text("\n".join(rows))
        (self.folder / f"{batch['id']}-error").write_text("\n".join(map(json.dumps, bad)))
        batch["request_counts"] |= {"completed": len(good), "failed": len(bad)}

    def paid(self, body: dict[str, Any], *, is_logged: bool = True) -> dict[str, Any]:
        prompt = body["messages"][0]["content"]
        text, finish_reason = answer(prompt, body["seed"])
        usage = {
            "prompt_tokens": len(prompt.split()),
            "completion_tokens": len(text.split()),
        }
        choice = {"index": 0, "finish_reason": finish_reason, "message": {"content": text}}
        if is_logged:
            with self.lock, self.log.open("a") as log:
                log.write(digest(body) + "\n")
        return {"status_code": 200, "body": {"choices": [choice], "usage": usage}}

    def look(self, name: str) -> None:
        if self.is_down("look"):
            return
        batch = self.batches.get(name)
        if batch is None:
            self.reply(404, {"error": {"message": "no such batch"}})
            return
        looks = self.looks[name]
        if looks < len(STATUSES):
            batch["status"] = STATUSES[looks]
        elif self.trouble.get("refused"):
            batch["status"] = "failed"
            batch["errors"] = {"data": [{"code": "invalid", "message": "line 3 has no model"}]}
        else:
            ends = ("expiring", "expired"), ("cancelled", "cancelled")
            ended = [status for fault, status in ends if self.trouble.get(fault)]
            batch["status"] = ended[0] if ended else "completed"
            for kind in ("output", "error"):
                if (self.folder / f"{name}-{kind}").stat().st_size:
                    batch[f"{kind}_file_id"] = f"{name}-{kind}"
        if not (self.trouble.get("in_flight") and not (self.folder / "go").exists()) or looks < 1:
            self.looks[name] += 1
        self.tell(batch)

    def tell(self, batch: dict[str, Any], *, is_new: bool = False) -> None:
        if self.trouble.get("together"):
            batch = batch | {"status": batch["status"].upper()}
            self.reply(200, {"job": batch} if is_new else batch)
        else:
            self.reply(200, batch)

    def list(self) -> None:
        if self.trouble.get("no_list"):
            self.reply(404, {"error": {"message": "not found"}})
        elif not self.is_down("list"):
            self.reply(200, {"data": list(self.batches.values()), "has_more": False})

    def content(self, name: str) -> None:
        self.hang("content")
        if not self.is_down("content"):
            self.send(200, (self.folder / name).read_bytes())

    def is_down(self, step: str) -> bool:
        if step not in self.down:
            return False
        self.down.remove(step)
        self.reply(503, {"error": {"message": "not now"}})
        return True

    def hang(self, step: str) -> None:
        if self.trouble.get("hang") == step and not (self.folder / "go").exists():
            (self.folder / "hung").touch()
            while not (self.folder / "go").exists():
                time.sleep(0.01)
            self.close_connection = True


def digest(body: dict[str, Any]) -> str:
    """What the scripted server logs for the same request, sent alone."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--faults", type=json.loads, default={})
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    handler = BatchHandler
    handler.log, handler.folder, handler.trouble = options.log, options.folder, options.faults
    handler.latency, handler.faults, handler.tries = 0.0, 0.0, Counter()
    handler.down, handler.looks = set(options.faults.get("down", ())), Counter()
    handler.batches = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
