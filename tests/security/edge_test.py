"""S1, S5 and S6: what strangers can send to the two doors, the webhook receiver and the gateway, and to the gRPC port
behind them: forged and replayed calls, bodies made to hurt, connections made to be held."""

import gzip
import json
import struct
import threading
import time
import urllib.parse

from attack import alive, await_resident_below, grpc, http, metric, raw, read_to_end, resident_mb, sign_facebook, sign_x
from attack import slack, without_rate_limits
from http2 import Http2Flood
from system import SystemTest, main
from parvis_local.connect import ConnectError
from parvis_local.main_job import ACCOUNTS, INBOX
from parvis_local.processes import wait_until

PREVIOUS = "the-secret-before-the-last-rotation"
SHORT = {"http_header_max": "1s", "http_body_max": "2s", "http_keepalive_max": "2s", "http_connections_max": 40}
GROWTH_MAX_MB = 150  # of a process under all that is sent here


class Edge(SystemTest):
    extra_flags = {
        "ingestion": dict(SHORT),
        "gateway": {**SHORT, **without_rate_limits(), "streams_max": 10},
    }

    @classmethod
    def setUpClass(cls):
        cls.number = 0  # of comments
        super().setUpClass()
        path = cls.cluster.secret_file("previous_facebook")
        with open(path, "w", encoding="ascii") as file:
            file.write(PREVIOUS)
        cls.cluster.extra_flags["ingestion"]["webhook_previous_secret_files"] = f"facebook={path}"
        cls.cluster.children["ingestion"].stop()
        cls.cluster.restart("ingestion")
        cls.job.create_team()
        cls.job.connect_channels()
        cls.hooks, cls.door = cls.cluster.address("ingestion_http"), cls.cluster.address("gateway_http")
        cls.page = cls.job.sandbox_accounts["facebook"]["remote_id"]
        cls.secret, cls.x_secret = cls.cluster.secret("facebook_app_secret"), cls.cluster.secret("x_consumer_secret")

    # ---- webhooks --------------------------------------------------------------------------------------------------

    def comment(self, age=0, page=None, text="bonjour"):
        """(id, body) of a new comment below a post of our page."""
        type(self).number += 1
        remote_id, now = f"77_{self.number}", int(time.time() - age)
        return (
            remote_id,
            json.dumps(
                {
                    "object": "page",
                    "entry": [
                        {
                            "id": page or self.page,
                            "time": now,
                            "changes": [
                                {
                                    "field": "feed",
                                    "value": {
                                        "item": "comment",
                                        "verb": "add",
                                        "post_id": f"{self.page}_1",
                                        "parent_id": f"{self.page}_1",
                                        "comment_id": remote_id,
                                        "created_time": now,
                                        "from": {"id": "999", "name": "A"},
                                        "message": text,
                                    },
                                }
                            ],
                        }
                    ],
                }
            ).encode(),
        )

    def post(self, body, headers, network="facebook"):
        return http(self.hooks, "POST", f"/webhooks/{network}", body, {"Content-Type": "application/json", **headers})

    def stored(self, remote_id):
        return int(
            self.cluster.postgres.psql(f"SELECT count(*) FROM inbox.messages WHERE remote_key = '{remote_id}'")[0][0]
        )

    def await_stored(self, remote_id):
        wait_until(lambda: self.stored(remote_id), 30, f"{remote_id} is in the inbox")

    def test_s1_only_what_the_network_signed_is_taken(self):
        before = metric(
            self.cluster, "ingestion", "parvis_ingestion_webhooks_total", network="facebook", outcome="unsigned"
        )
        forged = []
        wrong = (
            lambda b: {},
            lambda b: {"X-Hub-Signature-256": ""},
            lambda b: {"X-Hub-Signature-256": "sha256="},
            lambda b: {"X-Hub-Signature-256": "sha256=" + "0" * 64},
            lambda b: sign_facebook(self.x_secret, b),
            lambda b: sign_facebook("", b),
            lambda b: sign_facebook(self.secret, b + b" "),
            lambda b: sign_facebook(self.secret, b.replace(b"bonjour", b"bonsoir")),
            lambda b: {"X-Hub-Signature": sign_facebook(self.secret, b)["X-Hub-Signature-256"]},
            lambda b: {"X-Hub-Signature-256": sign_facebook(self.secret, b)["X-Hub-Signature-256"][7:]},
            lambda b: {"X-Hub-Signature-256": sign_facebook(self.secret, b)["X-Hub-Signature-256"] + "0"},
        )
        for headers in wrong:
            remote_id, body = self.comment()
            status, _, answer = self.post(body, headers(body))
            self.assertEqual(status, 401, answer)
            forged.append(remote_id)
        remote_id, body = self.comment()
        self.assertEqual(self.post(body, sign_facebook(self.secret, body))[0], 200)
        self.await_stored(remote_id)
        self.assertEqual([self.stored(r) for r in forged], [0] * len(forged))
        after = metric(
            self.cluster, "ingestion", "parvis_ingestion_webhooks_total", network="facebook", outcome="unsigned"
        )
        self.assertEqual(after - before, len(wrong))

    def test_s1_both_keys_of_a_rotation_are_taken(self):
        for secret in (self.secret, PREVIOUS):
            remote_id, body = self.comment()
            self.assertEqual(self.post(body, sign_facebook(secret, body))[0], 200)
            self.await_stored(remote_id)

    def test_s1_replays_are_one_and_old_ones_are_refused(self):
        remote_id, body = self.comment()
        for _ in range(3):
            self.assertEqual(self.post(body, sign_facebook(self.secret, body))[0], 200)
        old_id, old = self.comment(age=40 * 3600)
        status, _, answer = self.post(old, sign_facebook(self.secret, old))
        self.assertEqual((status, json.loads(answer)["reason"]), (403, "WEBHOOK_REPLAYED"))
        stranger_id, stranger = self.comment(page="1234567890")
        self.assertEqual(self.post(stranger, sign_facebook(self.secret, stranger))[0], 200)
        last_id, last = self.comment()
        self.post(last, sign_facebook(self.secret, last))
        self.await_stored(last_id)
        self.await_stored(remote_id)
        self.assertEqual([self.stored(i) for i in (remote_id, old_id, stranger_id)], [1, 0, 0])

    def test_s1_the_challenge_of_x_signs_no_event(self):
        """Its answer is made with the key that signs events, for whoever asks: a signing oracle unless bounded."""
        us = self.job.sandbox_accounts["x"]["remote_id"]
        now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime())
        event = json.dumps(
            {
                "data": {
                    "event_type": "post.mention.create",
                    "filter": {"user_id": us},
                    "payload": {"id": "42424242", "text": "forged", "author_id": "11", "created_at": now},
                }
            }
        ).encode()
        status, _, answer = http(self.hooks, "GET", "/webhooks/x?crc_token=" + urllib.parse.quote(event))
        self.assertEqual(status, 400, answer)
        status, _, answer = http(self.hooks, "GET", "/webhooks/x?crc_token=plain-word")
        self.assertEqual(status, 200)
        signature = {"x-twitter-webhooks-signature": json.loads(answer)["response_token"]}
        self.assertEqual(signature, sign_x(self.x_secret, b"plain-word"))
        self.assertEqual(self.post(b"plain-word", signature, "x")[0], 401)
        for path in (
            "/webhooks/facebook",
            "/webhooks/facebook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
            "/webhooks/facebook?hub.mode=subscribe&hub.challenge=%3Cscript%3E&hub.verify_token="
            + self.cluster.secret("facebook_verify_token"),
        ):
            self.assertIn(http(self.hooks, "GET", path)[0], (400, 403), path)

    # ---- bodies ----------------------------------------------------------------------------------------------------

    def doors(self):
        """(service, address, path, headers that are right for a body) of both doors."""
        yield "ingestion", self.hooks, "/webhooks/facebook", lambda body: sign_facebook(self.secret, body)
        yield "gateway", self.door, f"/parvis.{INBOX}/ListConversations", lambda _: {
            "Authorization": f"Bearer {self.job.keys['owner']}",
            "Content-Type": "application/json",
        }

    def test_s5_bodies_without_end_are_cut(self):
        for service, address, path, headers in self.doors():
            before = resident_mb(self.cluster, service)
            said = "".join(f"{k}: {v}\r\n" for k, v in headers(b"").items())
            head = f"POST {path} HTTP/1.1\r\nHost: a\r\n{said}"
            peer = raw(address, f"{head}Content-Length: 104857600\r\n\r\n".encode() + b"{" * 65536)
            self.assertIn(b" 413 ", read_to_end(peer, 10)[:40], service)
            peer = raw(address, f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
            sent, answer = 0, b""
            try:
                while sent < 160 << 20:
                    peer.sendall(b"10000\r\n" + b"[" * 65536 + b"\r\n")
                    sent += 65536
            except OSError:
                pass
            try:
                answer = read_to_end(peer, 10)
            except OSError:
                pass
            # After its answer the server throws away at most 64 MiB, for 2 s, so that the answer is not lost.
            self.assertLess(sent, 96 << 20, f"{service} read on and on")
            self.assertTrue(b" 413 " in answer[:40] or not answer, answer[:100])
            await_resident_below(self.cluster, service, before + GROWTH_MAX_MB * slack(self.cluster))

    def bodies(self):
        deep = 100000
        yield "deep arrays", b'{"object":"page","entry":' + b"[" * deep + b"]" * deep + b"}"
        yield "deep objects", b'{"a":' * deep + b"1" + b"}" * deep
        yield "never closed", b"[" * deep
        yield "duplicate keys", b'{"object":"page","object":"user","entry":[],"entry":[{"id":"1"}],"parent":"a",' + (
            b'"parent":"b"}'
        )
        yield "no UTF-8", b'{"object":"page","entry":[{"id":"\xff\xfe\xc3\x28\xed\xa0\x80"}],"parent":"\xc0\xaf"}'
        yield "NUL", b'{"object":"page\0","entry":[{"id":"\0"}],"parent":"\0"}\0'
        yield "escaped NUL", b'{"object":"page","entry":[{"id":"a\\u0000b"}],"parent":"workspaces/\\u0000"}'
        yield "lone surrogate", b'{"object":"page","entry":[{"id":"\\ud800"}],"parent":"\\ud800"}'
        yield "huge number", b'{"object":"page","entry":[{"id":' + b"9" * 10000 + b'}],"pageSize":1e999999}'
        yield "many members", b'{"object":"page","entry":[' + b'{"id":"1"},' * 50000 + b"{}]}"
        yield "gzip", gzip.compress(b"{" + b" " * (50 << 20) + b"}")
        yield "empty", b""
        yield "not JSON", b"<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'x'>]><a>&x;</a>"

    def test_s5_bodies_made_to_hurt_are_answered(self):
        for service, address, path, headers in self.doors():
            before = resident_mb(self.cluster, service)
            for name, body in self.bodies():
                for coding in ({}, {"Content-Encoding": "gzip"}):
                    began = time.monotonic()
                    status, _, answer = http(address, "POST", path, body, {**headers(body), **coding})
                    took = time.monotonic() - began
                    # The gateway says what is wrong; the receiver keeps it among the dead
                    # letters, for the network's sake.
                    allowed = (400, 403, 404, 413, 415, 501) if service == "gateway" else (200, 400, 415)
                    self.assertIn(status, allowed, f"{service} {name}: {answer[:200]}")
                    self.assertLess(took, 10 * slack(self.cluster), f"{service} {name}")
            self.assertTrue(alive(self.cluster, service))
            await_resident_below(self.cluster, service, before + GROWTH_MAX_MB * slack(self.cluster))
        remote_id, body = self.comment()
        self.assertEqual(self.post(body, sign_facebook(self.secret, body))[0], 200)
        self.await_stored(remote_id)

    def test_s5_text_with_nul_and_broken_utf8_does_not_stop_the_stream(self):
        nul_id, nul = self.comment(text="a\0b")
        self.assertEqual(self.post(nul, sign_facebook(self.secret, nul))[0], 200)
        broken_id, broken = self.comment(text="KAPUTT")
        broken = broken.replace(b"KAPUTT", b"\xff\xfe")
        self.assertEqual(self.post(broken, sign_facebook(self.secret, broken))[0], 200)
        last_id, last = self.comment()
        self.post(last, sign_facebook(self.secret, last))
        self.await_stored(last_id)
        self.await_stored(nul_id)
        self.assertLessEqual(self.stored(broken_id), 1)

    def test_s5_the_gateways_framing_of_streams(self):
        path = f"/parvis.{INBOX}/WatchConversations"
        headers = {"Authorization": f"Bearer {self.job.keys['owner']}", "Content-Type": "application/connect+json"}
        for frame in (
            b"",
            b"\0",
            struct.pack(">BI", 0, 0xFFFFFFFF) + b"{}",
            struct.pack(">BI", 1, 2) + b"{}",
            struct.pack(">BI", 2, 2) + b"{}",
            (struct.pack(">BI", 0, 2) + b"{}") * 3,
            struct.pack(">BI", 0, 200000) + b"[" * 200000,
        ):
            status, _, answer = http(self.door, "POST", path, frame, headers)
            self.assertIn(status, (200, 400, 404, 415, 501), answer[:200])
            if status == 200:  # a stream's errors come in its end message
                self.assertIn(b'"error"', answer, frame[:20])
        self.assertTrue(alive(self.cluster, "gateway"))

    # ---- connections ------------------------------------------------------------------------------------------------

    def hold(self, address, first, drip):
        """30 connections that begin a request and then send a byte now and then; seconds until the server has closed
        all."""
        began, peers, lasted = time.monotonic(), [raw(address, first) for _ in range(30)], []

        def feed(peer):
            peer.settimeout(0.2)
            while time.monotonic() - began < 20:
                try:
                    peer.sendall(drip)
                    if not peer.recv(4096):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
            lasted.append(time.monotonic() - began)
            peer.close()

        feeders = [threading.Thread(target=feed, args=(peer,)) for peer in peers]
        for feeder in feeders:
            feeder.start()
        return feeders, lasted

    def test_s6_slow_headers_and_bodies_are_ended_and_others_served_meanwhile(self):
        for service, address, path, headers in self.doors():
            said = "".join(f"{k}: {v}\r\n" for k, v in headers(b"{}").items())
            for first, drip in (
                (f"POST {path} HTTP/1.1\r\nHost: a\r\nX-A: ".encode(), b"a"),
                (f"POST {path} HTTP/1.1\r\nHost: a\r\n{said}Content-Length: 1000\r\n\r\n".encode(), b" "),
            ):
                feeders, lasted = self.hold(address, first, drip)
                status = http(address, "POST", path, b"{}", headers(b"{}"))[0]
                self.assertIn(status, (200, 400), f"{service}: others are not served")
                for feeder in feeders:
                    feeder.join()
                self.assertLess(max(lasted), 15, f"{service}: a slow connection lived on")

    def test_s6_idle_connections_make_place(self):
        for service, address, path, headers in self.doors():
            peers = [raw(address) for _ in range(SHORT["http_connections_max"] + 40)]
            wait_until(
                lambda a=address, p=path, h=headers: http(a, "POST", p, b"{}", h(b"{}"))[0] in (200, 400),
                60,
                f"{service} serves again after idle connections are closed",
            )
            for peer in peers:
                peer.close()

    def test_s6_http2_floods_at_a_grpc_port(self):
        """Nobody from outside reaches this port; what a confused or hostile neighbour does must not end the service."""
        address, before = self.cluster.address("inbox_grpc"), resident_mb(self.cluster, "inbox")
        for kind in ("rapid_reset", "idle_streams", "settings", "ping", "continuation", "header_list", "priority"):
            flood = Http2Flood(address)
            flood.run(kind, seconds=2.0)
            print(
                f"  {kind}: {flood.sent} frames, ended by the server: {flood.refused}, "
                f"{resident_mb(self.cluster, 'inbox') - before:+.0f} MB",
                flush=True,
            )
            method = f"parvis.{INBOX}/ListConversations"
            wait_until(lambda m=method: grpc(address, m)[0] == 16, 90, f"the service answers after {kind}")
        self.assertTrue(alive(self.cluster, "inbox"))
        await_resident_below(self.cluster, "inbox", before + GROWTH_MAX_MB * slack(self.cluster))
        with self.assertRaises(ConnectError):
            self.job.operator.with_key("nobody").call(f"{ACCOUNTS}/GetWorkspace", {"name": self.job.workspace})


if __name__ == "__main__":
    main()
