"""Time and membership: F10 a service's clock is wrong and steps, F11 members of the groups come and go without an end."""

import os
import subprocess
import time
from datetime import datetime, timedelta, timezone

from faults import FULL, wait_until
from parvis_local.main_job import parse

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
EARLY = timedelta(milliseconds=300)   # as far as the sandbox's rounding and the offset's measurement go
STORM = ("inbox", "moderation", "publishing", "metrics")


class ClockFaults:
    """To be mixed into a FaultTest."""

    # ---- F10 ------------------------------------------------------------------------------------------------------

    def clock_file(self, name):
        return os.path.join(self.folder, f"clock-{name}")

    def set_clocks(self, **offsets):
        """Seconds by which the processes' wall clocks are wrong from now on (within a second: libfaketime looks again)."""
        for name, seconds in offsets.items():
            path = self.clock_file(name.replace("_", "-"))
            with open(path + ".part", "w", encoding="ascii") as file:
                file.write(f"{seconds:+d}\n")
            os.rename(path + ".part", path)

    def fake_clocks(self, names):
        preload = [LIBRARY]
        linked = subprocess.run(["ldd", f"{self.cluster.build}/bin/parvis-publishing"], capture_output=True, text=True,
                                check=False).stdout
        preload = [line.split("=>")[1].split()[0] for line in linked.splitlines() if "libasan" in line] + preload
        for name in names:
            self.cluster.extra_env[name] = {
                "LD_PRELOAD": ":".join(preload), "FAKETIME_TIMESTAMP_FILE": self.clock_file(name),
                "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1"}

    def restart_all(self, names):
        for name in names:
            self.cluster.kill(name)
        for name in names:
            self.cluster.relaunch(name)
        for name in names:
            self.cluster.await_ready(name)
        self.cluster.await_reachable()

    def schedule_posts(self, seconds):
        """A campaign's posts, due from so many seconds after now on."""
        self.job.write_campaign()
        posts, self.job.posts = self.job.posts[-4:], self.job.posts[:-4]
        due = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        for number, post in enumerate(posts):
            self.job.approve(post)
            self.job.schedule(post, due + timedelta(milliseconds=700 * number))
        return {post.rsplit("/", 1)[1] for post in posts}

    def await_delivered(self, count, known, seconds=90):
        """The post deliveries that are not in `known`, once so many are delivered."""
        found = []

        def delivered():
            found[:] = [d for d in self.job.deliveries(kind="DELIVERY_KIND_POST") if d["name"] not in known]
            return sum(d["state"] == "DELIVERY_STATE_DELIVERED" for d in found) >= count

        wait_until(delivered, seconds, f"{count} posts are delivered", 0.3)
        return found

    def assert_not_early(self, deliveries):
        """By the networks' own clock."""
        accepted = {(e["network"], e["remote_id"]): parse(e["time"]) for e in self.sandbox.journal()
                    if e["kind"] == "post" and e["by"] == "us"}
        early = {d["name"]: str(parse(d["dueTime"]) - accepted[(d["network"], d["remoteId"])]) for d in deliveries
                 if accepted[(d["network"], d["remoteId"])] < parse(d["dueTime"]) - EARLY}
        self.assertEqual({}, early, "published before their time")

    def test_f10_the_clocks_of_publishing_are_wrong_and_step(self):
        if not os.path.exists(LIBRARY):
            self.skipTest("libfaketime is not installed")
        names = ("publishing", "publishing-1")
        self.fake_clocks(names)
        self.set_clocks(publishing=0, publishing_1=0)
        self.restart_all(names)
        steps = [(600, 600), (600, -600), (0, 0), (-600, 600), (-600, -600), (0, 0)] if FULL else [(600, -600), (-600, 600)]
        try:
            with self.load(rate=10):
                for first, second in steps:
                    known = {d["name"] for d in self.job.deliveries(kind="DELIVERY_KIND_POST")}
                    self.schedule_posts(8)
                    self.set_clocks(publishing=first, publishing_1=second)
                    self.assert_not_early(self.await_delivered(12, known))
                    self.show.step(f"clocks at {first:+d} s and {second:+d} s: 12 posts on time")
                self.set_clocks(publishing=0, publishing_1=0)
                self.recovered(time.monotonic())
        finally:
            for name in names:
                self.cluster.extra_env.pop(name, None)
            self.restart_all(names)
        self.judge("F10", len(steps), len(steps))

    # ---- F11 ------------------------------------------------------------------------------------------------------

    def test_f11_members_join_and_leave_all_the_while(self):
        loops = 20 if FULL else 10
        for service in STORM:   # without a name of their own they leave at once, as a scaled-down replica does
            self.cluster.extra_flags[f"{service}-2"] = {"bus_instance": "", "rpc_address": "127.0.0.1:0"}
        with self.load():
            for number in range(loops):
                service = STORM[number % len(STORM)]
                name = self.cluster.relaunch(f"{service}-2")
                self.cluster.await_ready(name)
                self.await_some(self.random.uniform(0, 1.5))
                if self.random.random() < 0.5:
                    self.cluster.kill(name)
                else:
                    self.assertTrue(self.cluster.children[name].stop(), f"{name} stops when asked")
                del self.cluster.children[name]
            self.recovered(time.monotonic())
        self.judge("F11", 2 * loops, loops)
