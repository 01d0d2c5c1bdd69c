"""What the campaign shows: uploaded to publishing, and a few files on loopback for networks that fetch them themselves."""

import base64
import hashlib
import http.server
import os
import re
import threading

from .connect import new_id
from .processes import StartError

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "media")
FILES = {"image/jpeg": "lamp.jpg", "video/mp4": "lamp.mp4"}


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.lstrip("/")
        media_type = next((kind for kind, file in FILES.items() if file == name), None)
        if media_type is None:
            self.send_error(404)
            return
        with open(os.path.join(FOLDER, name), "rb") as file:
            content = file.read()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = min(int(wanted[2]) if wanted and wanted[2] else len(content), len(content) - 1)
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(max(0, last + 1 - first)))
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(content[first:last + 1])

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


class MediaFiles:
    """Serves until the process ends; of(type) is a medium as a variant of a post has it."""

    def __init__(self):
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def of(self, media_type, alt_text):
        file = FILES[media_type]
        return {"url": f"http://127.0.0.1:{self._server.server_port}/{file}", "type": media_type, "altText": alt_text,
                "sizeBytes": str(os.path.getsize(os.path.join(FOLDER, file)))}


def upload(client, service, workspace, content, name, alt_text=""):
    """Uploads in chunks and has it looked at; returns the medium."""
    medium = client.call(f"{service}/CreateMedia", {"parent": workspace, "requestId": new_id(), "media": {
        "displayName": name, "altText": alt_text, "sizeBytes": str(len(content))}})
    while (arrived := int(medium.get("receivedBytes", 0))) < len(content):
        part = base64.b64encode(content[arrived:arrived + medium["chunkBytes"]]).decode()
        medium = client.call(f"{service}/UploadMediaChunk", {"name": medium["name"], "offset": str(arrived), "content": part})
    medium = client.call(f"{service}/FinishMedia", {"name": medium["name"], "sha256": hashlib.sha256(content).hexdigest()})
    if medium["state"] != "MEDIA_STATE_READY":
        raise StartError(f"{name} is not taken: {medium.get('refusal')}")
    return medium


def upload_file(client, service, workspace, media_type):
    """Of FILES."""
    with open(os.path.join(FOLDER, FILES[media_type]), "rb") as file:
        return upload(client, service, workspace, file.read(), FILES[media_type])
