"""A private Apache Kafka 3.9.2 broker (KRaft, one node): jars by Maven, loopback only, ended by its process id."""

import os
import shutil
import subprocess

from .processes import Child, StartError, free_port, listens, wait_until

VERSION = "3.9.2"


def fetch_jars(root):
    """Brings the jars once into the checkout's cache and returns their folder."""
    folder = os.path.join(root, ".cache", f"kafka-{VERSION}", "lib")
    if os.path.exists(os.path.join(folder, f"kafka_2.13-{VERSION}.jar")):
        return folder
    part = folder + ".part"
    shutil.rmtree(part, ignore_errors=True)
    done = subprocess.run(["mvn", "-q", "-B", "-f", os.path.join(root, "deploy/local/kafka/pom.xml"),
                           "dependency:copy-dependencies", f"-DoutputDirectory={part}"],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise StartError(f"Maven could not bring Kafka {VERSION}: {(done.stdout + done.stderr).strip()[-500:]}")
    shutil.rmtree(folder, ignore_errors=True)
    os.rename(part, folder)
    return folder


class Kafka:
    """`doors`: what stands between the broker and its clients, by name; an object with the `port` that clients are told of
    and a `target` that is set to the broker's own. Each has a listener, for a client goes where the metadata says.
    `lasting`: the broker is meant to live for long, as in an installation."""

    def __init__(self, folder, jars, port=0, heap="384m", doors=None, lasting=False):
        self.folder, self._jars, self.port, self._heap = folder, jars, port, heap
        self._doors, self._lasting = list((doors or {}).values()), lasting
        self._child = None

    @property
    def brokers(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        # The advertised address is part of the metadata log: a restart keeps its ports when they are free.
        self.port = free_port(self.port)
        controller = free_port()
        listeners, advertised = [f"PLAINTEXT://{self.brokers}"], [f"PLAINTEXT://{self.brokers}"]
        for number, door in enumerate(self._doors):
            door.target = free_port()
            listeners.append(f"DOOR{number}://127.0.0.1:{door.target}")
            advertised.append(f"DOOR{number}://127.0.0.1:{door.port}")
        protocols = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT",
                     *(f"DOOR{number}:PLAINTEXT" for number in range(len(self._doors)))]
        properties = os.path.join(self.folder, "server.properties")
        with open(properties, "w", encoding="ascii") as file:
            file.write("\n".join(f"{k}={v}" for k, v in {
                "process.roles": "broker,controller", "node.id": 1,
                "controller.quorum.voters": f"1@127.0.0.1:{controller}",
                "listeners": ",".join([*listeners, f"CONTROLLER://127.0.0.1:{controller}"]),
                "advertised.listeners": ",".join(advertised), "inter.broker.listener.name": "PLAINTEXT",
                "controller.listener.names": "CONTROLLER", "listener.security.protocol.map": ",".join(protocols),
                "log.dirs": os.path.join(self.folder, "data"), "num.partitions": 6,
                "auto.create.topics.enable": "false", "delete.topic.enable": "true",
                "offsets.topic.replication.factor": 1, "offsets.topic.num.partitions": 8,
                "transaction.state.log.replication.factor": 1, "transaction.state.log.min.isr": 1,
                "group.initial.rebalance.delay.ms": 0,
                # After kill -9 a restart waits for the old session: 5 s instead of 14 s with these.
                "broker.session.timeout.ms": 2000, "broker.heartbeat.interval.ms": 500,
                "log.retention.hours": 168, "log.segment.bytes": 268435456,
            }.items()) + "\n")
        self._properties = properties
        if not os.path.exists(os.path.join(self.folder, "data", "meta.properties")):
            cluster = self._tool("kafka.tools.StorageTool", "random-uuid").strip().splitlines()[-1]
            self._tool("kafka.tools.StorageTool", "format", "-t", cluster, "-c", properties)
        self.launch()
        return self

    def launch(self):
        """Starts the broker process (also after kill())."""
        options = [f"-Xmx{self._heap}", "-XX:+UseSerialGC"]
        if not self._lasting:
            # The optimizing compiler takes half of a broker's CPU time in its first minutes, and halves it after them.
            options.append("-XX:TieredStopAtLevel=1")
        self._child = Child("kafka", self._java(*options) + ["kafka.Kafka", self._properties],
                            os.path.join(self.folder, "kafka.log"), cwd=self.folder).start()
        wait_until(lambda: self._child.check() and listens(self.port), 180, "Kafka listens")

    def _java(self, *options):
        log4j = os.path.join(self.folder, "log4j.properties")
        if not os.path.exists(log4j):
            with open(log4j, "w", encoding="ascii") as file:
                file.write("log4j.rootLogger=WARN, out\nlog4j.appender.out=org.apache.log4j.ConsoleAppender\n"
                           "log4j.appender.out.target=System.err\n"  # what a tool prints is data
                           "log4j.appender.out.layout=org.apache.log4j.PatternLayout\n"
                           "log4j.appender.out.layout.ConversionPattern=%d %p %m (%c)%n\n")
        return ["java", *options, f"-Dlog4j.configuration=file:{log4j}", "-cp", os.path.join(self._jars, "*")]

    def _tool(self, *arguments):
        done = subprocess.run(self._java("-Xmx128m") + list(arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise StartError(f"Kafka tool {arguments[0]} failed: {(done.stdout + done.stderr).strip()[-500:]}")
        return done.stdout

    def write(self, topic, lines):
        """Puts records made of text into a topic, past the services; for tests of what cannot be read."""
        subprocess.run(self._java("-Xmx128m") + ["kafka.tools.ConsoleProducer", "--bootstrap-server", self.brokers, "--topic",
                                                 topic], input="\n".join(lines) + "\n", text=True, check=True,
                       capture_output=True)

    def read(self, topic, seconds=8):
        """Every record of a topic as "headers TAB value" text, until none has come for `seconds`."""
        done = subprocess.run(self._java("-Xmx128m") + [
            "org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", self.brokers, "--topic", topic,
            "--from-beginning", "--timeout-ms", str(seconds * 1000), "--property", "print.headers=true"],
            capture_output=True, text=True, errors="replace", check=False)
        return [line for line in done.stdout.splitlines() if line]

    def kill(self):
        self._child.kill()

    def signal(self, number):
        self._child.signal(number)

    def await_end(self, seconds=30):
        """After a signal that ends it, or a failure that does."""
        self._child.process.wait(seconds)

    def running(self):
        return self._child.running()

    def stop(self):
        if self._child:
            self._child.stop()
