"""scripts/run's program as a user would start it: twice on the same data, with taken ports, with a file, with Ctrl-C."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "deploy/local"))

from parvis_local import networks  # noqa: E402

BUILD = os.environ.get("PARVIS_BUILD", os.path.join(ROOT, "build/release"))
DATA = os.path.join(ROOT, ".parvis/tests/run")


def command(*options):
    return [sys.executable, os.path.join(ROOT, "deploy/local/run.py"), "--build", BUILD, "--data", DATA, *options]


def left_behind():
    """Processes that still name the data folder."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                line = file.read().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if DATA in line and "run.py" not in line:
            found.append(f"{pid} {line[:120]}")
    return found


class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(DATA, ignore_errors=True)

    def run_once(self, *options):
        done = subprocess.run(command("--once", *options), capture_output=True, text=True, timeout=400, check=False)
        print(done.stdout[-2500:], done.stderr[-800:], flush=True)
        self.assertEqual(left_behind(), [])
        return done

    def every_network_took_part(self, output):
        for network in networks.TABLE:
            row = re.search(rf"^  {network.label} +(\d.*)$", output, re.M)
            self.assertTrue(row, network.label)
            cells = row.group(1).split()
            planned, delivered, answered = int(cells[0]), int(cells[1]), int(cells[-1])
            written, stored = (int(cell) for cell in cells[-5:-3])
            self.assertEqual((planned > 0, planned), (network.publishes, delivered), row.group(0))
            self.assertTrue(0 < written == stored, row.group(0))
            self.assertEqual(answered > 0, network.publishes, row.group(0))

    def test_the_main_job_twice_and_with_a_taken_port(self):
        first = self.run_once("--comments", "800")
        self.assertEqual(first.returncode, 0)
        self.assertIn("lost 0 · doubled 0 · out of order 0", first.stdout)
        self.every_network_took_part(first.stdout)
        self.assertIn("told by WebSub hubs: YouTube, feed", first.stdout)
        likes = re.search(r"likes given (\d+), counted (\d+) on (\d+) networks", first.stdout)
        self.assertTrue(likes and int(likes.group(1)) > 100, "no likes were given")
        self.assertEqual(likes.group(1), likes.group(2))
        with socket.socket() as taken:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                taken.bind(("127.0.0.1", 8080))
                taken.listen()
            except OSError:
                pass  # somebody else has it already: just as good
            with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as texts:
                texts.write("Une vraie merveille, merci !\nWhere can I buy it?\nIt broke after a day, I want my money back.\n")
                texts.flush()
                second = self.run_once("--comments", "150", "--audience", texts.name)
        self.assertEqual(second.returncode, 0)
        self.assertIn("lost 0 · doubled 0 · out of order 0", second.stdout)
        self.assertIn("told by WebSub hubs: YouTube, feed", second.stdout)
        self.assertIn("port 8080 is taken", second.stdout)
        self.assertEqual(len(re.findall(r"^  curl ", second.stdout, re.M)), 3)
        self.assertEqual(len(re.findall(r"^  grpcurl ", second.stdout, re.M)), 3)

    def test_ctrl_c_stops_everything(self):
        process = subprocess.Popen(command("--idle"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in process.stdout:
            if "running; Ctrl-C" in line:
                break
        self.assertTrue(left_behind())
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        self.assertEqual(process.wait(90), 0, rest)
        self.assertNotIn("had to be killed", rest)
        self.assertEqual(left_behind(), [])

    def test_a_wrong_file_is_refused_before_anything_starts(self):
        done = self.run_once("--audience", "/nonexistent.txt")
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nonexistent.txt", done.stderr)

    def test_a_network_without_a_real_server_is_refused_before_anything_starts(self):
        for name, wrong in (("wordpress,x", "--with x: X has no real server here, only its sandbox; these have one: wordpress"),
                            ("blog", "--with blog: there is no such network; these have a real server: wordpress")):
            done = self.run_once("--with", name)
            self.assertEqual(done.returncode, 1)
            self.assertIn(wrong, done.stderr)
            self.assertNotIn("PostgreSQL", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
