"""F19, the store of media is away while posts are due: what needs a medium waits and goes out once, everything else goes on."""

import base64
import os
import signal
import subprocess
import sys
import time
import urllib.request

from posts import PostTest, png
from result import report
from system import ROOT, main, wait_until
from parvis_local.connect import ConnectError, new_id
from parvis_local.main_job import MEDIA
from parvis_local.media import upload
from parvis_local.processes import Child, free_port

BUCKET, KEY, SECRET = "parvis", "PARVISTESTID", "parvis-test-secret"


class MediaStore(PostTest):
    """Media are kept by a real S3 server, which belongs to the test."""

    @classmethod
    def setUpClass(cls):
        cls.port = free_port()
        cls.extra_flags = {"publishing": {
            "blob_store": "s3", "blob_s3_endpoint": f"http://127.0.0.1:{cls.port}", "blob_s3_bucket": BUCKET,
            "blob_s3_networks": "127.0.0.0/8",
            "blob_s3_credentials_file": os.path.join(ROOT, ".parvis/tests", cls.__name__, "s3", "credentials")}}
        super().setUpClass()

    @classmethod
    def cluster_options(cls):
        folder = os.path.join(cls.folder, "s3")
        for name in (f"data/{BUCKET}", "sidecar"):
            os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, "credentials"), "w", encoding="ascii") as file:
            file.write(f"{KEY}:{SECRET}\n")
        program = subprocess.run([sys.executable, os.path.join(ROOT, "tests/s3/versitygw.py")], stdout=subprocess.PIPE, text=True,
                                 check=True).stdout.strip()
        cls.server = Child("versitygw", [program, "--access", KEY, "--secret", SECRET, "--region", "us-east-1", "--port",
                                         f"127.0.0.1:{cls.port}", "posix", "--sidecar", os.path.join(folder, "sidecar"),
                                         os.path.join(folder, "data")], os.path.join(folder, "log")).start()
        cls.addClassCleanup(cls.server.kill)
        return super().cluster_options()

    def ask(self, path):
        with urllib.request.urlopen(f"http://{self.cluster.admin_address('publishing')}/{path}", timeout=5) as answer:
            return answer.read().decode()

    def degraded(self):
        return 'parvis_degraded{mode="media_store_away"} 1' in self.ask("metrics")

    def refused_upload(self, manager):
        medium = manager.call(f"{MEDIA}/CreateMedia", {"parent": self.job.workspace, "requestId": new_id(), "media": {
            "displayName": "late.png", "sizeBytes": "3"}})
        with self.assertRaises(ConnectError) as refused:
            manager.call(f"{MEDIA}/UploadMediaChunk", {"name": medium["name"], "offset": "0",
                                                       "content": base64.b64encode(b"abc").decode()})
        self.assertEqual((refused.exception.status, refused.exception.reason), (503, "BLOB_STORE_AWAY"))
        self.assertIn("google.rpc.RetryInfo", [detail["type"] for detail in refused.exception.details])

    def through_an_outage(self, what, medium, fail, heal):
        """Of posts with a picture for X and WordPress, and without one for Facebook; the seconds from the store's return on."""
        channels = self.job.channels
        picture = [{"media": medium["name"]}]
        campaign, post = self.approved(what, [
            {"channelId": channels["facebook"], "text": f"{what}: without a picture"},
            {"channelId": channels["x"], "text": f"{what}: with a picture", "media": picture},
            {"channelId": channels["wordpress"], "text": f"{what}: with a picture", "title": what, "media": picture}])
        before = len(self.sandbox.journal())
        fail()
        wait_until(self.degraded, 60, "publishing notices that the store is away", 0.2)
        self.refused_upload(self.job.client("manager"))
        self.assertIn("degraded: media_store_away", self.ask("readyz"), "and it is ready: its answer is 200")
        self.schedule(post)
        deliveries = lambda: {d["network"]: d for d in self.job.deliveries(campaign=campaign)}  # noqa: E731
        wait_until(lambda: all(deliveries()[n].get("error", {}).get("reason") == "TRANSIENT" for n in ("x", "wordpress")), 30,
                   "both pictures have been tried, and wait", 0.2)
        wait_until(lambda: deliveries()["facebook"]["state"] == "DELIVERY_STATE_DELIVERED", 30, "what needs no medium goes out", 0.2)
        states = {n: d["state"] for n, d in deliveries().items() if n != "facebook"}
        self.assertLessEqual(set(states.values()), {"DELIVERY_STATE_SCHEDULED", "DELIVERY_STATE_CLAIMED", "DELIVERY_STATE_SENT"}, states)
        heal()
        began = time.monotonic()
        wait_until(lambda: self.published(post), 60, "the pictures are out", 0.2)
        took = time.monotonic() - began
        wait_until(lambda: not self.degraded(), 60, "the mode has ended", 0.2)
        self.assertEqual({d["state"] for d in deliveries().values()}, {"DELIVERY_STATE_DELIVERED"})
        written = [e["network"] for e in self.sandbox.journal()[before:] if e["by"] == "us" and e["kind"] == "post"]
        self.assertEqual(sorted(n for n in written if n != "facebook"), ["wordpress", "x"], "each once")
        return took

    def test_f19_pictures_wait_for_their_store_and_go_out_once(self):
        self.team()
        wait_until(lambda: not self.degraded(), 30, "the store is reached", 0.2)
        medium = upload(self.job.client("manager"), MEDIA, self.job.workspace, png(100, self.random), "lamp.png", "A lamp")
        took = [self.through_an_outage("Killed", medium, self.server.kill, self.server.start),
                self.through_an_outage("Frozen", medium, lambda: self.server.signal(signal.SIGSTOP),
                                       lambda: self.server.signal(signal.SIGCONT))]
        report("F19", 1, 2, recovery=max(took), note="both pictures once, the text meanwhile")


if __name__ == "__main__":
    main()
