"""The architecture as data: who may include whom, what is banned where, how long things may be.

A layer is recognised by its path; the first match in LAYERS decides. `may` lists prefixes of what it may include from our
own tree, with {svc} standing for the service's name; `never` lists third-party headers it must not see. The message says
what to do instead.
"""

import re

GRPC = (r"grpcpp/", r"grpc/", r".*\.grpc\.pb\.h$")
PROTO = (r"google/protobuf/", r"google/rpc/", r"google/api/", r".*\.pb\.h$")
SQL = (r"libpq-fe\.h", r"pqxx/")
KAFKA = (r"librdkafka/",)
METRICS = (r"prometheus/",)
HTTP = (r"boost/", r"curl/")

# (name, path regex, may include, never, advice)
LAYERS = [
    ("platform/base", r"services/platform/base/", ("platform/base/",), GRPC + PROTO + SQL + KAFKA + METRICS + HTTP,
     "base depends on the standard library and abseil alone; what does I/O belongs to another platform part"),
    ("platform/testing", r"services/platform/testing/", ("platform/",), GRPC + PROTO + METRICS,
     "testing serves every platform part, but no service"),
    ("platform/obs", r"services/platform/obs/", ("platform/base/", "platform/obs/"), GRPC + PROTO + SQL + KAFKA + HTTP,
     "obs wraps prometheus-cpp and nothing else"),
    ("platform/app", r"services/platform/app/", ("platform/base/", "platform/obs/", "platform/app/"),
     GRPC + PROTO + SQL + KAFKA + HTTP, "app knows configuration and signals; wire it up in main.cc"),
    ("platform/net", r"services/platform/net/", ("platform/base/", "platform/obs/", "platform/app/config.h", "platform/net/"),
     GRPC + PROTO + SQL + KAFKA, "net wraps Beast and curl; business goes to a service"),
    ("platform/blob", r"services/platform/blob/", ("platform/base/", "platform/obs/", "platform/app/config.h", "platform/net/",
                                                   "platform/blob/"), GRPC + PROTO + SQL + KAFKA,
     "blob keeps bytes in a folder or speaks S3 over platform/net; what they mean belongs to a service"),
    ("platform/db", r"services/platform/db/", ("platform/base/", "platform/obs/", "platform/app/", "platform/db/"),
     GRPC + PROTO + KAFKA + HTTP, "db wraps libpq; what the bus needs of it is a port in platform/base/stream.h"),
    ("platform/bus", r"services/platform/bus/", ("platform/base/", "platform/obs/", "platform/app/", "platform/bus/"),
     GRPC + PROTO + SQL + HTTP, "bus wraps librdkafka; what it needs of a database is a port in platform/base/stream.h"),
    ("platform/rpc", r"services/platform/rpc/", ("platform/base/", "platform/obs/", "platform/app/", "platform/rpc/",
                                                 "parvis/platform/"), SQL + KAFKA + HTTP,
     "rpc knows the platform's own protos, never a service's"),
    ("networks", r"services/networks/", ("platform/base/", "platform/net/", "networks/"), GRPC + PROTO + SQL + KAFKA,
     "a connector is plain code on platform/net: no database, no Kafka, no gRPC"),
    ("sandbox", r"services/sandbox/", ("platform/", "sandbox/"), GRPC + PROTO + SQL + KAFKA,
     "the sandbox is written from the networks' facts, never from our connectors"),
    ("domain", r"services/(?P<svc>\w+)/domain/", ("platform/base/", "platform/blob/blob_store.h", "{svc}/domain/"),
     GRPC + PROTO + SQL + KAFKA + METRICS + HTTP,
     "domain is pure: declare a port beside the use case and implement it in storage, bus, clients or network"),
    ("storage", r"services/(?P<svc>\w+)/storage/", ("platform/base/", "platform/obs/", "platform/db/", "{svc}/domain/",
                                                    "{svc}/storage/"),
     GRPC + PROTO + KAFKA + HTTP, "storage speaks SQL only; encoded events are passed in as a function by main.cc"),
    ("bus", r"services/(?P<svc>\w+)/bus/", ("platform/base/", "platform/obs/", "platform/bus/", "{svc}/domain/", "{svc}/bus/",
                                            "parvis/"), GRPC + SQL + HTTP,
     "bus turns events into domain calls; storage is reached through a port"),
    ("transport", r"services/(?P<svc>\w+)/transport/", ("platform/base/", "platform/obs/", "platform/rpc/", "platform/net/",
                                                        "platform/app/config.h", "{svc}/domain/", "{svc}/transport/",
                                                        "parvis/"), SQL + KAFKA,
     "transport converts and calls a use case; SQL and Kafka are behind ports"),
    ("network", r"services/(?P<svc>\w+)/network/", ("platform/base/", "platform/obs/", "platform/net/", "networks/",
                                                    "{svc}/domain/", "{svc}/network/"), GRPC + PROTO + SQL + KAFKA,
     "network adapts services/networks to a port of this service"),
    ("media", r"services/(?P<svc>\w+)/media/", ("platform/base/", "platform/obs/", "platform/app/config.h", "{svc}/domain/",
                                                "{svc}/media/"), GRPC + PROTO + SQL + KAFKA + HTTP,
     "media runs tools as processes of their own and turns what they say into domain values; the content is handed to it"),
    ("clients", r"services/(?P<svc>\w+)/clients/", ("platform/base/", "platform/obs/", "platform/rpc/", "{svc}/domain/",
                                                    "{svc}/clients/", "parvis/"), SQL + KAFKA + HTTP,
     "clients calls other services by their protos and turns the answers into domain values"),
    ("main", r"services/(?P<svc>\w+)/(main\.cc|config\.h)$", ("platform/", "networks/", "{svc}/"), (),
     "main.cc builds its own service and nothing of another one"),
    ("tests", r"tests/", ("",), (), ""),
]

# Test files may look one step further: at the testing library and at the protos of their own layer's neighbours.
TEST_MAY = ("platform/testing/", "platform/base/", "platform/obs/", "platform/app/")
PLATFORM_TEST_MAY = ("platform/",)  # a platform part is tried together with its neighbours

# (regex, where it is allowed, what to do instead)
BANNED = [
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\(|\bnanosleep\(|\babsl::SleepFor\b", r"$^",
     "wait for a condition with a deadline (condition_variable::wait_for, testing::WaitFor)"),
    (r"\bsystem_clock::now\b|\babsl::Now\(\)|\btime\(nullptr\)|\bgettimeofday\b|\bsteady_clock::now\b",
     r"services/platform/(base|testing|obs|app)/|_test\.cc$|testdata/|tests/|_bench\.cc$", "take a Clock (platform/base/clock.h)"),
    (r"\bstd::regex\b|#include <regex>", r"$^", "std::regex backtracks: use RE2, or a small parser"),
    # librdkafka 2.0.2 was seen to hang in consumer close: that thread alone is abandoned after its limit.
    (r"\bstd::async\b|\.detach\(\)", r"services/platform/bus/consumer\w*\.cc$|_test\.cc$",
     "use an Executor, which is bounded and joined"),
    (r"\b(TODO|FIXME|XXX|HACK)\b", r"tests/arch/", "finish it, or open an issue and say in a comment what the limit is"),
    (r"\bgmock/|\bMOCK_METHOD\b", r"$^", "write a fake that behaves, and run the port's contract suite on it"),
]
BANNED_IN_HEADERS = [(r"^\s*using namespace\b", "name what you use")]

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 70
MAIN_LINES_MAX = 120


def layer_of(path):
    """(name, may, never, advice) of a path, with {svc} filled in; None where no rule applies."""
    for name, pattern, may, never, advice in LAYERS:
        match = re.search(pattern, path)
        if match:
            service = match.groupdict().get("svc") or ""
            return name, tuple(m.replace("{svc}", service) for m in may), never, advice
    return None
