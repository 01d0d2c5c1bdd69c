"""What tests of posts share: a picture, a post that may be scheduled, and what the networks have taken."""

import os
import struct
import sys
import zlib
from datetime import datetime, timedelta, timezone

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import SystemTest  # noqa: E402
from parvis_local.main_job import PUBLISHING  # noqa: E402


def png(side, random):
    """A picture of noise, so that it does not become small."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + random.randbytes(side * 3) for _ in range(side))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) + \
        chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class PostTest(SystemTest):
    """Its tests may come in any order: each calls team() first."""

    def accepted(self):
        """Posts by (network, text) in the networks' own journal."""
        count = {}
        for entry in self.sandbox.journal():
            if entry["kind"] == "post":
                key = (entry["network"], entry["text"])
                count[key] = count.get(key, 0) + 1
        return count

    def team(self):
        if not self.job.workspace:
            self.job.create_team()
            self.job.connect_channels()

    def approved(self, name, variants):
        """A campaign with one post that may be scheduled; the names of both."""
        campaign = self.job.create_campaign(name)
        post = self.job.create_post(campaign, variants)
        self.job.approve(post)
        return campaign, post

    def schedule(self, post):
        self.job.schedule(post, datetime.now(timezone.utc) + timedelta(seconds=1))

    def published(self, post):
        return self.job.client("manager").call(f"{PUBLISHING}/GetPost", {"name": post})["state"] == "POST_STATE_PUBLISHED"
