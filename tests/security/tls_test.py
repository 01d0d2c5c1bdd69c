"""S13: with certificates configured, services speak to each other and to nobody else: mutual TLS on every gRPC port."""

import os
import shutil
import socket
import ssl
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
from system import ROOT, SystemTest, main  # noqa: E402
from parvis_local.cluster import WITH_SCHEMA  # noqa: E402

# What a client says first and a server answers with (RFC 9113 §3.4): the preface and an empty SETTINGS frame.
SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + SETTINGS


class Authority:
    """Certificates as PEM files, made by openssl."""

    def __init__(self, folder):
        self.folder = folder
        os.makedirs(folder)
        self.ca = os.path.join(folder, "ca.pem")
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
                      "/CN=Parvis test authority", "-keyout", os.path.join(folder, "ca.key"), "-out", self.ca)

    @staticmethod
    def _openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)

    def issue(self, name):
        """(certificate, key) for 127.0.0.1 and `name`.parvis.internal."""
        stem = os.path.join(self.folder, name)
        certificate, key, request, names = stem + ".pem", stem + ".key", stem + ".csr", stem + ".ext"
        with open(names, "w", encoding="ascii") as file:
            file.write(f"subjectAltName=DNS:{name}.parvis.internal,IP:127.0.0.1\n")
        self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key,
                      "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", os.path.join(self.folder, "ca.key"),
                      "-CAcreateserial", "-days", "1", "-extfile", names, "-out", certificate)
        return certificate, key

    def flags(self, prefix, name):
        certificate, key = self.issue(name)
        return {f"{prefix}certificate_file": certificate, f"{prefix}key_file": key, f"{prefix}ca_file": self.ca}


class Tls(SystemTest):
    comments = 100

    @classmethod
    def setUpClass(cls):
        folder = os.path.join(ROOT, ".parvis/tests/TlsCertificates")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        cls.ours, cls.theirs = (Authority(os.path.join(folder, who)) for who in ("ours", "theirs"))
        cls.extra_flags = {"gateway": cls.ours.flags("backends_tls_", "gateway")}
        for service in WITH_SCHEMA:
            cls.extra_flags[service] = cls.ours.flags("rpc_tls_", service)
            if service != "accounts":
                cls.extra_flags[service].update(cls.ours.flags("accounts_tls_", service),
                                                accounts_tls_name="accounts.parvis.internal")
        super().setUpClass()

    def answered(self, service, context):
        """Whether the port speaks HTTP/2 with who comes like this; `context` None: plain text."""
        host, port = self.cluster.address(f"{service}_grpc").split(":")
        try:
            with socket.create_connection((host, int(port)), timeout=10) as plain:
                connection = context.wrap_socket(plain, server_hostname="127.0.0.1") if context else plain
                with connection:
                    connection.settimeout(10)
                    connection.sendall(PREFACE)
                    return connection.recv(9)[3:4] == SETTINGS[3:4]
        except OSError:
            return False

    def context(self, certificate=None, ca=None):
        context = ssl.create_default_context(cafile=ca or self.ours.ca)
        context.set_alpn_protocols(["h2"])
        if certificate:
            context.load_cert_chain(*certificate)
        return context

    def test_a_campaign_goes_out_over_mutual_tls_and_strangers_are_refused(self):
        self.team_and_campaign()   # gateway → services → accounts
        self.assert_clean()
        us, stranger = self.ours.issue("tester"), self.theirs.issue("tester")
        for service in WITH_SCHEMA:
            with self.subTest(service):
                self.assertTrue(self.answered(service, self.context(us)))
                self.assertFalse(self.answered(service, None), "plain text")
                self.assertFalse(self.answered(service, self.context()), "no certificate")
                self.assertFalse(self.answered(service, self.context(stranger)), "a certificate of another authority")
                self.assertFalse(self.answered(service, self.context(us, self.theirs.ca)), "it is ours, not theirs")


if __name__ == "__main__":
    main()
