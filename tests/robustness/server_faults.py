"""Kafka and PostgreSQL themselves fail: F4 and F5 killed, stopped and frozen, F9 their disks are full.

The disks are small tmpfs, so F9 needs root (or sudo); without it F9 is skipped and the rest runs on the ordinary disk.
"""

import contextlib
import os
import signal
import subprocess
import time

from faults import FULL, wait_until

DISKS = {"kafka": 256, "postgres": 768}   # MB


def as_root(*command):
    sudo = [] if os.geteuid() == 0 else ["sudo", "-n"]
    return subprocess.run([*sudo, *command], capture_output=True, check=False).returncode == 0


class ServerFaults:
    """To be mixed into a FaultTest, before it."""

    disks = {}

    @classmethod
    def cluster_options(cls):
        cls.disks = {}
        for name, megabytes in DISKS.items():
            folder = os.path.join(cls.folder, name, "data")
            as_root("umount", "-l", folder)   # of a run that was cut off
            os.makedirs(folder, exist_ok=True)
            if as_root("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=700,uid={os.geteuid()},gid={os.getegid()}",
                       f"parvis-{name}", folder):
                cls.disks[name] = folder
                cls.addClassCleanup(as_root, "umount", "-l", folder)
        return super().cluster_options()

    # ---- F4, F5 ---------------------------------------------------------------------------------------------------

    def stop_and_launch(self, server, number):
        server.signal(number)
        server.await_end()
        began = time.monotonic()
        server.launch()
        return self.recovered(began)

    def freeze(self, server, seconds, **how):
        server.signal(signal.SIGSTOP, **how)
        try:
            self.await_some(seconds)
        finally:
            server.signal(signal.SIGCONT, **how)
        return self.recovered(time.monotonic())

    def test_f04_kafka_is_killed_restarted_and_frozen(self):
        kafka, loops = self.cluster.kafka, 5 if FULL else 1
        with self.load():
            for _ in range(loops):
                self.await_some(self.random.uniform(0.1, 2))
                for what, took in (("killed", lambda: self.stop_and_launch(kafka, signal.SIGKILL)),
                                   ("restarted", lambda: self.stop_and_launch(kafka, signal.SIGTERM)),
                                   ("frozen", lambda: self.freeze(kafka, 30 if FULL else 8))):
                    self.show.step(f"Kafka {what}: well again after {took():.1f} s")
        self.judge("F4", 3 * loops, loops)

    def test_f05_postgresql_is_killed_stopped_and_frozen(self):
        postgres, loops = self.cluster.postgres, 5 if FULL else 1
        with self.load():
            for _ in range(loops):
                self.await_some(self.random.uniform(0.1, 2))
                for what, took in (("killed", lambda: self.stop_and_launch(postgres, signal.SIGKILL)),
                                   ("stopped at once", lambda: self.stop_and_launch(postgres, signal.SIGQUIT)),
                                   ("frozen", lambda: self.freeze(postgres, 20 if FULL else 5, backends=True))):
                    self.show.step(f"PostgreSQL {what}: well again after {took():.1f} s")
        self.judge("F5", 3 * loops, loops)

    # ---- F9 -------------------------------------------------------------------------------------------------------

    def fill(self, name):
        """Takes every free block of the disk but a few pages, as a neighbour's log would, until free() or the test's end."""
        path = os.path.join(self.disks[name], "filler")
        self.addCleanup(self.free, path)
        with open(path, "wb") as file:
            while True:
                room = os.statvfs(self.disks[name])
                free = room.f_bavail * room.f_frsize
                if free < 4096:
                    return path
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), free)
                except OSError:   # somebody else was faster
                    continue

    @staticmethod
    def free(path):
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)

    def pending(self):
        return self.sandbox.audience_status()["pending"]

    def test_f09_the_disk_of_kafka_is_full(self):
        if "kafka" not in self.disks:
            self.skipTest("no tmpfs without root")
        with self.load():
            filler = self.fill("kafka")
            wait_until(lambda: self.pending() > 0, 60, "webhooks are refused and wait at the networks")
            acked = self.sandbox.audience_status()["acknowledged"]
            self.await_some(5)
            self.assertLess(self.sandbox.audience_status()["acknowledged"] - acked, 50, "nearly nothing is promised any more")
            self.free(filler)
            began = time.monotonic()
            if not self.cluster.kafka.running():
                self.show.step("Kafka has ended itself, as it does when it cannot write; it is started again")
                self.cluster.kafka.launch()
            self.recovered(began, 120)
        self.judge("F9", 1, note="Kafka's disk")

    def test_f09_the_disk_of_postgresql_is_full(self):
        if "postgres" not in self.disks:
            self.skipTest("no tmpfs without root")
        postgres = self.cluster.postgres
        with self.load():
            filler = self.fill("postgres")
            stored = self.job.stored
            last = [time.monotonic(), -1]

            def stands_still():
                if not postgres.running():
                    return True
                count = self.count_or_none(stored)   # None: it cannot even be asked
                if count is not None and count != last[1]:
                    last[:] = [time.monotonic(), count]
                return time.monotonic() - last[0] > 5

            wait_until(stands_still, 120, "nothing can be stored any more", 0.3)
            self.free(filler)
            began = time.monotonic()
            if not postgres.running():
                self.show.step("PostgreSQL has ended itself: it could not write its log; it is started again")
                postgres.launch()
            self.recovered(began, 120)
        self.judge("F9", 1, note="PostgreSQL's disk")

    @staticmethod
    def count_or_none(count):
        try:
            return count()
        except Exception:   # psql cannot ask now
            return None
