"""An upstream that behaves as it is told: for what no real server would do on purpose."""

import socket
import struct
import threading
import time


def read_request(connection):
    """The head and body of one request; None when the peer is gone."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return None
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return None
        body += piece
    return head, body


def answer(body=b"ok", status="200 OK", headers=()):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reset(connection):
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Origin:
    """Serves on a free port; `behave(connection, head, body)` answers one request (False: close)."""

    def __init__(self, behave, on_connect=None, port=0):
        self.behave = behave
        self.on_connect = on_connect
        self.heads = []  # of the requests so far: what the upstream saw
        self._listener = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            with connection:
                if self.on_connect and self.on_connect(connection) is False:
                    return
                while True:
                    request = read_request(connection)
                    if request is None:
                        return
                    self.heads.append(request[0])
                    if self.behave(connection, *request) is False:
                        return
        except OSError:
            pass

    @property
    def hits(self):
        return len(self.heads)

    def close(self):
        self._closed = True
        self._listener.close()


def ordinary(body=b"ok", delay=0.0, status="200 OK", headers=()):
    """A behaviour: answers well, after `delay` seconds."""
    def behave(connection, _head, _body):
        time.sleep(delay)
        connection.sendall(answer(body, status, headers))
    return behave
