"""The fault proxy itself, against a server that echoes."""

import socket
import threading
import time
import unittest

from proxy import TO_CLIENT, Proxy


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        self.proxy = Proxy("echo", self.listener.getsockname()[1])
        self.received = []

    def tearDown(self):
        self.proxy.close()
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    def echo(self, connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    self.received.append(data)
                    connection.sendall(data)
            except OSError:
                pass

    def connect(self, timeout=5):
        client = socket.create_connection(("127.0.0.1", self.proxy.port))
        client.settimeout(timeout)
        return client

    def ask(self, client, data):
        client.sendall(data)
        answer = b""
        while len(answer) < len(data):
            part = client.recv(65536)
            if not part:
                break
            answer += part
        return answer

    def test_passes_and_slices_and_delays(self):
        data = bytes(range(256)) * 40
        with self.connect() as client:
            self.assertEqual(data, self.ask(client, data))
            self.proxy.slice = 1
            self.assertEqual(data, self.ask(client, data))
            self.proxy.slice, self.proxy.delay = 0, 0.1
            began = time.monotonic()
            self.assertEqual(b"x", self.ask(client, b"x"))
            self.assertGreaterEqual(time.monotonic() - began, 0.2)

    def test_what_a_blackhole_held_back_arrives_when_it_heals(self):
        with self.connect(timeout=0.3) as client:
            self.proxy.blackhole(TO_CLIENT)
            client.sendall(b"one")
            with self.assertRaises(TimeoutError):
                client.recv(10)
            self.assertEqual([b"one"], self.received, "one way only: the server has it")
            self.proxy.blackhole()
            client.sendall(b"two")
            with self.assertRaises(TimeoutError):
                client.recv(10)
            self.proxy.heal()
            client.settimeout(5)
            answer = b""
            while len(answer) < 6:
                answer += client.recv(10)
            self.assertEqual(b"onetwo", answer)

    def test_resets_in_the_middle_of_a_frame(self):
        with self.connect() as client:
            self.assertEqual(b"first", self.ask(client, b"first"))
            self.proxy.resets_to_do = 1
            with self.assertRaises(ConnectionResetError):
                self.ask(client, b"12345678")
                client.recv(10)
        self.assertEqual(1, self.proxy.resets_done)

    def test_a_commit_reaches_the_server_and_its_answer_nobody(self):
        with self.connect() as client:
            self.proxy.commits_to_drop = 1
            self.assertEqual(b"BEGIN\0", self.ask(client, b"BEGIN\0"))
            with self.assertRaises(ConnectionResetError):
                self.ask(client, b"COMMIT\0")
        self.assertIn(b"COMMIT\0", self.received)
        self.assertEqual((1, 0), (self.proxy.commits_dropped, self.proxy.commits_to_drop))
        with self.connect() as client:
            self.assertEqual(b"again", self.ask(client, b"again"))

    def test_a_refused_connection_is_reset(self):
        self.listener.close()
        self.proxy.target = 1
        with self.connect() as client, self.assertRaises(ConnectionError):
            client.sendall(b"x")
            while client.recv(1):
                pass
            raise ConnectionError   # closed in an orderly way is as good


if __name__ == "__main__":
    unittest.main()
