"""What the campaign shows: uploaded to publishing, which sends it or, where the network fetches media itself, gives out its
address."""

import base64
import hashlib
import os

from .connect import new_id
from .processes import StartError

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "media")
FILES = {"image/jpeg": "lamp.jpg", "video/mp4": "lamp.mp4"}


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
