"""S2: media by public address, where nobody shows a key: what one address opens, and that nothing else opens anything; part of
access_test.py."""

from attack import NOT_FOUND, descriptors, encode, grpc, http, media_address
from parvis_local.connect import new_id
from parvis_local.main_job import MEDIA
from parvis_local.media import upload_file


class MediaAddresses:
    """Needs self.mine and self.other: two teams."""

    def fetch(self, path, method="GET"):
        return http(self.cluster.address("gateway_http"), method, path)

    def test_an_address_opens_one_medium_and_nothing_else(self):
        key, mine = self.cluster.secret("media_address_key"), self.mine.client("manager")
        medium = upload_file(mine, MEDIA, self.mine.workspace, "image/jpeg")["name"]
        another = upload_file(mine, MEDIA, self.mine.workspace, "video/mp4")["name"]
        unfinished = mine.call(
            f"{MEDIA}/CreateMedia",
            {"parent": self.mine.workspace, "requestId": new_id(), "media": {"displayName": "m", "sizeBytes": "10"}},
        )["name"]
        address = media_address(key, medium)
        status, _, content = self.fetch(address)
        self.assertEqual((status, content[:2]), (200, b"\xff\xd8"))
        theirs = self.other.workspace.split("/")[1]
        query = address.split("?")[1]
        nothing = {
            "another key": media_address("another key", medium),
            "no key": media_address("", medium),
            "expired": media_address(key, medium, seconds=-1),
            "prolonged": address.replace("expires=", "expires=9"),
            "another medium": f"/media/{'/'.join(another.split('/')[1::2])}?{query}",
            "another workspace": address.replace(medium.split("/")[1], theirs),
            "signed for another workspace": media_address(key, medium.replace(medium.split("/")[1], theirs)),
            "never there": media_address(key, f"{self.mine.workspace}/media/{new_id()}"),
            "not ready": media_address(key, unfinished),
            "no query": address.split("?")[0],
            "no medium": "/media/",
        }
        answers = {}
        for what, path in nothing.items():
            status, _, body = self.fetch(path)
            self.assertEqual(status, 404, what)
            answers.setdefault(body, []).append(what)
        self.assertEqual(len(answers), 1, f"the answers tell them apart: {list(answers.values())}")
        self.assertEqual(self.fetch(address, "POST")[0], 405)
        mine.call(f"{MEDIA}/DeleteMedia", {"name": medium})
        self.assertEqual(self.fetch(address)[0], 404, "what is deleted is gone, whatever was signed")

    def test_what_needs_no_key_proves_itself(self):
        medium = upload_file(self.mine.client("manager"), MEDIA, self.mine.workspace, "image/jpeg")["name"]
        request = {"name": medium, "expires": "4000000000", "signature": "A" * 43, "length": 10}
        seen = 0
        for _, _, method, name in descriptors.methods():
            if name not in descriptors.FOR_ANYONE:
                continue
            seen += 1
            for key in (None, "Bearer nobody", "Bearer " + self.mine.keys["owner"]):
                refused = grpc(self.cluster.address("publishing_grpc"), name, encode(method.input_type, request), key)
                self.assertEqual(refused[0], NOT_FOUND, refused)
            status, _, _ = http(self.cluster.address("gateway_http"), "POST", f"/{name}", b"{}",
                                {"Content-Type": "application/json"})
            self.assertEqual(status, 404, "not offered to people")
        self.assertEqual(seen, len(descriptors.FOR_ANYONE))
