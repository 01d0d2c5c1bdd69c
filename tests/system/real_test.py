"""What stands around the real servers, without them: visitors, journals, the door that loses answers, a network of one's own."""

import asyncio
import gc
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
LOCAL = os.path.join(HERE, "../../deploy/local")
sys.path[:0] = [LOCAL, os.path.join(HERE, "../contract")]

import real_servers  # noqa: E402
from parvis_local import own_net  # noqa: E402
from parvis_local.processes import StartError, wait_until  # noqa: E402
from parvis_local.real import VISITORS_AT_ONCE, RealServer, RealSite, in_order  # noqa: E402


class Blog(RealServer):
    """Four posts, and whoever writes is written down."""

    def __init__(self, url=""):
        super().__init__()
        self.made, self.changed, self.url = [], None, url
        self._making = threading.Lock()

    def account(self):
        return {"network": "blog", "remote_id": "us", "base_url": self.url, "credentials": {"key": "k"}}

    def journal(self):
        posts = [{"kind": "post", "by": "us", "remote_id": str(post), "thread": ""} for post in range(4)]
        return in_order(posts + self.made, "blog", "us")

    def change_post(self, post, text):
        self.changed = (post, text)

    def comment(self, visitor, turn, post, parent, text):
        with self._making:
            entry = {"kind": "comment", "by": "audience", "visitor": visitor, "remote_id": str(100 + len(self.made)), "thread": post,
                     "parent": parent, "text": text}
            self.made.append(entry)
        return entry["remote_id"]


def written_by(blog, count, **more):
    blog.start_audience(count, **more)
    wait_until(lambda: blog.audience_status()["finished"], 20, "the visitors have finished")
    return blog.audience_status()["written"]


class VisitorsTest(unittest.TestCase):
    def test_they_write_exactly_so_much_and_answer_only_themselves(self):
        blog = Blog()
        self.assertEqual(50, written_by(blog, 50, texts=["a", "b"]))
        self.assertEqual(50, len(blog.made))
        author = {entry["remote_id"]: entry["visitor"] for entry in blog.made}
        answers = [entry for entry in blog.made if entry["parent"]]
        self.assertTrue(answers)
        self.assertTrue(all(author[entry["parent"]] == entry["visitor"] for entry in answers))
        self.assertEqual({"a", "b"}, {entry["text"] for entry in blog.made})

    def test_where_posts_are_threads_each_has_one_visitor(self):
        blog = Blog()
        blog.THREADS_ARE_POSTS = True
        self.assertEqual(40, written_by(blog, 40))
        visitors = {}
        for entry in blog.made:
            visitors.setdefault(entry["thread"], set()).add(entry["visitor"])
        self.assertEqual(4, len(visitors))
        self.assertTrue(all(len(who) == 1 for who in visitors.values()))
        self.assertEqual(VISITORS_AT_ONCE, len(set.union(*visitors.values())))

    def test_what_a_visitor_was_refused_is_told(self):
        blog = Blog()
        blog.comment = lambda *_: {}["missing"]
        with self.assertRaisesRegex(StartError, "a visitor: KeyError"):
            written_by(blog, 10)

    def test_comments_are_counted_in_their_threads(self):
        entries = in_order([{"kind": kind, "thread": thread} for kind, thread in (
            ("post", ""), ("comment", "a"), ("comment", "b"), ("hide", "a"), ("reply", "a"))], "blog", "us")
        self.assertEqual([0, 1, 1, 1, 2], [entry["thread_seq"] for entry in entries])
        self.assertEqual([1, 2, 3, 4, 5], [entry["seq"] for entry in entries])


class Site:
    """As site.py has it: what it wrote down in earlier runs is there still."""

    url, info = "http://site", {"version": "6", "key": "k"}

    def __init__(self):
        self.written = [{"seq": 4, "kind": "post"}]

    def start(self):
        pass

    def journal(self, after=0):
        return [entry for entry in self.written if entry["seq"] > after]


class Diary(RealSite):
    NETWORK, LABEL, CREDENTIALS = "diary", "Diary", {"admin_key": "key"}


class SiteTest(unittest.TestCase):
    def test_the_journal_begins_with_the_run(self):
        said, site = [], Site()
        diary = Diary(site, said.append).start()
        self.assertEqual(["Diary 6 at http://site"], said)
        self.assertEqual([], diary.journal())
        site.written.append({"seq": 9, "kind": "comment", "thread": "a"})
        self.assertEqual([{"seq": 1, "kind": "comment", "thread": "a", "network": "diary", "account": "http://site", "thread_seq": 1}],
                         diary.journal())
        self.assertEqual({"admin_key": "k"}, diary.account()["credentials"])


class DoorTest(unittest.TestCase):
    def setUp(self):
        self.taken = []
        test = self

        class Upstream(real_servers.Handler):
            def do_GET(self):
                test.taken.append((self.command, self.path, self.body()))
                self.answer(404 if "missing" in self.path else 201, b'{"id": 7}', [("X-Own", "1")])

            do_POST = do_GET

        self.server, url = real_servers.serve(Upstream)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.blog = Blog(url)
        self.control = real_servers.Control({"blog": self.blog})
        self.door = self.control.ask("POST", "accounts", {"network": "blog"})["base_url"]

    def ask(self, method, path="/posts", body=None):
        connection = http.client.HTTPConnection(self.door.removeprefix("http://"), timeout=20)
        self.addCleanup(connection.close)
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.getheader("X-Own")

    def count(self, kind="ban"):
        return next(row["count"] for row in self.control.ask("GET", "journal/summary", {})["counts"] if row["kind"] == kind)

    def test_it_hands_on_what_it_does_not_strike_and_counts_what_was_taken(self):
        self.assertEqual((201, b'{"id": 7}', "1"), self.ask("POST", body="text"))
        self.assertEqual(404, self.ask("POST", "/missing")[0])
        self.assertEqual(201, self.ask("GET")[0])
        self.assertEqual(("POST", "/posts", b"text"), self.taken[0])
        self.assertEqual(1, self.count())
        self.assertEqual(4, self.count("post"), "by the server's own journal")

    def test_each_fault_strikes_writes_alone(self):
        for kind, status, reached in (("reset_before_accept", None, 0), ("accept_then_reset", None, 1), ("accept_then_504", 504, 1),
                                      ("garbage", 200, 1), ("server_error", 503, 0)):
            with self.subTest(kind):
                self.control.ask("POST", "faults", {"network": "blog", "kind": kind})
                self.assertEqual(201, self.ask("GET")[0])
                del self.taken[:]
                if status is None:
                    self.assertRaises((OSError, http.client.HTTPException), self.ask, "POST")
                else:
                    got, body, _ = self.ask("POST")
                    self.assertEqual(status, got)
                    self.assertRaises(ValueError, json.loads, body)
                self.assertEqual(reached, len(self.taken))
                self.control.ask("DELETE", "faults", {})
                self.assertEqual(201, self.ask("POST")[0])

    def test_a_post_is_changed_as_the_sandbox_changes_it(self):
        self.assertEqual({}, self.control.ask("POST", "comments/blog/7", {"text": "new"}))
        self.assertEqual(("7", "new"), self.blog.changed)

    def test_what_only_the_sandbox_can_do_is_not_answered(self):
        self.assertIsNone(self.control.ask("POST", "faults", {"network": "blog", "kind": "limit"}))
        self.assertIsNone(self.control.ask("POST", "accounts/blog/us/token", {"state": "expired"}))


INSIDE = """
import asyncio, socket, sys
sys.path.insert(0, sys.argv[1])
from parvis_local import own_net
from parvis_local.processes import StartError
door = own_net.Door(0)
door.port = door._socket.getsockname()[1]
try:
    own_net.enter()
except StartError as problem:
    print("refused", problem, flush=True)
    sys.exit(0)
async def main():
    async def greet(reader, writer):
        writer.write(b"inside got " + await reader.readline())
        writer.close()
    await asyncio.start_server(greet, "0.0.0.0", door.port)
    await door.open()
    print(door.port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


class OwnNetTest(unittest.TestCase):
    def test_one_port_leads_inside_and_nothing_else(self):
        process = subprocess.Popen([sys.executable, "-c", INSIDE, LOCAL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            first = process.stdout.readline()
            if first.startswith("refused"):
                self.assertIn("run as root, or allow user namespaces", first)
                self.skipTest(first.strip())
            port = int(first)
            with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                connection.sendall(b"hello\n")
                self.assertEqual(b"inside got hello\n", connection.recv(100))
            with open("/proc/net/tcp", encoding="ascii") as file:
                listening = [line.split()[1] for line in file if line.split()[3] == "0A"]
            self.assertIn(f"0100007F:{port:04X}", listening)
            self.assertNotIn(f"00000000:{port:04X}", listening, "what listens on every interface does so inside alone")
        finally:
            process.stdin.close()
            process.stdout.close()
            self.assertEqual(0, process.wait(20))


class DoorTest(unittest.IsolatedAsyncioTestCase):
    """What passes through the door; here it leads to another port of the same network."""

    async def asyncSetUp(self):
        self.complaints = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: self.complaints.append(context["message"]))

    async def through(self, serve, answer_s=60):
        inside = await asyncio.start_server(serve, "127.0.0.1", 0)
        door = own_net.Door(0, answer_s)
        door.port = inside.sockets[0].getsockname()[1]
        outside = await door.open()
        self.addAsyncCleanup(self.shut, inside, outside)
        return door, await asyncio.open_connection(*outside.sockets[0].getsockname())

    async def shut(self, *servers):
        for server in servers:
            server.close()
            await server.wait_closed()

    async def all_over(self, door):
        async def wait():
            while door.under_way:
                await asyncio.sleep(0.01)
        await asyncio.wait_for(wait(), 20)
        gc.collect()
        self.assertEqual([], self.complaints)

    async def test_an_answer_comes_after_the_question_was_closed(self):
        async def serve(reader, writer):
            asked = await reader.read()
            writer.write(asked * 1000)
            writer.close()
        door, (reader, writer) = await self.through(serve)
        writer.write(b"question" * 1000)
        writer.write_eof()
        self.assertEqual(b"question" * 1000 * 1000, await asyncio.wait_for(reader.read(), 20))
        writer.close()
        await self.all_over(door)

    async def test_who_is_lost_is_lost_on_the_other_side_too(self):
        gone = asyncio.Event()

        async def serve(reader, writer):
            writer.write(b"hello")
            try:
                await reader.read()
            except OSError:
                """As good."""
            gone.set()
            writer.close()
        door, (reader, writer) = await self.through(serve)
        self.assertEqual(b"hello", await reader.read(5))
        self.assertEqual(1, len(door.under_way))
        gc.collect()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await asyncio.wait_for(gone.wait(), 20)
        await self.all_over(door)

    async def test_who_never_answers_is_not_waited_for(self):
        over = asyncio.Event()

        async def serve(_, writer):
            await over.wait()
            writer.close()
        door, (reader, writer) = await self.through(serve, answer_s=0.05)
        writer.write_eof()
        try:
            self.assertEqual(b"", await asyncio.wait_for(reader.read(), 20))
        except ConnectionResetError:
            """As good."""
        writer.close()
        await self.all_over(door)
        over.set()


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
