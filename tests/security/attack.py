"""What the security tests share: requests by descriptor, calls past the gateway, hostile peers, what a process
reveals."""

import base64
import hashlib
import hmac
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../system"))
sys.path.insert(0, os.path.join(HERE, "../protos"))
import descriptors_test as descriptors  # noqa: E402
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory  # noqa: E402
from isolation_test import camel, exposed, request_for  # noqa: E402, F401
from parvis_local.processes import wait_until  # noqa: E402

OUTPUT_ONLY, FIELD_BEHAVIOR = 3, 1052  # google/api/field_behavior.proto
UNAUTHENTICATED, PERMISSION_DENIED, NOT_FOUND, UNIMPLEMENTED = 16, 7, 5, 12


def without_rate_limits():
    """Flags of a gateway whose rate limits are out of the way (tests/load is where they are tried)."""
    with open(os.path.join(descriptors.ROOT, "docs/reference/config.md"), encoding="utf-8") as file:
        known = file.read()
    names = (f"{whose}calls_{what}" for whose in ("", "workspace_", "unknown_") for what in ("per_second", "burst"))
    return {name: 100000 for name in names if f"`--{name}`" in known}


# ---- by descriptor ------------------------------------------------------------------------------------------------


def _pool():
    with tempfile.NamedTemporaryFile(suffix=".binpb") as out:
        root = descriptors.ROOT
        names = [file.name for file in descriptors.FILES]
        subprocess.run(
            ["protoc", f"-I{root}/protos", f"-I{descriptors.GOOGLEAPIS}", "--include_imports", f"-o{out.name}", *names],
            check=True,
        )
        files = descriptor_pb2.FileDescriptorSet.FromString(out.read())
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return pool


POOL = _pool()
_FACTORY = message_factory.MessageFactory(POOL)


def encode(type_name, request):
    """The wire form of a request given as JSON; `type_name` as in descriptors: ".parvis.inbox.v1.ReplyRequest"."""
    message = _FACTORY.GetPrototype(POOL.FindMessageTypeByName(type_name.lstrip(".")))()
    return json_format.ParseDict(request, message).SerializeToString()


def behaviors(field):
    """The google.api.field_behavior values of a field, read from the wire: packed or one by one."""
    data, at, found = field.options.SerializeToString(), 0, []
    while at < len(data):
        tag, at = descriptors.varint(data, at)
        value, at = descriptors.varint(data, at)  # a number, or the length of what follows
        end = at + value if tag & 7 == 2 else at
        if tag >> 3 == FIELD_BEHAVIOR:
            found += [value] if tag & 7 == 0 else list(data[at:end])
        at = end
    return found


def output_only(message):
    return [f for f in message.field if OUTPUT_ONLY in behaviors(f)]


# ---- credentials --------------------------------------------------------------------------------------------------


def service_token(key, name="inbox", seconds=50):
    """As services/platform/rpc/service_token.cc makes it; `seconds` below 0: expired."""

    def plain(data):
        return base64.urlsafe_b64encode(data).decode().rstrip("=")

    payload = f"{name}|{int(time.time()) + seconds}".encode()
    return f"svc.{plain(payload)}.{plain(hmac.new(key.encode(), payload, hashlib.sha256).digest())}"


def media_address(key, medium, seconds=600):
    """The path of a medium's public address, as services/publishing/domain/media_address.cc signs it; `medium`:
    "workspaces/{workspace}/media/{media}"."""
    _, workspace, _, media = medium.split("/")
    expires = int(time.time()) + seconds
    text = f"media-address/{workspace}/{media}/{expires}".encode()
    signature = base64.urlsafe_b64encode(hmac.new(key.encode(), text, hashlib.sha256).digest()).decode().rstrip("=")
    return f"/media/{workspace}/{media}?expires={expires}&signature={signature}"


def sign_facebook(secret, body):
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def sign_x(secret, body):
    digest = hmac.new(secret.encode(), body, hashlib.sha256).digest()
    return {"x-twitter-webhooks-signature": "sha256=" + base64.b64encode(digest).decode()}


# ---- calls --------------------------------------------------------------------------------------------------------


def grpc(address, path, message=b"", authorization=None, seconds=10):
    """One gRPC call on the service's own port, by curl; returns (grpc-status, grpc-message)."""
    command = [
        "curl",
        "-s",
        "--http2-prior-knowledge",
        "-X",
        "POST",
        "-H",
        "content-type: application/grpc",
        "-H",
        "te: trailers",
        "--data-binary",
        "@-",
        "-D",
        "-",
        "-o",
        "/dev/null",
        "--max-time",
        str(seconds),
        f"http://{address}/{path}",
    ]
    if authorization is not None:
        command += ["-H", f"authorization: {authorization}"]
    frame = b"\0" + len(message).to_bytes(4, "big") + message
    done = subprocess.run(command, input=frame, capture_output=True, check=False)
    headers = dict(
        line.lower().split(": ", 1) for line in done.stdout.decode(errors="replace").split("\r\n") if ": " in line
    )
    return int(headers.get("grpc-status", -1)), headers.get("grpc-message", f"curl {done.returncode}")


def http(address, method, path, body=b"", headers=None, seconds=15):
    """One HTTP call; returns (status, headers, body); status 0: the connection ended without an answer."""
    import http.client

    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=seconds)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except (OSError, http.client.HTTPException) as ended:
        return 0, {}, str(ended).encode()
    finally:
        connection.close()


def raw(address, first=b""):
    """A plain connection with `first` sent."""
    host, port = address.rsplit(":", 1)
    peer = socket.create_connection((host, int(port)), timeout=10)
    if first:
        peer.sendall(first)
    return peer


def read_to_end(peer, seconds):
    """Everything until the other side closes; TimeoutError when it does not within `seconds`."""
    deadline, out = time.monotonic() + seconds, b""
    while True:
        peer.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            part = peer.recv(65536)
        except ConnectionError:
            return out
        if not part:
            return out
        out += part


# ---- what a process reveals ---------------------------------------------------------------------------------------


def admin_address(cluster, service):
    with open(os.path.join(cluster.folder, "ready", service), encoding="ascii") as file:
        return dict(line.strip().split("=", 1) for line in file if "=" in line)["admin"]


def metrics(cluster, service):
    with urllib.request.urlopen(f"http://{admin_address(cluster, service)}/metrics", timeout=10) as answer:
        return answer.read().decode()


def metric(cluster, service, name, **labels):
    """The sum of a counter's or gauge's series that carry these labels."""
    total = 0.0
    for line in metrics(cluster, service).splitlines():
        if line.startswith((name + "{", name + " ")) and all(f'{k}="{v}"' in line for k, v in labels.items()):
            total += float(line.rsplit(" ", 1)[1])
    return total


def resident_mb(cluster, service):
    with open(f"/proc/{cluster.children[service].pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:")) / 1024


def slack(cluster):
    """How much more memory and time a process may take than a released one: a sanitized build costs several times both."""
    with open(f"/proc/{cluster.children['gateway'].pid}/maps", encoding="utf-8") as file:
        return 6 if "libasan" in file.read() else 1


def await_resident_below(cluster, service, mb, seconds=60):
    """Until what a burst cost is given back (platform/app/process.cc, every ten seconds). A sanitizer's allocator keeps what
    was freed, to find uses of it: there the memory says nothing."""
    if slack(cluster) > 1:
        return
    wait_until(lambda: resident_mb(cluster, service) < mb, seconds, f"{service}'s memory falls below {mb:.0f} MB", 0.5)


def alive(cluster, service):
    return cluster.children[service].check()


def dumps(answer):
    return json.dumps(answer, ensure_ascii=False)
