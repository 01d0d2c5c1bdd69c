"""All of Parvis on one machine: PostgreSQL, Kafka, topics, schemas, secrets, seven services and the sandbox."""

import os
import secrets
import signal
import subprocess
import base64
import time

from . import kafka as kafka_module
from . import networks
from .connect import Client, ConnectError
from .kafka import Kafka
from .postgres import SERVICES as WITH_SCHEMA
from .postgres import Postgres
from .processes import Child, StartError, free_port, wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

TOPICS = ("parvis.ingestion.activity.v1", "parvis.moderation.assessment.v1", "parvis.publishing.command.v1",
          "parvis.publishing.delivery.v1", "parvis.inbox.conversation.v1", "parvis.metrics.sample.v1")
# (topic, consumer group): each group parks what it cannot process in "<topic>.dlq.<group>".
GROUPS = (("parvis.ingestion.activity.v1", "ingestion.receive"), ("parvis.ingestion.activity.v1", "moderation.assess"),
          ("parvis.moderation.assessment.v1", "moderation.queue"), ("parvis.moderation.assessment.v1", "inbox.fold"),
          ("parvis.publishing.delivery.v1", "inbox.fold"), ("parvis.publishing.command.v1", "publishing.accept"),
          ("parvis.moderation.assessment.v1", "metrics.fold.assessment"),
          ("parvis.publishing.delivery.v1", "metrics.fold.delivery"),
          ("parvis.inbox.conversation.v1", "metrics.fold.conversation"),
          ("parvis.publishing.delivery.v1", "ingestion.follow"), ("parvis.metrics.sample.v1", "metrics.fold.sample"))
DEAD_LETTERS = tuple(f"{topic}.dlq.{group}" for topic, group in GROUPS)

# Started in this order, stopped in reverse.
ORDER = ("sandbox", "accounts", "ingestion", "moderation", "inbox", "metrics", "publishing", "gateway")
# One method a service, to see that it can be reached; nobody's key is refused, which is an answer.
PROBES = ("accounts.v1.AccountsService/GetWorkspace", "publishing.v1.PublishingService/GetPost",
          "ingestion.v1.IngestionService/GetSource", "moderation.v1.ModerationService/GetPolicy",
          "inbox.v1.InboxService/GetConversation", "metrics.v1.MetricsService/GetCampaignReport")
PREFERRED = {"gateway_http": 8080, "ingestion_http": 8081, "sandbox_http": 8082, "accounts_grpc": 9101,
             "publishing_grpc": 9102, "ingestion_grpc": 9103, "moderation_grpc": 9104, "inbox_grpc": 9105,
             "metrics_grpc": 9106, "postgres": 5499, "kafka": 9099}


class Cluster:
    """One private installation below `folder`. Ports that are taken are replaced: ask `ports`.

    `replicas` of every service run; "inbox-1" is the second inbox. A gateway speaks to the services of its own number.
    `doors` (for tests): what stands between a service and "postgres.<service>", "kafka.<service>" or "kafka"; see Kafka.
    `extra_flags` and `extra_env` are by service or by the name of one replica. `lasting`: see Kafka.
    """

    def __init__(self, folder, build, say=print, fsync=True, fixed_ports=True, partitions=6, extra_flags=None, replicas=1,
                 doors=None, extra_env=None, lasting=False):
        self.folder, self.build, self.say = os.path.abspath(folder), os.path.abspath(build), say
        self.partitions, self.extra_flags, self.extra_env = partitions, extra_flags or {}, extra_env or {}
        self.replicas, self._doors, self._lasting = replicas, doors or {}, lasting
        self.ports, self.children = {}, {}
        self._fixed = fixed_ports
        self.postgres = Postgres(self._path("postgres"), self._preferred("postgres"), fsync)
        self.kafka = None

    def _path(self, *parts):
        return os.path.join(self.folder, *parts)

    def _preferred(self, name):
        return PREFERRED[name] if self._fixed else 0

    # ---- starting -------------------------------------------------------------------------------------------------

    def start(self):
        os.makedirs(self._path("logs"), exist_ok=True)
        os.makedirs(self._path("ready"), exist_ok=True)
        began = time.monotonic()
        self._secrets()
        self.postgres.start()
        self.say(f"PostgreSQL 15 on 127.0.0.1:{self.postgres.port}")
        for name, door in self._doors.items():
            if name.startswith("postgres."):
                door.target = self.postgres.port
        self.kafka = Kafka(self._path("kafka"), kafka_module.fetch_jars(ROOT), self._preferred("kafka"),
                           doors={n: d for n, d in self._doors.items() if n.startswith("kafka")}, lasting=self._lasting).start()
        self.say(f"Kafka {kafka_module.VERSION} on {self.kafka.brokers}")
        self._topics()
        self._migrate()
        for name in PREFERRED:
            if name.endswith(("_http", "_grpc")):
                self.ports[name] = self._port(name)
        for name in [n for n in self.ports if not n.startswith("sandbox")]:
            for replica in range(1, self.replicas):
                self.ports[f"{name}-{replica}"] = self._port("")
        names = self.names()
        for name in names:
            self.relaunch(name)
        for name in names:
            self.await_ready(name)
        self.await_reachable()
        self.say(f"seven services and the sandbox are ready ({time.monotonic() - began:.1f} s)")
        return self

    def names(self):
        """Of all processes of services, in the order of starting."""
        return [service if replica == 0 else f"{service}-{replica}" for service in ORDER
                for replica in range(1 if service == "sandbox" else self.replicas)]

    def _port(self, name):
        preferred = self._preferred(name) if name else 0
        port = free_port(preferred)
        while port in self.ports.values():
            port = free_port()
        if preferred and port != preferred:
            self.say(f"port {preferred} is taken: {name.replace('_', ' ')} listens on {port}")
        return port

    def _secrets(self):
        os.makedirs(self._path("secrets"), mode=0o700, exist_ok=True)
        values = {"service_key": lambda: secrets.token_hex(32),
                  "operator_key": lambda: "op_" + secrets.token_hex(24),
                  "media_address_key": lambda: secrets.token_hex(32),
                  "hub_key": lambda: secrets.token_hex(32),
                  "sealing_keys": lambda: "k1 " + base64.b64encode(secrets.token_bytes(32)).decode()}
        for network in networks.pushing():
            values[networks.secret_name(network)] = lambda: secrets.token_hex(16)
            if network.webhook.verify_token:
                values[f"{network.name}_verify_token"] = lambda: secrets.token_hex(12)
        for network in networks.signing_in():
            values.setdefault(networks.app_secret_name(network), lambda: secrets.token_hex(16))
        for name, make in values.items():
            path = self.secret_file(name)
            if not os.path.exists(path):
                with open(path, "w", encoding="ascii") as file:
                    file.write(make() + "\n")
                os.chmod(path, 0o600)

    def secret_file(self, name):
        return self._path("secrets", name)

    def secret(self, name):
        with open(self.secret_file(name), encoding="ascii") as file:
            return file.read().strip()

    def _tool(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartError(f"{os.path.basename(command[0])} failed: {(done.stdout + done.stderr).strip()[-600:]}")
        return done.stdout

    def _topics(self):
        flags = [f for topic in TOPICS for f in ("--topic", f"{topic}:{self.partitions}")]
        flags += [f for topic, group in GROUPS for f in ("--dlq", f"{topic}:{group}")]
        self._tool(f"{self.build}/bin/parvis-topics", "--brokers", self.kafka.brokers, *flags)
        self.say(f"{len(TOPICS)} topics with {self.partitions} partitions, {len(DEAD_LETTERS)} dead-letter topics")

    def _migrate(self):
        for service in WITH_SCHEMA:
            self._tool(f"{self.build}/bin/parvis-migrate", "--dsn", self.postgres.dsn(service, "owner"), "--password_file",
                       self.postgres.password_file(service, "owner"), "--schema", service, "--folder",
                       os.path.join(ROOT, "services", service, "storage", "schema"))
        self.say(f"{len(WITH_SCHEMA)} schemas migrated")

    # ---- services -------------------------------------------------------------------------------------------------

    def address(self, name, replica=0):
        """Of a listener; a replica that was started beside the usual ones takes any free port."""
        port = self.ports.get(f"{name}-{replica}" if replica else name, 0)
        return f"127.0.0.1:{port}"

    def gateway_url_of(self, replica):
        return f"http://{self.address('gateway_http', replica)}"

    @property
    def gateway_url(self):
        return self.gateway_url_of(0)

    @property
    def sandbox_url(self):
        return f"http://{self.address('sandbox_http')}"

    def _brokers(self, service):
        door = self._doors.get(f"kafka.{service}") or self._doors.get("kafka")
        return f"127.0.0.1:{door.port}" if door else self.kafka.brokers

    def _accounts(self):
        """All replicas of accounts, as gRPC's ipv4 resolver wants them: calls are spread, and go on when one is gone."""
        if self.replicas == 1:
            return self.address("accounts_grpc")
        return "ipv4:" + ",".join(self.address("accounts_grpc", replica) for replica in range(self.replicas))

    def _flags(self, service, replica, name):
        """The flags of one process; what is not here has its default."""
        flags = {"ready_file": self._path("ready", name), "admin_address": "127.0.0.1:0"}
        if service in WITH_SCHEMA:
            door = self._doors.get(f"postgres.{service}")
            for role in ("api", "stream"):
                flags[f"db_{role}_dsn"] = self.postgres.dsn(service, role, door.port if door else 0)
                flags[f"db_{role}_password_file"] = self.postgres.password_file(service, role)
            flags["rpc_address"] = self.address(f"{service}_grpc", replica)
            flags["rpc_service_key_file"] = self.secret_file("service_key")
        if service in WITH_SCHEMA and service != "accounts":
            flags["bus_brokers"] = self._brokers(service)
            flags["bus_instance"] = name  # one that is killed and started again has its partitions back at once
            flags["accounts_address"] = self._accounts()
            flags["accounts_service_key_file"] = self.secret_file("service_key")
        if hasattr(self, f"_{service}_flags"):
            flags.update(getattr(self, f"_{service}_flags")(replica))
        flags.update(self.extra_flags.get(service, {}))
        flags.update(self.extra_flags.get(name, {}))
        return [f"--{key}={value}" for key, value in flags.items()]

    @property
    def sign_in_redirect_uri(self):
        """Where networks send browsers back to; registered with each, and compared byte by byte."""
        return f"{self.gateway_url}/v1/signin/callback"

    def _accounts_flags(self, _):
        apps = networks.signing_in()
        return {"sign_in_redirect_uri": self.sign_in_redirect_uri,
                "sign_in_client_ids": ",".join(f"{network.name}={networks.CLIENT_ID}" for network in apps),
                "sign_in_client_secret_files": ",".join(
                    f"{network.name}={self.secret_file(networks.app_secret_name(network))}" for network in apps),
                "sign_in_authorize_urls": ",".join(f"{network.name}={self.sandbox_url}{network.sign_in.authorize}"
                                                   for network in apps),
                "sign_in_token_urls": ",".join(f"{network.name}={self.sandbox_url}{network.sign_in.token}"
                                               for network in apps if network.sign_in.token),
                "operator_key_file": self.secret_file("operator_key"), "seal_key_file": self.secret_file("sealing_keys"),
                "network_base_urls": ",".join(f"{network.name}={self.sandbox_url}{network.base_path}"
                                              for network in networks.TABLE if network.base_path),
                "http_client_allowed_networks": "127.0.0.0/8"}

    def _publishing_flags(self, _):
        return {"http_client_allowed_networks": "127.0.0.0/8", "command_partitions": self.partitions,
                "blob_folder": self._path("media"),   # one for all replicas
                # The sandbox's networks fetch media where a real one would find the gateway's public name.
                "media_public_url": self.gateway_url, "media_address_key_file": self.secret_file("media_address_key")}

    def _ingestion_flags(self, replica):
        return {"http_client_allowed_networks": "127.0.0.0/8", "http_address": self.address("ingestion_http", replica),
                # Where hubs find us, as the sandbox's webhooks do: at the first replica. One hub is asked at a time.
                "public_url": f"http://{self.address('ingestion_http')}", "hub_key_file": self.secret_file("hub_key"),
                "hub_threads": 1,
                "webhook_secret_files": ",".join(f"{network.name}={self.secret_file(networks.secret_name(network))}"
                                                 for network in networks.pushing()),
                "verify_token_files": ",".join(f"{network.name}={self.secret_file(network.name + '_verify_token')}"
                                               for network in networks.pushing() if network.webhook.verify_token),
                # The sandbox has no quota to spare: read it more often than a real network would like.
                "poll_interval_min": "1s", "poll_interval_max": "5s", "poll_second_way_min": "10s",
                "poll_second_way_max": "30s", "channels_sync_every": "1s",
                # Whoever is killed while it polls gives the poll back soon.
                "poll_lease": "10s", "poll_call_max": "8s",
                # A run is over before a real network's posts would be measured for the first time.
                "measure_interval_min": "20s", "measure_interval_max": "60s", "measure_channel_every": "60s",
                "measure_sync_every": "2s", "measure_lease": "20s", "measure_call_max": "8s"}

    def _gateway_flags(self, replica):
        backends = ",".join(f"parvis.{s}.v1={self.address(s + '_grpc', replica)}" for s in WITH_SCHEMA)
        return {"http_address": self.address("gateway_http", replica), "backends": backends}

    def _sandbox_flags(self, _):
        return {"http_address": self.address("sandbox_http"), "journal_file": self._path("sandbox-journal.ndjson")}

    def launch(self, service, replica=0):
        """Starts one process of a service (again, after a crash)."""
        name = service if replica == 0 else f"{service}-{replica}"
        ready = self._path("ready", name)
        if os.path.exists(ready):
            os.remove(ready)
        more = self.extra_env.get(name) or self.extra_env.get(service)
        self.children[name] = Child(name, [f"{self.build}/bin/parvis-{service}", *self._flags(service, replica, name)],
                                    self._path("logs", f"{name}.log"), env=dict(os.environ, **more) if more else None).start()
        return name

    def relaunch(self, name):
        """As launch, by the name of the process: "inbox", "inbox-1"."""
        service, _, replica = name.partition("-")
        return self.launch(service, int(replica or 0))

    def admin_address(self, name):
        """Where /readyz and /metrics of a running process are."""
        with open(self._path("ready", name), encoding="ascii") as file:
            return dict(line.split("=", 1) for line in file.read().split())["admin"]

    def await_ready(self, service, seconds=60):
        child, ready = self.children[service], self._path("ready", service)
        wait_until(lambda: child.check() and os.path.exists(ready), seconds, f"{service} is ready (log: {child.log_path})")

    def await_reachable(self):
        """Until the gateway reaches every service: its channels try again at growing intervals, at most two seconds."""
        for replica in range(self.replicas):
            self._await_reachable(Client(self.gateway_url_of(replica), "nobody"))

    @staticmethod
    def _await_reachable(client):
        for method in PROBES:
            def answered(method=method):
                try:
                    client.call(method, {})
                except ConnectError as error:
                    return error.code == "unauthenticated"
                return True

            wait_until(answered, 30, f"the gateway reaches {method.split('.')[0]}")

    def restart(self, service):
        """Launches a service that has ended and waits until it can be called through the gateway."""
        self.launch(service)
        self.await_ready(service)
        self.await_reachable()

    def kill(self, service):
        self.children[service].signal(signal.SIGKILL)
        self.children[service].process.wait()

    # ---- stopping -------------------------------------------------------------------------------------------------

    def stop(self):
        """In reverse order; returns the names of those that had to be killed."""
        late = [name for name in reversed(list(self.children)) if not self.children[name].stop()]
        if self.kafka:
            self.kafka.stop()
        self.postgres.stop()
        return late
