"""What no linter here checks, over the descriptors of every proto of ours: resource names, pagination, field masks,
request ids, a role on every method, a comment on everything (Google AIPs 121-136, 154, 155, 158, 192)."""

import glob
import os
import subprocess
import sys
import tempfile
import unittest

from google.protobuf import descriptor_pb2

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
GOOGLEAPIS = os.path.join(ROOT, ".cache/googleapis-1.76.0")
# Calls between services: not resource-oriented, never exposed by the gateway.
INTERNAL = {"parvis.platform.v1.AuthenticationService", "parvis.accounts.v1.ChannelDirectoryService",
            "parvis.publishing.v1.MediaContentService"}
# What needs no key, for its request proves what its caller may see. Every further one wants a reason as good, and a test.
FOR_ANYONE = {"parvis.publishing.v1.MediaContentService/FetchContent"}


def load():
    """The descriptors of our own files, comments included."""
    protos = sorted(os.path.relpath(p, os.path.join(ROOT, "protos"))
                    for p in glob.glob(os.path.join(ROOT, "protos/**/*.proto"), recursive=True))
    with tempfile.NamedTemporaryFile(suffix=".binpb") as out:
        subprocess.run(["protoc", f"-I{ROOT}/protos", f"-I{GOOGLEAPIS}", "--include_imports", "--include_source_info",
                        f"-o{out.name}", *protos], check=True)
        raw = out.read()
    files = descriptor_pb2.FileDescriptorSet.FromString(raw)
    return [f for f in files.file if f.name.startswith("parvis/")]


FILES = load()


def comments(file):
    return {tuple(l.path): l.leading_comments.strip() for l in file.source_code_info.location}


def messages(file):
    """(path, name, message) of every message of a file, nested ones too, map entries left out."""
    def walk(path, prefix, message):
        if not message.options.map_entry:
            yield path, prefix + message.name, message
            for i, nested in enumerate(message.nested_type):
                yield from walk(path + (3, i), prefix + message.name + ".", nested)
    for i, message in enumerate(file.message_type):
        yield from walk((4, i), "", message)


def by_full_name():
    return {f".{file.package}.{name}": message for file in FILES for _, name, message in messages(file)}


MESSAGES = by_full_name()


def methods():
    for file in FILES:
        for service in file.service:
            for method in service.method:
                yield file, service, method, f"{file.package}.{service.name}/{method.name}"


def public_methods():
    for file, service, method, name in methods():
        if f"{file.package}.{service.name}" not in INTERNAL:
            yield file, service, method, name


def field(message, name):
    return next((f for f in message.field if f.name == name), None)


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def access(method):
    """(roles, whether anyone may) of option 50501 (parvis.platform.v1.access), read from the wire: protoc's own classes do not
    know it."""
    data, at, found, anyone = method.options.SerializeToString(), 0, [], False
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 2:
            size, at = varint(data, at)
            if tag >> 3 == 50501:
                inside, i = data[at:at + size], 0
                while i < len(inside):
                    number, i = varint(inside, i)
                    value, i = varint(inside, i)
                    if number >> 3 == 2:
                        anyone = bool(value)
                        continue
                    end = i + value  # field 1, packed: its tag, its length, the values
                    while i < end:
                        role, i = varint(inside, i)
                        found.append(role)
            at += size
        else:
            _, at = varint(data, at)
    return found, anyone


def roles(method):
    return access(method)[0]


class Descriptors(unittest.TestCase):
    def report(self, problems):
        self.assertEqual([], problems, "\n" + "\n".join(problems))

    def test_every_method_declares_a_role(self):
        seen = 0
        problems = []
        for _, _, method, name in methods():
            seen += 1
            declared, anyone = access(method)
            if anyone:
                continue  # test_what_anyone_may_call_is_known
            if not declared or 0 in declared:
                problems.append(f"{name}: say who may call it: option (parvis.platform.v1.access) = {{roles: ROLE_...}}")
        self.assertGreater(seen, 40)
        self.report(problems)

    def test_what_anyone_may_call_is_known(self):
        found = {name: roles(method) for _, _, method, name in methods() if access(method)[1]}
        self.assertEqual({name: [] for name in FOR_ANYONE}, found)

    def test_everything_has_a_comment(self):
        problems = []
        for file in FILES:
            known = comments(file)

            def need(path, what, file=file, known=known):
                if not known.get(path):
                    problems.append(f"{file.name}: {what} has no comment (AIP-192)")

            for path, name, message in messages(file):
                need(path, name)
                for i, f in enumerate(message.field):
                    need(path + (2, i), f"{name}.{f.name}")
                for i, e in enumerate(message.enum_type):
                    need(path + (4, i), f"{name}.{e.name}")
                    for j, v in enumerate(e.value):
                        need(path + (4, i, 2, j), f"{name}.{v.name}")
            for i, e in enumerate(file.enum_type):
                need((5, i), e.name)
                for j, v in enumerate(e.value):
                    need((5, i, 2, j), v.name)
            for i, s in enumerate(file.service):
                need((6, i), s.name)
                for j, m in enumerate(s.method):
                    need((6, i, 2, j), f"{s.name}.{m.name}")
        self.report(problems)

    def test_lists_are_paged(self):
        problems = []
        for _, _, method, name in public_methods():
            if not method.name.startswith("List"):
                continue
            request, response = MESSAGES[method.input_type], MESSAGES[method.output_type]
            for needed in ("page_size", "page_token"):
                if not field(request, needed):
                    problems.append(f"{name}: {request.name} needs {needed} (AIP-158)")
            if not field(response, "next_page_token"):
                problems.append(f"{name}: {response.name} needs next_page_token (AIP-158)")
            if sum(f.label == f.LABEL_REPEATED for f in response.field) != 1:
                problems.append(f"{name}: {response.name} holds exactly one repeated field (AIP-132)")
        self.report(problems)

    def test_updates_take_a_mask_and_the_resource(self):
        problems = []
        for _, _, method, name in public_methods():
            if not method.name.startswith("Update") or method.name == "UpdateChannelCredentials":
                continue
            request = MESSAGES[method.input_type]
            mask = field(request, "update_mask")
            if not mask or mask.type_name != ".google.protobuf.FieldMask":
                problems.append(f"{name}: needs `google.protobuf.FieldMask update_mask` (AIP-134)")
            if not any(f.type_name == method.output_type for f in request.field):
                problems.append(f"{name}: the request holds the resource that is returned (AIP-134)")
        self.report(problems)

    def test_what_creates_or_sends_takes_a_request_id(self):
        verbs = ("Create", "Connect", "Reply", "Schedule", "Backfill", "Open")
        problems = [f"{name}: needs `string request_id` (AIP-155)" for _, _, method, name in public_methods()
                    if method.name.startswith(verbs) and not field(MESSAGES[method.input_type], "request_id")]
        self.report(problems)

    def test_standard_methods_name_their_resource(self):
        problems = []
        for _, _, method, name in public_methods():
            request = MESSAGES[method.input_type]
            if method.name.startswith(("Get", "Delete")) and not field(request, "name"):
                problems.append(f"{name}: needs `string name` (AIP-131, AIP-135)")
            if method.name.startswith(("List", "Create")) and not field(request, "parent") and \
                    method.name != "CreateOrganization" and method.name != "ListOrganizations":
                problems.append(f"{name}: needs `string parent` (AIP-132, AIP-133)")
        self.report(problems)

    def test_every_request_says_its_workspace(self):
        """rpc::Unary checks the tenant by `parent`, `name` or the resource's `name`: a request without is unguarded."""
        problems = []
        for file, _, method, name in public_methods():
            if file.package == "parvis.accounts.v1":
                continue  # organisations stand above workspaces; accounts checks them itself
            request = MESSAGES[method.input_type]
            resource = any(f.type_name in MESSAGES and field(MESSAGES[f.type_name], "name") and
                           f.label != f.LABEL_REPEATED for f in request.field)
            if not (field(request, "parent") or field(request, "name") or resource):
                problems.append(f"{name}: no `parent`, `name` or resource in the request: the tenant cannot be checked")
        self.report(problems)

    def test_enums_start_unspecified(self):
        problems = [f"{file.name}: {e.name} must start with ..._UNSPECIFIED = 0 (AIP-126)" for file in FILES
                    for e in list(file.enum_type) + [e for _, _, m in messages(file) for e in m.enum_type]
                    if e.value[0].number != 0 or not e.value[0].name.endswith("_UNSPECIFIED")]
        self.report(problems)

    def test_times_end_in_time(self):
        allowed = {"occurred_at", "received_at"}  # topic payloads, fixed before this rule
        problems = [f"{file.name}: {name}.{f.name}: a Timestamp's name ends in _time (AIP-142)"
                    for file in FILES for _, name, message in messages(file) for f in message.field
                    if f.type_name == ".google.protobuf.Timestamp" and f.name not in allowed
                    and not (f.name == "time" or f.name.endswith(("_time", "_times")))]
        self.report(problems)


if __name__ == "__main__":
    sys.exit(unittest.main())
