"""Starts Parvis on this machine, runs the main job and keeps running; see scripts/run."""

import argparse
import os
import shutil
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from parvis_local import networks  # noqa: E402
from parvis_local.cluster import ROOT, Cluster  # noqa: E402
from parvis_local.connect import ConnectError  # noqa: E402
from parvis_local.main_job import MainJob  # noqa: E402
from parvis_local.postgres import SERVICES as WITH_SCHEMA  # noqa: E402
from parvis_local.processes import StartError  # noqa: E402
from parvis_local.sandbox import Sandbox  # noqa: E402
from parvis_local.show import Show  # noqa: E402
from parvis_local.verify import Verdict  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/run", description=__doc__)
    parser.add_argument("--build", default=os.path.join(ROOT, "build/release"), help=argparse.SUPPRESS)
    parser.add_argument("--data", default=os.path.join(ROOT, ".parvis/local"), help="data folder (default .parvis/local)")
    parser.add_argument("--once", action="store_true", help="end after the table")
    parser.add_argument("--reset", action="store_true", help="throw away the data of earlier runs first")
    parser.add_argument("--idle", action="store_true", help="start everything without the main job")
    parser.add_argument("--audience", metavar="FILE", help="the audience writes the lines of FILE (UTF-8, one text a line)")
    parser.add_argument("--comments", type=int, default=3000, metavar="N", help="how many comments (default 3000)")
    parser.add_argument("--with", dest="real", default="", metavar="NAME[,NAME]", help="real servers of these networks in place of "
                        f"their sandboxes ({', '.join(network.name for network in networks.TABLE if network.real)})")
    parser.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--with-wordpress", dest="real", action="store_const", const="wordpress", help="as --with wordpress")
    return parser.parse_args()


def texts_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            texts = [line.strip() for line in file if line.strip()]
    except (OSError, UnicodeDecodeError) as problem:
        raise StartError(f"--audience {path}: {problem}") from problem
    if not texts:
        raise StartError(f"--audience {path}: the file has no text; one comment a line is right")
    return texts


def where_to_look(show, cluster, job):
    url, key, workspace = cluster.gateway_url, job.keys["owner"], job.workspace
    inbox = cluster.address("inbox_grpc")
    publishing, metrics = cluster.address("publishing_grpc"), cluster.address("metrics_grpc")
    body = f'{{"parent":"{workspace}","pageSize":3}}'
    show.chapter("Where to look")
    print(f"""  gateway   {url}
  key       {key}   (the owner's)
  logs      {os.path.relpath(os.path.join(cluster.folder, 'logs'))}/   journal of the networks: {cluster.sandbox_url}/control/journal

  curl -s {url}/parvis.inbox.v1.InboxService/ListConversations -H 'Content-Type: application/json' -H 'Authorization: Bearer {key}' -d '{body}'
  curl -s {url}/parvis.publishing.v1.PublishingService/ListDeliveries -H 'Content-Type: application/json' -H 'Authorization: Bearer {key}' -d '{body}'
  curl -s {url}/parvis.metrics.v1.MetricsService/GetCampaignReport -H 'Content-Type: application/json' -H 'Authorization: Bearer {key}' -d '{{"name":"{job.campaign}/report"}}'

  CGO_ENABLED=0 go install github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4     # once; needs Go
  grpcurl -plaintext -H 'authorization: Bearer {key}' -d '{body}' {inbox} parvis.inbox.v1.InboxService/ListConversations
  grpcurl -plaintext -H 'authorization: Bearer {key}' -d '{body}' {publishing} parvis.publishing.v1.PublishingService/ListDeliveries
  grpcurl -plaintext -H 'authorization: Bearer {key}' -d '{{"name":"{job.campaign}/report"}}' {metrics} parvis.metrics.v1.MetricsService/GetCampaignReport
""", flush=True)


def main():
    options = arguments()
    try:
        texts = texts_of(options.audience) if options.audience else None
        kinds = {name: networks.real_server(name) for name in filter(None, options.real.split(","))}
        for kind in kinds.values():
            kind.check()
    except (StartError, networks.NoRealServer) as problem:
        print(f"\nerror: {problem}", file=sys.stderr)
        return 1
    return 0 if options.check else run(options, texts, kinds)


def run(options, texts, kinds):
    show = Show()
    stop = threading.Event()

    def on_signal(number, _):
        if stop.is_set():
            return
        stop.set()
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, on_signal)
    signal.signal(signal.SIGTERM, on_signal)
    if options.reset:
        shutil.rmtree(options.data, ignore_errors=True)
    cluster, real, status = None, {}, 1
    try:
        show.chapter("Starting")
        # Off where strangers may come by; here grpcurl is to work without protos at hand.
        reflecting = {service: {"rpc_reflection": "true"} for service in WITH_SCHEMA}
        if kinds:   # a real server keeps what people wrote in earlier runs; this run's channels begin with what is written now
            reflecting["ingestion"]["first_lookback"] = "1s"
        cluster = Cluster(options.data, options.build, show.step, extra_flags=reflecting)
        cluster.start()
        for name, kind in kinds.items():
            real[name] = kind(os.path.join(options.data, name), show.step)
            real[name].start()
        if options.idle:
            show.step(f"gateway {cluster.gateway_url}, operator key in {cluster.secret_file('operator_key')}")
            status = 0
        else:
            job = MainJob(cluster, Sandbox(cluster, real=real), show, options.comments, texts, on=networks.ALL)
            job.run()
            verdict = Verdict(cluster, job)
            verdict.print(show)
            status = 0 if verdict.clean else 1
            where_to_look(show, cluster, job)
        if not options.once:
            show.step("running; Ctrl-C stops everything")
            stop.wait()
    except KeyboardInterrupt:
        status = 130 if options.once else 0
    except (StartError, ConnectError) as problem:
        print(f"\nerror: {problem}", file=sys.stderr)
        status = 1
    finally:
        stop.set()
        show.step("stopping")
        for server in real.values():
            server.stop()
        if cluster:
            late = cluster.stop()
            if late:
                show.step(f"had to be killed: {', '.join(late)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
