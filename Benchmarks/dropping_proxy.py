#!/usr/bin/env python3
"""A TCP proxy that drops connections on demand, as a NAT, a VPN or a load balancer that forgets them does.

    dropping_proxy.py TARGET_PORT

Listens at a free port of 127.0.0.1 and prints it. Each line on standard input resets all connections at once; the number of
connections is printed then. Ends with its standard input.
"""
import socket
import struct
import sys
import threading


class DroppingProxy:
    def __init__(self, target):
        self.target = target
        self.pairs = []
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 2)
            except OSError:
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.settimeout(None)
            with self.lock:
                self.pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def drop(self):
        """Resets every connection. Returns how many there were."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for end in (end for pair in pairs for end in pair):
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()
        return len(pairs)

    def end(self):
        self.listener.close()
        self.drop()


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        sys.exit(__doc__)
    proxy = DroppingProxy(int(sys.argv[1]))
    print(proxy.port, flush=True)
    for _ in sys.stdin:
        print(proxy.drop(), flush=True)
    proxy.end()
