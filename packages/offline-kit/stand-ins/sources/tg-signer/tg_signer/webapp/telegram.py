"""Stand-in for the way of TG Signer to Telegram: the first call of a login, by the proxy. What is answered it does not understand."""
import asyncio
import os
import secrets
import socket
import struct
import time
from urllib.parse import urlparse

DATA_CENTER = ("149.154.167.51", 443)
REQ_PQ_MULTI = 0xBE7E8EF1


async def first_call(proxy: str) -> str:
    """Asks for the numbers that an authorization key is made from (https://core.telegram.org/mtproto/auth_key); why it came no further."""
    call = struct.pack("<I", REQ_PQ_MULTI) + secrets.token_bytes(16)
    # No key yet, a number of the message made of the time, and its length; in the transport "abridged".
    message = struct.pack("<qqi", 0, int(time.time()) << 32, len(call)) + call
    try:
        reader, writer = await (by_socks(proxy) if proxy else asyncio.open_connection(*DATA_CENTER))
        writer.write(b"\xef" + bytes([len(message) // 4]) + message)
        await asyncio.wait_for(reader.read(1), 10)
        writer.close()
    except (OSError, EOFError) as fault:
        return str(fault)
    return "this stand-in cannot talk to Telegram"


async def by_socks(proxy: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection by SOCKS5 with a login (RFC 1928 and 1929)."""
    at = urlparse(proxy)
    if at.scheme != "socks5" or at.username is None or at.password is None:
        raise ValueError("this stand-in calls by SOCKS5 with a login alone")
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    words = [os.fsencode(word) for word in (at.username, at.password)]
    writer.write(b"\x05\x01\x02")
    chosen = await reader.readexactly(2)
    writer.write(b"\x01" + b"".join(bytes([len(word)]) + word for word in words))
    accepted = await reader.readexactly(2)
    host, port = DATA_CENTER
    writer.write(b"\x05\x01\x00\x01" + socket.inet_aton(host) + struct.pack(">H", port))
    connected = await reader.readexactly(10)
    if (chosen[1], accepted[1], connected[1]) != (2, 0, 0):
        raise ConnectionError("the proxy refused")
    return reader, writer
