"""Guarantee 3, nothing is published twice: what happens between the network's yes and our knowing of it."""

import base64
import hashlib
import json
import os
import subprocess
import urllib.error
import urllib.request

from posts import PostTest, png
from result import report
from system import SystemTest, main, wait_until
from parvis_local.connect import ConnectError, new_id
from parvis_local.main_job import MEDIA
from parvis_local.media import upload, upload_file


class Delivery(PostTest):
    # Reconciling waits for a settle time and looks twice; shorter here, the rule is the same.
    extra_flags = {"publishing": {"read_spacing": "1s", "media_chunk_bytes": 65536, "media_sweep_every": "200ms",
                                  "media_convert_lease": "5s"}}

    def posts(self):
        return self.job.deliveries(kind="DELIVERY_KIND_POST")

    def test_answers_that_never_arrive_and_a_killed_publisher(self):
        self.job.create_team()
        self.job.connect_channels()
        self.job.write_policy()
        self.job.write_campaign()
        self.sandbox.accept_duplicates()
        # Every network takes the first post and then says nothing: a reset, a 504; one is only slow while we are killed.
        self.sandbox.fault("facebook", "post", "accept_then_reset", count=1)
        self.sandbox.fault("x", "post", "accept_then_504", count=1)
        self.sandbox.fault("wordpress", "post", "delay", count=1, delay_ms=1500)
        self.job.approve_and_schedule()

        def some_call_is_under_way():
            return any(d["state"] in ("DELIVERY_STATE_SENT", "DELIVERY_STATE_UNKNOWN", "DELIVERY_STATE_DELIVERED")
                       for d in self.posts())

        wait_until(some_call_is_under_way, 60, "a delivery is sent")
        self.cluster.kill("publishing")
        self.cluster.restart("publishing")
        planned = len(self.job.posts) * len(self.job.channels)
        wait_until(lambda: sum(d["state"] == "DELIVERY_STATE_DELIVERED" or d.get("needsHuman", False)
                               for d in self.posts()) == planned, 180, "every post is delivered, or shown to a person", 0.5)
        doubled = {key: n for key, n in self.accepted().items() if n != 1}
        delivered = sum(d["state"] == "DELIVERY_STATE_DELIVERED" for d in self.posts())
        report("F2", 1, 4, 0, len(doubled), note=f"{delivered} of {planned} delivered, the rest is shown to a person")
        self.assertEqual(doubled, {}, "accepted more than once by a network")
        # A channel's posts go out one after the other: the kill can have met one of each. X refuses doubles, so that its own
        # is sent again; what else was under way and did not arrive is for a person to decide.
        waiting = [d["network"] for d in self.posts() if d["state"] != "DELIVERY_STATE_DELIVERED"]
        self.assertLessEqual(set(waiting), {"facebook", "wordpress"})
        self.assertEqual(len(waiting), len(set(waiting)), waiting)
        for delivery in self.posts():
            self.assertEqual(delivery["state"] == "DELIVERY_STATE_DELIVERED", bool(delivery.get("remoteId")), delivery)

    def test_history_is_readable(self):
        for delivery in self.posts()[:3]:
            steps = self.job.client("owner").call("publishing.v1.PublishingService/ListDeliveryTransitions",
                                                  {"parent": delivery["name"]})["transitions"]
            self.assertGreaterEqual(len(steps), 3, steps)

    def test_a_thread_goes_on_though_the_publisher_dies_between_two_parts(self):
        self.team()
        texts = [f"{word} of {new_id()}" for word in ("The first part", "The second", "The third")]
        campaign, post = self.approved("A thread", [{
            "channelId": self.job.channels["x"], "text": texts[0], "thread": [{"text": text} for text in texts[1:]]}])
        before = len(self.sandbox.journal())
        self.schedule(post)

        def delivered():
            return [d for d in self.job.deliveries(campaign=campaign) if d["state"] == "DELIVERY_STATE_DELIVERED"]

        wait_until(delivered, 60, "the first part is out", 0.1)
        self.cluster.kill("publishing")
        self.cluster.restart("publishing")
        wait_until(lambda: self.published(post), 60, "the thread is out", 0.2)
        parts = sorted(delivered(), key=lambda d: d.get("threadPart", 0))
        self.assertEqual([d["text"] for d in parts], texts)
        written = [e for e in self.sandbox.journal()[before:] if e["by"] == "us" and e["text"] in texts]
        self.assertEqual([e["text"] for e in written], texts, "in order, each once")
        self.assertEqual([e["parent"] for e in written[1:]], [e["remote_id"] for e in written[:-1]], "each answers the one before")

    def upload(self, content):
        """In chunks of 64 KiB; publishing dies behind the first one, and the upload goes on where it had come to."""
        client = self.job.client("manager")
        medium = client.call(f"{MEDIA}/CreateMedia", {"parent": self.job.workspace, "requestId": new_id(), "media": {
            "displayName": "lamp.png", "altText": "A lamp", "sizeBytes": str(len(content))}})

        def send(offset):
            part = content[offset:offset + medium["chunkBytes"]]
            return client.call(f"{MEDIA}/UploadMediaChunk", {"name": medium["name"], "offset": str(offset),
                                                             "content": base64.b64encode(part).decode()})

        send(0)
        self.cluster.kill("publishing")
        self.cluster.restart("publishing")
        arrived = int(client.call(f"{MEDIA}/GetMedia", {"name": medium["name"]})["receivedBytes"])
        self.assertEqual(arrived, medium["chunkBytes"])
        calls = 1
        while arrived < len(content):
            arrived, calls = int(send(arrived)["receivedBytes"]), calls + 1
        self.assertEqual(calls, 3)
        return client.call(f"{MEDIA}/FinishMedia", {"name": medium["name"], "sha256": hashlib.sha256(content).hexdigest()})

    def test_pictures_that_we_keep_go_out(self):
        self.team()
        manager = self.job.client("manager")
        content = png(240, self.random)
        medium = self.upload(content)
        self.assertEqual((medium["state"], medium["facts"]["type"], medium["facts"]["width"]), ("MEDIA_STATE_READY", "image/png", 240))
        channels = [f"{self.job.workspace}/channels/{channel}" for channel in self.job.channels.values()]
        for check in manager.call(f"{MEDIA}/CheckMedia", {"name": medium["name"], "channels": channels})["checks"]:
            self.assertTrue(check.get("fits"), check)
        variants = [{"channelId": channel, "text": "A lamp that we keep", "title": "A lamp" if name == "wordpress" else "",
                     "media": [{"media": medium["name"]}]} for name, channel in self.job.channels.items()]
        campaign, post = self.approved("Pictures", variants)
        with self.assertRaises(ConnectError) as refused:
            manager.call(f"{MEDIA}/DeleteMedia", {"name": medium["name"]})
        self.assertEqual(refused.exception.reason, "MEDIA_IN_USE")
        before = len(self.sandbox.journal())
        self.schedule(post)
        wait_until(lambda: self.published(post), 60, "the pictures are out", 0.2)
        states = {d["network"]: d["state"] for d in self.job.deliveries(campaign=campaign)}
        self.assertEqual(set(states.values()), {"DELIVERY_STATE_DELIVERED"}, states)
        media = {e["network"]: e for e in self.sandbox.journal()[before:] if e["kind"] == "media"}
        self.assertEqual(set(media), set(self.job.channels))
        photo = json.loads(self.sandbox.control("GET", f"state/facebook/{media['facebook']['remote_id']}"))
        self.assertEqual(photo["size"], str(len(content)), "Facebook has all of it")
        manager.call(f"{MEDIA}/DeleteMedia", {"name": medium["name"]})
        folder = os.path.join(self.folder, "media")
        wait_until(lambda: not [f for _, _, files in os.walk(folder) for f in files], 30, "its content is deleted", 0.2)

    def instagram_channel(self):
        return self.job.connect("instagram", self.sandbox.create_account("instagram", "Lumen"), "Lumen on Instagram")

    def test_pictures_that_instagram_fetches(self):
        """It takes no uploads of pictures: the delivery gives it an address, and the gateway the picture."""
        self.team()
        manager = self.job.client("manager")
        channel = self.instagram_channel()
        medium = upload_file(manager, MEDIA, self.job.workspace, "image/jpeg")
        check = manager.call(f"{MEDIA}/CheckMedia", {"name": medium["name"], "channels": [channel]})["checks"][0]
        self.assertTrue(check.get("fits"), check)
        campaign, post = self.approved("Fetched", [{"channelId": channel.rsplit("/", 1)[1], "text": "A lamp to be fetched",
                                                    "media": [{"media": medium["name"]}]}])
        before = len(self.sandbox.journal())
        self.schedule(post)
        wait_until(lambda: self.published(post), 60, "the picture is out", 0.2)
        container = next(e for e in self.sandbox.journal()[before:] if e["network"] == "instagram" and e["kind"] == "media")
        given = json.loads(self.sandbox.control("GET", f"state/instagram/{container['remote_id']}"))["link"]
        self.assertTrue(given.startswith(f"{self.cluster.gateway_url}/media/"), given)
        with urllib.request.urlopen(given, timeout=10) as answer:
            content = answer.read()
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "image/jpeg"))
        self.assertEqual(hashlib.sha256(content).hexdigest(), medium["sha256"])
        part = urllib.request.Request(given, headers={"Range": "bytes=100-199"})
        with urllib.request.urlopen(part, timeout=10) as answer:
            self.assertEqual((answer.status, answer.read()), (206, content[100:200]))
        for delivery in self.job.deliveries(campaign=campaign):
            self.assertNotIn("signature", json.dumps(delivery), "the address is nobody else's business")
        manager.call(f"{MEDIA}/DeleteMedia", {"name": medium["name"]})
        with self.assertRaises(urllib.error.HTTPError) as gone:
            urllib.request.urlopen(given, timeout=10)
        self.assertEqual(gone.exception.code, 404)

    def test_what_is_too_large_is_converted(self):
        self.team()
        manager = self.job.client("manager")
        large = upload(manager, MEDIA, self.job.workspace, png(1300, self.random), "noise.png")
        channel = f"{self.job.workspace}/channels/{self.job.channels['facebook']}"
        check = manager.call(f"{MEDIA}/CheckMedia", {"name": large["name"], "channels": [channel]})["checks"][0]
        self.assertFalse(check.get("fits", False))
        self.assertEqual([v["reason"] for v in check["violations"]], ["MEDIA_TOO_LARGE"])
        self.assertTrue(check["conversion"]["changes"])
        request = {"name": large["name"], "channel": channel, "requestId": new_id()}
        small = manager.call(f"{MEDIA}/ConvertMedia", request)
        self.assertEqual((small["state"], small["source"]), ("MEDIA_STATE_READY", large["name"]))
        self.assertEqual(manager.call(f"{MEDIA}/ConvertMedia", request)["name"], small["name"], "the same request, the same medium")
        print(f"{large['sizeBytes']} bytes of {large['facts']['type']} become {small['sizeBytes']} of {small['facts']['type']}: "
              f"{check['conversion']['changes']}", flush=True)
        check = manager.call(f"{MEDIA}/CheckMedia", {"name": small["name"], "channels": [channel]})["checks"][0]
        self.assertTrue(check.get("fits"), check)

    def test_a_video_is_converted_through_a_kill(self):
        if not self.job.workspace:
            self.job.create_team()
            self.job.connect_channels()
        manager = self.job.client("manager")
        file = os.path.join(self.folder, "lamp.webm")
        # 20 s keep the encoder busy for as long as it takes to kill it.
        subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=20", "-c:v",
                        "libvpx", "-deadline", "realtime", "-cpu-used", "8", file], check=True)
        with open(file, "rb") as content:
            video = upload(manager, MEDIA, self.job.workspace, content.read(), "lamp.webm")
        os.remove(file)
        channel = f"{self.job.workspace}/channels/{self.job.channels['x']}"
        check = manager.call(f"{MEDIA}/CheckMedia", {"name": video["name"], "channels": [channel]})["checks"][0]
        self.assertEqual({v["reason"] for v in check["violations"]}, {"MEDIA_TYPE", "MEDIA_CODEC"})
        self.assertTrue(check["conversion"]["later"])
        made = manager.call(f"{MEDIA}/ConvertMedia", {"name": video["name"], "channel": channel, "requestId": new_id()})
        self.assertEqual((made["state"], made["source"]), ("MEDIA_STATE_CONVERTING", video["name"]))
        self.cluster.kill("publishing")
        self.cluster.restart("publishing")
        get = lambda: manager.call(f"{MEDIA}/GetMedia", {"name": made["name"]})  # noqa: E731
        wait_until(lambda: get()["state"] != "MEDIA_STATE_CONVERTING", 120, "the video is converted", 0.2)
        made = get()
        self.assertEqual(made["state"], "MEDIA_STATE_READY", made.get("refusal"))
        self.assertEqual((made["facts"]["type"], made["facts"]["videoCodec"], made["facts"]["width"]), ("video/mp4", "h264", 320))
        check = manager.call(f"{MEDIA}/CheckMedia", {"name": made["name"], "channels": [channel]})["checks"][0]
        self.assertTrue(check.get("fits"), check)
        for name in (made["name"], video["name"]):
            manager.call(f"{MEDIA}/DeleteMedia", {"name": name})


class Limits(SystemTest):
    """A network that counts its endpoints apart: what waits for one window holds back nothing but itself."""

    comments = 2400

    def hides(self, *states):
        return [d for d in self.job.deliveries(kind="DELIVERY_KIND_HIDE") if d["network"] == "x" and d["state"] in states]

    def test_posts_go_out_while_the_hides_wait_for_their_window(self):
        self.team_and_campaign()
        self.sandbox.accept_duplicates()
        # X's own number, in windows that a test can wait for. 2400 comments bring about 90 hides.
        self.sandbox.control("POST", "limits", {"network": "x", "endpoint": "tweets.hidden", "limit": 50, "window_seconds": 60})
        self.job.release_audience()
        waiting = ("DELIVERY_STATE_SCHEDULED", "DELIVERY_STATE_CLAIMED")
        ended = ("DELIVERY_STATE_DELIVERED", "DELIVERY_STATE_FAILED")   # failed: its author was faster
        wait_until(lambda: len(self.hides(*ended)) >= 50, 30, "the first window is used up", 0.2)
        self.job.write_campaign()
        self.job.posts = self.job.posts[-4:]
        before = {d["name"] for d in self.job.deliveries(kind="DELIVERY_KIND_POST")}
        self.job.approve_and_schedule()

        def out():
            new = [d for d in self.job.deliveries(kind="DELIVERY_KIND_POST") if d["name"] not in before]
            return len(new) == 12 and all(d["state"] == "DELIVERY_STATE_DELIVERED" for d in new)

        wait_until(out, 20, "the second campaign is out", 0.2)
        self.assertEqual(len(self.hides(*ended)), 50, "the window has not ended yet")
        self.assertGreater(len(self.hides(*waiting)), 10)
        self.job.await_answers()
        self.assertGreater(len(self.hides("DELIVERY_STATE_DELIVERED")), 60)
        refused = [d for d in self.job.deliveries() if int(d.get("attempts", 1)) > 1 and d["network"] == "x"]
        self.assertEqual(refused, [], "the headers told: no call had to be refused")
        self.assert_clean()


if __name__ == "__main__":
    main()
