"""How requests get to a server: addresses, headers, proxies, certificates, what the user adds."""

import asyncio
import json
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import selfbehave
from selfbehave.core.errors import SelfBehaveError
from selfbehave.engines import Completion, Request, open_engine
from selfbehave.engines.providers import http_connections, llama_cpp
from selfbehave.engines.settings import EngineSettings
from selfbehave.runs.run_settings import RunSettings
from selfbehave.views.display import Display

from ..helpers.quirk_server import MODEL, QuirkServer, serving
from ..helpers.socks_proxy import socks_proxy

ASKED = Request("test", 0, "Say hello", 0.5, 0.9, 20, seed=7)
DEAD = "127.0.0.1:9"  # nothing listens there
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[QuirkServer]:
    with serving("none") as one:
        yield one


def ask(engine: str, request: Request = ASKED, **settings: Any) -> Completion:
    async def work() -> Completion:
        whole = {"engine": engine, "model": MODEL, "max_wait": 0.1} | settings
        async with open_engine(EngineSettings(**whole)) as opened:
            return await opened.complete(request)

    return asyncio.run(work())


# Addresses


@pytest.mark.parametrize(
    ("ending", "path"),
    [
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        ("", "/chat/completions"),
        ("/a/base/path/v1", "/a/base/path/v1/chat/completions"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/completions", "/v1/completions"),
        ("/v1?api-version=2024-10-21", "/v1/chat/completions?api-version=2024-10-21"),
        (
            "/openai/deployments/mine/chat/completions?api-version=1&x=/y",
            "/openai/deployments/mine/chat/completions?api-version=1&x=/y",
        ),
    ],
)
def test_an_address_is_used_as_it_is_meant(server: QuirkServer, ending: str, path: str) -> None:
    ask(server.root + ending)
    assert server.paths == [path]


def test_the_models_are_looked_for_beside_the_endpoint(server: QuirkServer) -> None:
    ask(f"{server.root}/v1/chat/completions?api-version=1", model=None)
    assert server.paths[0] == "/v1/models?api-version=1"
    assert server.asked[0].body["model"] == MODEL


def test_an_endpoint_of_completions_is_asked_without_messages(server: QuirkServer) -> None:
    ask(f"{server.root}/v1/completions")
    assert server.asked[0].body["prompt"] == "Say hello"


def test_a_server_at_an_ipv6_address_is_asked() -> None:
    with serving("none", "::1") as server:
        ask(server.url)
        assert server.url.startswith("http://[::1]:")
        assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("address", "mend"),
    [
        ("http://::1:8000/v1", "in brackets: http://[::1]:8000/v1"),
        ("http://[::", "http(s)://"),
        ("http://localhost:port/v1", "http(s)://"),
        ("https:///v1", "http(s)://"),
    ],
)
def test_what_is_not_an_address_is_told_before_anything_is_sent(address: str, mend: str) -> None:
    with pytest.raises(SelfBehaveError, match="not an address") as caught:
        ask(address)
    assert mend in str(caught.value)
    assert caught.value.exit_code == 2


def test_passwords_and_queries_of_addresses_are_not_in_messages() -> None:
    with pytest.raises(SelfBehaveError) as caught:
        ask(f"http://user:pass-1@{DEAD}/v1?key=secret-2")
    assert str(caught.value).startswith(f"http://{DEAD}/v1: no answer")
    assert "pass-1" not in str(caught.value)
    assert "secret-2" not in str(caught.value)


def test_an_address_without_a_version_is_asked_about_it() -> None:
    with serving("404 with a page") as server, pytest.raises(SelfBehaveError) as caught:
        ask(server.root)
    assert "is /v1 missing?" in str(caught.value)


# Headers


def test_extra_headers_are_sent_and_replace_others(server: QuirkServer) -> None:
    ask(server.url, api_key="mine", extra_headers='{"X-Title": "t", "authorization": "Basic x"}')
    headers = {name.lower(): value for name, value in server.headers[0].items()}
    assert headers["x-title"] == "t"
    assert headers["authorization"] == "Basic x"


def test_azure_gets_its_key_in_its_own_header(
    server: QuirkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy stands for Azure: it gets the request that would go there."""
    monkeypatch.setenv("HTTP_PROXY", server.root)
    azure = "http://mine.openai.azure.com/openai/deployments/gpt?api-version=2024-10-21"
    ask(azure, api_key="my-key")
    (path,) = server.paths
    assert path == azure.replace("?", "/chat/completions?")
    assert server.headers[0]["api-key"] == "my-key"
    assert "Authorization" not in server.headers[0]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"extra_headers": "api-key: x"}, "--extra_headers is not a JSON object"),
        ({"extra_headers": '{"api-key": 3}'}, "'api-key' is not a header, or its value"),
        ({"extra_headers": '{"a b": "x"}'}, "'a b' is not a header"),
        ({"extra_headers": '{"a": "x\\r\\nHost: y"}'}, "'a' is not a header, or its value"),
        ({"extra_body": "reasoning_effort=low"}, "--extra_body is not a JSON object"),
        ({"extra_body": "[1]"}, "--extra_body is not a JSON object"),
        ({"extra_body": '{"messages": []}'}, "--extra_body cannot replace 'messages'"),
        ({"thinking_tokens": -1}, "--thinking_tokens must be at least 0"),
    ],
)
def test_additions_that_cannot_be_are_refused_in_one_line(
    server: QuirkServer, settings: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(SelfBehaveError) as caught:
        ask(server.url, **settings)
    assert complaint in str(caught.value)
    assert not server.asked


# What the user adds to the body


def test_an_extra_body_is_sent_and_null_leaves_a_field_out(server: QuirkServer) -> None:
    extra = '{"chat_template_kwargs": {"enable_thinking": false}, "seed": null, "top_p": 1}'
    ask(server.url, extra_body=extra, thinking_tokens=1000)
    body = server.asked[0].body
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert "seed" not in body
    assert (body["top_p"], body["max_tokens"]) == (1, 1020)


def test_what_is_added_to_requests_is_in_their_keys_and_in_the_run_file(tmp_path: Path) -> None:
    def grow(folder: Path, **more: Any) -> None:
        settings = RunSettings(
            num_instructions_to_generate=2, prompts="bdd", min_rung="bound", top_rung="bound"
        )
        engine = EngineSettings(engine=server.url, model=MODEL, **more)
        selfbehave.run(folder, settings, engine, Display())

    def keys(folder: Path) -> list[str]:
        lines = (folder / "machine_generated_instructions.jsonl").read_text().splitlines()
        return [json.loads(line)["metadata"]["request_key"] for line in lines]

    added = {"extra_body": '{"b": null, "a": 1}', "thinking_tokens": 500}
    with serving("none") as server:
        grow(tmp_path / "plain")
        grow(tmp_path / "more", **added)
        assert not set(keys(tmp_path / "plain")) & set(keys(tmp_path / "more"))
        noted = tomllib.loads((tmp_path / "more/run.toml").read_text())["instances"]
        assert json.loads(noted["extra_body"]) == {"a": 1, "b": None}
        assert noted["thinking_tokens"] == 500
        with pytest.raises(SelfBehaveError, match="made with extra_body = "):
            grow(tmp_path / "more", thinking_tokens=500)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("grammar", "root ::= x"),
        ("structured_outputs", {"grammar": "root ::= x"}),
        ("guided_grammar", "root ::= x"),
        ("ebnf", "root ::= x"),
        ("response_format", {"type": "grammar", "grammar": "root ::= x"}),
    ],
)
def test_a_grammar_is_sent_in_the_field_that_the_server_reads(
    server: QuirkServer, name: str, value: Any
) -> None:
    asked = Request("test", 0, "Say hello", 0.5, 0.9, 20, seed=7, grammar="root ::= x")
    ask(server.url, asked, grammar="on", grammar_field=name)
    body = server.asked[0].body
    assert body[name] == value
    fields = {"grammar", "structured_outputs", "guided_grammar", "ebnf", "response_format"}
    assert fields & set(body) == {name}


# Proxies and certificates


def test_a_socks_proxy_is_used(server: QuirkServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socks_proxy() as proxy:
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        ask(server.url)
        assert proxy.connected == [("127.0.0.1", server.port)]
    assert len(server.asked) == 1


def test_a_socks_proxy_without_its_package_names_the_extra(
    server: QuirkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"socks5://{DEAD}")
    monkeypatch.setitem(sys.modules, "socksio", None)
    with pytest.raises(SelfBehaveError) as caught:
        ask(server.url)
    assert str(caught.value) == (
        "ALL_PROXY names a SOCKS proxy, which needs the package socksio"
        " — pip install 'selfbehave[socks]', or unset the variable"
    )
    with pytest.raises(SelfBehaveError, match="needs the package socksio"):
        ask(server.url, model=None)


def test_a_proxy_of_an_unknown_kind_is_told_in_one_line(
    server: QuirkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"gopher://{DEAD}")
    with pytest.raises(SelfBehaveError, match="HTTP_PROXY is not the address of a proxy"):
        ask(server.url)


def test_a_proxy_that_is_away_is_named(
    server: QuirkServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://{DEAD}")
    with pytest.raises(SelfBehaveError, match=r"no answer: .*through the proxy of HTTP_PROXY"):
        ask(server.url)


def test_a_proxy_that_wants_a_password_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    class Proxy(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_error(407)

        def log_message(self, *_: Any) -> None:
            pass

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_address[1]}")
    with pytest.raises(SelfBehaveError, match=r"\(407\).*the user and the password in HTTPS_PROXY"):
        ask("http://models.example/v1")
    proxy.shutdown()
    proxy.server_close()


def test_the_server_of_an_embedded_model_is_asked_without_a_proxy(
    server: QuirkServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in PROXIES[:3]:
        monkeypatch.setenv(name, f"http://{DEAD}")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    started = SimpleNamespace(listening_address=server.root)
    monkeypatch.setattr(llama_cpp, "_started", lambda *_: started)
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF tokenizer.chat_template")
    ask(str(model))
    assert len(server.asked) == 1


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_bad_file_of_certificates_is_named_in_one_line(
    server: QuirkServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "certificates.pem"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    http_connections._certificates.cache_clear()
    with pytest.raises(SelfBehaveError) as caught:
        ask(f"https://{DEAD}/v1")
    assert str(caught.value).startswith(f"{file}: no certificates can be read from SSL_CERT_FILE")
    assert "correct SSL_CERT_FILE, or unset it" in str(caught.value)
    ask(server.url)  # without encryption it needs none
    assert len(server.asked) == 1


def test_a_certificate_of_an_unknown_authority_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -days 2 -keyout"
    subprocess.run([*command.split(), key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    encrypted = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    encrypted.socket = context.wrap_socket(encrypted.socket, server_side=True)
    threading.Thread(target=encrypted.serve_forever, daemon=True).start()
    http_connections._certificates.cache_clear()
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(SelfBehaveError, match=r"certificate is not trusted.*SSL_CERT_FILE"):
        ask(f"https://127.0.0.1:{encrypted.server_address[1]}/v1", max_wait=60.0)
    encrypted.shutdown()
    encrypted.server_close()
