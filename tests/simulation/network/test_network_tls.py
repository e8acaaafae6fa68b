"""TLS on the simulated network: asyncio's own, over connections in memory."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from antiphon.simulation.loop.virtual_time import run, simulate
from antiphon.simulation.network.network import Network

Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    """A server's context for `agent.example`, and a client's that trusts it."""
    pytest.importorskip("cryptography")
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "agent.example")])
    today = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(today - datetime.timedelta(days=1))
        .not_valid_after(today + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("agent.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder: Path = tmp_path_factory.mktemp("tls")
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.pem").write_bytes(pem + secret)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(folder / "server.pem")
    return server, ssl.create_default_context(cadata=pem.decode())


def now() -> float:
    return asyncio.get_running_loop().time()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
        writer.close()


def test_a_handshake_takes_its_round_trips(contexts: Contexts) -> None:
    """Connecting takes TLS's round trips more than without, and data arrives whole."""
    server, client = contexts

    async def main() -> float:
        listening = await asyncio.start_server(echo, "agent.example", 443, ssl=server)
        reader, writer = await asyncio.open_connection("agent.example", 443, ssl=client)
        connected = now()
        assert writer.get_extra_info("cipher") is not None
        writer.write(b"x" * 200_000)
        assert await reader.readexactly(200_000) == b"x" * 200_000
        writer.close()
        await writer.wait_closed()
        listening.close()
        await asyncio.sleep(1)
        return connected

    assert run(main(), network=Network(latency_secs=0.05)) == pytest.approx(0.2, abs=0.06)
    prints = {
        simulate(main(), seed=seed, network=Network(latency_secs=0.05)).fingerprint
        for seed in (1, 1, 1)
    }
    assert len(prints) == 1


def test_a_server_that_is_not_trusted_is_refused(contexts: Contexts) -> None:
    """The client's own authorities, and the name it asked for, decide, as for real."""
    server, client = contexts

    async def main(name: str, context: ssl.SSLContext) -> None:
        await asyncio.start_server(echo, port=443, ssl=server)
        await asyncio.open_connection(name, 443, ssl=context)

    for name, context in (
        ("agent.example", ssl.create_default_context()),
        ("other.example", client),
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            run(main(name, context), network=Network(), strict=False)


def test_a_line_that_swallows_the_handshake_ends_in_its_timeout(contexts: Contexts) -> None:
    """`ssl_handshake_timeout` counts virtual seconds."""
    server, client = contexts

    async def main() -> float:
        await asyncio.start_server(echo, port=443, ssl=server)
        network.link(443).latency_secs = 0.05
        asyncio.get_running_loop().call_later(0.12, setattr, network.link(443), "broken", True)
        with pytest.raises(ConnectionAbortedError):
            await asyncio.open_connection(
                "agent.example", 443, ssl=client, ssl_handshake_timeout=5.0
            )
        return now()

    network = Network()
    assert run(main(), network=network, strict=False) == pytest.approx(5.1, abs=0.2)


def test_a_connection_can_begin_plain_and_go_on_with_tls(contexts: Contexts) -> None:
    """`start_tls` on both sides, as mail servers and proxies do it."""
    server, client = contexts

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readline() == b"STARTTLS\n"
        writer.write(b"go ahead\n")
        await writer.drain()
        await writer.start_tls(server)
        assert await reader.readline() == b"secret\n"
        writer.write(b"understood\n")
        await writer.drain()
        await reader.read()
        writer.close()

    async def main() -> bytes:
        await asyncio.start_server(serve, port=25)
        reader, writer = await asyncio.open_connection("agent.example", 25)
        writer.write(b"STARTTLS\n")
        assert await reader.readline() == b"go ahead\n"
        await writer.start_tls(client, server_hostname="agent.example")
        writer.write(b"secret\n")
        answer = await reader.readline()
        writer.close()
        await asyncio.sleep(1)
        return answer

    assert run(main(), network=Network()) == b"understood\n"


def test_aiohttp_and_websockets_speak_it(contexts: Contexts) -> None:
    """`https:` and `wss:` to servers with a certificate, and to plain ones."""
    aiohttp = pytest.importorskip("aiohttp")
    websockets = pytest.importorskip("websockets")
    from aiohttp import web

    server, client = contexts

    async def hello(request: web.Request) -> web.Response:
        return web.Response(text="secure" if request.secure else "plain")

    async def chat(socket: Any) -> None:
        async for message in socket:
            await socket.send(message.upper())

    async def main() -> None:
        app = web.Application()
        app.router.add_get("/", hello)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "agent.example", 443, ssl_context=server).start()
        await web.TCPSite(runner, "agent.example", 80).start()
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=client)) as session:
            async with session.get("https://agent.example/") as response:
                assert await response.text() == "secure"
            async with session.get("https://agent.example:80/") as response:
                assert await response.text() == "plain"
        await runner.cleanup()
        async with (
            websockets.serve(chat, "agent.example", 444, ssl=server),
            websockets.connect("wss://agent.example:444", ssl=client) as socket,
        ):
            await socket.send("ping")
            assert await socket.recv() == "PING"

    for seed in (None, 1):
        run(main(), seed=seed, network=Network(latency_secs=0.01))
