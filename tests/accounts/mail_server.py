"""A mail server (RFC 5321) that takes every mail and keeps it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it was sent in `mails`: envelope recipients and the bytes of the message."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Conversation)
        self.mails: list[tuple[list[str], bytes]] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class _Conversation(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        recipients: list[str] = []
        self._say(b"220 here")
        for line in self.rfile:
            match line.strip().upper().split(b":")[0].split()[0]:
                case b"QUIT":
                    self._say(b"221 bye")
                    return
                case b"DATA":
                    self._say(b"354 go on")
                    self.server.mails.append((recipients, self._message()))
                    recipients = []
                case b"RCPT":
                    recipients.append(line.decode().partition("<")[2].partition(">")[0])
            if not line.upper().startswith(b"QUIT"):
                self._say(b"250 well")

    def _message(self) -> bytes:
        lines: list[bytes] = []
        while (line := self.rfile.readline()).strip() != b"." and line:
            lines.append(line)
        return b"".join(lines)

    def _say(self, words: bytes) -> None:
        self.wfile.write(words + b"\r\n")


@contextmanager
def mail_server(port: int = 0) -> Iterator[MailServer]:
    """Keep a mail server running."""
    with MailServer(port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
