"""SOCKS5 server (RFC 1928) that connects to this container's own localhost, and nowhere else: what listens there is not
reachable from the container's network. Caddy alone is on that network, and asks for the ports of opencodePreviews.

usage: localhost.py PORT REFUSED...   REFUSED: ports that it connects nobody to
"""

import socket
import socketserver
import struct
import sys
import threading

SUCCEEDED, NOT_ALLOWED, REFUSED = 0, 2, 5


class Fault(Exception):
    """The rest of a conversation that is none."""


def read(stream, count):
    data = stream.read(count)
    if len(data) < count:
        raise Fault
    return data


def target(stream):
    """Host and port that a client asks for, after it was told that no login is needed."""
    version, methods = read(stream, 2)
    if version != 5 or 0 not in read(stream, methods):
        raise Fault
    yield b"\x05\x00"
    version, command, _, kind = read(stream, 4)
    if version != 5 or command != 1 or kind not in (1, 3, 4):
        raise Fault
    size = read(stream, 1)[0] if kind == 3 else {1: 4, 4: 16}[kind]
    host = read(stream, size)
    yield host.decode("latin-1") if kind == 3 else socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, host)
    yield struct.unpack("!H", read(stream, 2))[0]


def connected(port):
    """A server listens at one of localhost's addresses, or at both: Vite and others take the one that Node resolves it to."""
    for address in ("127.0.0.1", "::1"):
        try:
            return socket.create_connection((address, port), timeout=5)
        except OSError:
            pass
    return None


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        # A side that has said all may still listen.
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for one in (source, sink):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


class Conversation(socketserver.StreamRequestHandler):
    # What follows the request belongs to the other side.
    rbufsize = 0
    timeout = 10

    def answer(self, code):
        self.request.sendall(bytes([5, code, 0, 1]) + bytes(6))

    def handle(self):
        try:
            asked = target(self.rfile)
            self.request.sendall(next(asked))
            host, port = next(asked), next(asked)
        except (Fault, OSError):
            return
        if host not in ("localhost", "127.0.0.1", "::1") or port in self.server.refused:
            return self.answer(NOT_ALLOWED)
        upstream = connected(port)
        if upstream is None:
            return self.answer(REFUSED)
        with upstream:
            self.answer(SUCCEEDED)
            for one in (self.request, upstream):
                one.settimeout(None)
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            back = threading.Thread(target=pump, args=(upstream, self.request), daemon=True)
            back.start()
            pump(self.request, upstream)
            back.join()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port, refused):
        self.refused = {port, *refused}
        super().__init__(("", port), Conversation)

    def handle_error(self, request, client_address):
        """A connection that broke is nobody's business."""


threading.stack_size(256 * 1024)
Server(int(sys.argv[1]), {int(port) for port in sys.argv[2:]}).serve_forever()
