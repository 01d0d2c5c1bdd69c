"""Our producer against Kafka's own ProducerPerformance: same topic, same settings, records of 512 random letters."""

import re
import subprocess

# What librdkafka has by default and services/platform/bus/producer.cc sets; the tool would have smaller batches of its own.
SETTINGS = ("acks=all", "enable.idempotence=true", "compression.type=lz4", "linger.ms=5", "batch.size=1000000",
            "buffer.memory=67108864")
RECORD_BYTES = 512


def _performance(bench, topic, records):
    """Records per second as the tool reports them: counted inside it, without the JVM's start."""
    kafka = bench.kafka()
    command = kafka._java("-Xmx512m") + [  # pylint: disable=protected-access
        "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", str(records), "--record-size",
        str(RECORD_BYTES), "--throughput", "-1", "--producer-props", f"bootstrap.servers={kafka.brokers}", *SETTINGS]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    last = [line for line in done.stdout.splitlines() if "records sent" in line][-1]
    sent, rate = re.search(r"(\d+) records sent, ([\d.]+) records/sec", last).groups()
    if int(sent) != records:
        raise RuntimeError(f"ProducerPerformance sent {sent} of {records}: {last}")
    return float(rate)


def produce(bench):
    """acks=all, idempotent, lz4, linger 5 ms, 512 B."""
    # So many that the JVM's compiling is a small part of it.
    records = 200_000 if bench.quick else 600_000
    topic = bench.topic("produce")
    try:
        with bench.binary("parvis-produce-bench", f"--brokers={bench.kafka().brokers}", f"--topic={topic}",
                          f"--records={records}") as process:
            bench.pair("produce (512 B, acks=all, idempotent, lz4) / ProducerPerformance", process.side("ours"),
                       lambda: _performance(bench, topic, records), 1.0, pairs=3 if bench.quick else 12)
    finally:
        bench.stop_kafka()
