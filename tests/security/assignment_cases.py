"""S2, mass assignment: what only the server may set is ignored or refused when a client sends it; part of
access_test.py."""

from attack import camel, descriptors, dumps, exposed, output_only
from parvis_local.connect import new_id
from parvis_local.main_job import ACCOUNTS, INBOX, MEDIA, MODERATION, PUBLISHING

PLANTED_TEXT, PLANTED_NUMBER, PLANTED_TIME = "planted-by-the-client", 987654321, "2001-02-03T04:05:06Z"
POLICY = "version: 1\nrules:\n  - {name: a, if: {text: {words: [idiot]}}, action: hold}\n"


def planted(field):
    """A value of the field's type that the server would never choose; None for types that are left out."""
    if field.type == field.TYPE_STRING:
        value = PLANTED_TEXT
    elif field.type in (field.TYPE_INT64, field.TYPE_INT32):
        value = PLANTED_NUMBER
    elif field.type == field.TYPE_BOOL:
        value = True
    elif field.type_name == ".google.protobuf.Timestamp":
        value = PLANTED_TIME
    elif field.type == field.TYPE_ENUM:
        value = 2
    else:
        return None
    return [value] if field.label == field.LABEL_REPEATED else value


def resource_of(method):
    """(field of the request, its message) of the resource that the request carries, or None."""
    for field in descriptors.MESSAGES[method.input_type].field:
        message = descriptors.MESSAGES.get(field.type_name)
        if (
            message
            and field.label != field.LABEL_REPEATED
            and descriptors.field(message, "name")
            and output_only(message)
        ):
            return field, message
    return None


class MassAssignment:
    """Needs self.mine: a team with channels, campaign and conversations."""

    def valid(self):
        """A request that works, for every method that carries a resource; a new method must be added here."""
        job, parent = self.mine, {"parent": self.mine.workspace}
        conversation = next(n for n in self.names if "/conversations/" in n and n.count("/") == 3)
        campaign = {"displayName": "Campaign"}
        post = {"campaign": job.campaign, "displayName": "Post", "variants": []}
        organization = job.operator.call(f"{ACCOUNTS}/GetWorkspace", {"name": job.workspace})["organization"]
        created = {}

        def make(path, request):
            created[path] = job.client("owner").call(path, {**request, "requestId": new_id()})
            return created[path]["name"]

        return {
            f"{ACCOUNTS}/CreateOrganization": {"organization": {"displayName": "Org"}},
            f"{ACCOUNTS}/CreateWorkspace": {
                "parent": organization,
                "workspace": {"displayName": "W", "timeZone": "UTC"},
            },
            f"{ACCOUNTS}/UpdateWorkspace": {"workspace": {"name": job.workspace, "displayName": "Renamed"}},
            f"{ACCOUNTS}/CreateMember": {
                **parent,
                "member": {"displayName": "M", "email": f"{new_id()}@lumen.example", "roles": ["ROLE_ANALYST"]},
            },
            f"{ACCOUNTS}/UpdateMember": {"member": {"name": job.members["ben"], "displayName": "Ben C."}},
            f"{ACCOUNTS}/CreateApiKey": {**parent, "apiKey": {"displayName": "K", "member": job.members["ben"]}},
            f"{PUBLISHING}/CreateCampaign": {**parent, "campaign": campaign},
            f"{PUBLISHING}/UpdateCampaign": {
                "campaign": {
                    "name": make(f"{PUBLISHING}/CreateCampaign", {**parent, "campaign": campaign}),
                    "displayName": "Other",
                }
            },
            f"{PUBLISHING}/CreatePost": {**parent, "post": post},
            f"{PUBLISHING}/UpdatePost": {
                "post": {"name": make(f"{PUBLISHING}/CreatePost", {**parent, "post": post}), "displayName": "Other"}
            },
            f"{PUBLISHING}/CheckPost": {**parent, "post": post},
            f"{PUBLISHING}/PreviewPost": {**parent, "post": post},
            f"{MEDIA}/CreateMedia": {**parent, "media": {"displayName": "Medium", "sizeBytes": "10"}},
            f"{MEDIA}/UpdateMedia": {
                "media": {
                    "name": make(f"{MEDIA}/CreateMedia", {**parent, "media": {"displayName": "M", "sizeBytes": "10"}}),
                    "displayName": "Other",
                }
            },
            f"{MODERATION}/CreatePolicy": {**parent, "policy": {"displayName": "P", "source": POLICY}},
            f"{MODERATION}/UpdatePolicy": {
                "policy": {
                    "name": make(
                        f"{MODERATION}/CreatePolicy", {**parent, "policy": {"displayName": "P", "source": POLICY}}
                    ),
                    "displayName": "Q",
                }
            },
            f"{INBOX}/CreateNote": {"parent": conversation, "note": {"text": "note"}},
            f"{INBOX}/OpenCase": {"name": self.conversation_without_case(), "case": {"title": "case"}},
        }

    def conversation_without_case(self):
        return next(
            c["name"]
            for c in self.mine.client("owner").pages(
                f"{INBOX}/ListConversations", {"parent": self.mine.workspace}, "conversations"
            )
            if not c.get("case")
        )

    def test_output_only_fields_are_not_taken(self):
        requests, covered = self.valid(), 0
        client = self.mine.operator.with_key(self.mine.keys["owner"])
        for method, path, declared in list(exposed()) + [(m, p, d) for m, p, d in self.operators_methods()]:
            carried = resource_of(method)
            if not carried:
                continue
            self.assertIn(path, requests, "carries a resource: say here what a good request looks like")
            field, message = carried
            request = {**requests[path]}
            request[camel(field.name)] = {
                **request[camel(field.name)],
                **{camel(f.name): planted(f) for f in output_only(message) if planted(f) is not None},
            }
            if descriptors.field(descriptors.MESSAGES[method.input_type], "request_id"):
                request["requestId"] = new_id()
            answer, error = self.try_call(self.mine.operator if declared == [7] else client, path, request)
            if error:
                self.assertIn(error.code, ("invalid_argument", "failed_precondition"), f"{path}: {error}")
            else:
                for trace in (PLANTED_TEXT, str(PLANTED_NUMBER), PLANTED_TIME[:10]):
                    self.assertNotIn(trace, dumps(answer), f"{path} took what only the server may say")
                self.assertNotIn(answer.get("state"), ("POST_STATE_APPROVED", "STATE_RESOLVED"), path)
            covered += 1
        self.assertGreaterEqual(covered, 14)

    def operators_methods(self):
        for file, service, method, _ in descriptors.public_methods():
            if descriptors.roles(method) == [7]:
                yield method, f"{file.package.removeprefix('parvis.')}.{service.name}/{method.name}", [7]

    def test_update_masks_cannot_name_output_only_fields(self):
        requests, tried = self.valid(), 0
        for method, path, _ in exposed():
            if not method.name.startswith("Update") or not resource_of(method):
                continue
            field, message = resource_of(method)
            for forbidden in [f for f in output_only(message) if planted(f) is not None] + [
                descriptors.field(message, "name")
            ]:
                tried += 1
                value = self.mine.workspace if forbidden.name == "name" else planted(forbidden)
                resource = {camel(forbidden.name): value, **requests[path][camel(field.name)]}
                answer, error = self.try_call(
                    self.mine.client("owner"), path, {camel(field.name): resource, "updateMask": camel(forbidden.name)}
                )
                self.assertEqual(error and error.code, "invalid_argument", f"{path} {forbidden.name}: {error} {answer}")
        self.assertGreater(tried, 15)
