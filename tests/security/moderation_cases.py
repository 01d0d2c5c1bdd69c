"""S8 and S9: what people do to a word, and what a tenant may write into a policy; part of outside_test.py."""

import threading
import time

from attack import alive, await_resident_below, resident_mb, slack
from parvis_local.connect import ConnectError, new_id
from parvis_local.main_job import MODERATION

RULES = "version: 1\nrules:\n  - {name: insult, if: {text: {words: [idiot, connard]}}, action: hide}\n"
TAGS = {c: chr(0xE0000 + ord(c)) for c in "abcdefghijklmnopqrstuvwxyz"}


def disguises(word):
    """(what, text): one word as people hide it; each must be found."""
    yield "plain", word
    yield "capitals", word.upper()
    yield "bidi override", "\u202e" + word + "\u202c"
    yield "bidi inside", "\u2067".join(word)
    yield "zero width", "\u200b".join(word)
    yield "joiners", "\u200d\u2060".join(word)
    yield "soft hyphens", "\u00ad".join(word)
    yield "byte order mark", "\ufeff".join(word)
    yield "variation selectors", "\ufe0f".join(word)
    yield "tags between", TAGS["x"].join(word)
    yield "full width", "".join(chr(ord(c) - 0x20 + 0xFF00) for c in word)
    yield "mathematical", "".join(chr(0x1D41A + ord(c) - ord("a")) for c in word)
    yield "circled", "".join(chr(0x24D0 + ord(c) - ord("a")) for c in word)
    yield "Cyrillic", word.translate(str.maketrans("aceio", "\u0430\u0441\u0435\u0456\u043e"))
    yield "accents", "".join(c + "\u0301" for c in word)
    yield "combining flood", "".join(c + "\u0301\u0323\u0336" * 30 for c in word)
    yield "digits", word.translate(str.maketrans("io", "10"))
    yield "dots", ".".join(word)
    yield "repeated", "".join(c * 4 for c in word)
    yield "Hangul filler", "\u3164".join(word)


INNOCENT = (
    "Bonjour, très belle lampe 🇫🇷 👨‍👩‍👧‍👦 !",
    "مرحبا بكم، شكرا جزيلا",
    "שלום, תודה רבה",
    "ありがとうございます",
    "idiom and idiosyncrasy",
    "Ça coûte 10 € : c'est bien.",
    "🇮🇩 🇮🇴",
    "Ω≈ç√∫˜µ≤≥÷",
    "नमस्ते, धन्यवाद",
)


def floods():
    """Texts made to cost: each as long as a request takes, or as its kind allows."""
    yield "combining marks", "i" + "\u0301" * 20000
    yield "growth by NFKC", "\ufdfa" * 10000
    yield "growth by case folding", "\u1e9e\u0149\u0390" * 8000
    yield "tags", "".join(TAGS["i"] for _ in range(10000))
    yield "regional indicators", "\U0001f1eb" * 9999
    yield "zero width joiners", "👨" + "\u200d👩" * 5000
    yield "bidi nesting", "\u202b" * 10000 + "idiot"
    yield "one letter", "a" * 60000
    yield "separators", "i." * 20000
    yield "links", "http://a.b/" * 4000
    yield "no characters", "".join(chr(0xFDD0 + n % 32) for n in range(10000))
    yield "NUL", "idi\0ot" * 5000


def bombs():
    """(what, policy): patterns on which a backtracking matcher dies, patterns that compile to very much, YAML that
    unfolds."""

    def regexes(*patterns):
        return "version: 1\nrules:\n" + "".join(
            f"  - {{name: r{n}, if: {{text: {{regex: ['{p}']}}}}, action: hold}}\n" for n, p in enumerate(patterns)
        )

    yield "nested quantifiers", regexes(
        "(a+)+$", "(a|aa)+$", "(a*)*b", "(.*)*x", "^(([a-z])+.)+[A-Z]([a-z])+$", "(x+x+)+y"
    )
    yield "counted repetition", regexes(
        "((a{1,100}){1,100}){1,100}", "(a{1000}){1000}", "[a-z]{999}{9}", r"\\p{L}{1000}"
    )
    yield "huge alternation", regexes("|".join(f"w{n:03}" for n in range(190)))
    yield "two hundred wide ones", regexes(
        *["(?i)" + "|".join(f"{c}{n}[a-z]*{n}" for n in range(60)) for c in "abcdefghij" * 20]
    )
    yield "backreference and lookahead", regexes(r"(a)\\1", "(?=a)b")
    yield "twenty thousand words", "version: 1\nrules:\n  - {name: w, if: {text: {words: [" + ", ".join(
        f"word{n}*" for n in range(20000)
    ) + "]}}, action: hold}\n"
    yield "too many words", "version: 1\nrules:\n  - {name: w, if: {text: {words: [" + ", ".join(
        f"w{n}" for n in range(30000)
    ) + "]}}, action: hold}\n"
    yield "aliases", "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{c}: &{c} [" + ",".join([f"*{p}"] * 9) + "]\n" for p, c in zip("abcdefgh", "bcdefghi")
    ) + "version: 1\nrules: *i\n"
    yield "nesting", "version: 1\nrules: " + "[" * 50000
    yield "block nesting", "".join(" " * n + "a:\n" for n in range(600))
    yield "NUL in a name", 'version: 1\nrules:\n  - {name: "a\\0b", if: {text: {words: [x]}}, action: hold}\n'
    yield "large", "#" * (900 << 10)


class HostileModeration:
    """Needs self.cluster and self.job with a team."""

    def try_policy(self, texts, source=RULES):
        return self.job.client("manager").call(
            f"{MODERATION}/TestPolicy",
            {"parent": self.job.workspace, "source": source, "texts": [{"text": t} for t in texts]},
        )["decisions"]

    def test_s8_a_word_is_found_in_every_disguise(self):
        for word in ("idiot", "connard"):
            cases = list(disguises(word))
            for (what, text), decision in zip(cases, self.try_policy([f"tu es un {t} !" for _, t in cases])):
                self.assertEqual(
                    decision["action"],
                    "ACTION_HIDE",
                    f"{word}, {what}: {text!r} read as {decision['normalizedText']!r}",
                )
        for text, decision in zip(INNOCENT, self.try_policy(INNOCENT)):
            self.assertEqual(decision["action"], "ACTION_ALLOW", text)

    def test_s8_floods_cost_little(self):
        before = resident_mb(self.cluster, "moderation")
        for what, text in floods():
            began = time.monotonic()
            try:
                self.assertEqual(len(self.try_policy([text])), 1)
            except ConnectError as refused:
                self.assertEqual(refused.code, "invalid_argument", what)
            self.assertLess(time.monotonic() - began, 10 * slack(self.cluster), what)
        await_resident_below(self.cluster, "moderation", before + 150 * slack(self.cluster))

    def test_s9_policies_made_to_hurt(self):
        before, slowest = resident_mb(self.cluster, "moderation"), 0.0
        hard = ["a" * 30000 + "!", "x" * 5000 + "y" * 5000, "ab" * 10000, " ".join(f"w{n:03}" for n in range(2000))]
        for what, source in bombs():
            began, stop, waits = time.monotonic(), threading.Event(), []
            neighbour = threading.Thread(target=self.neighbour, args=(stop, waits))
            neighbour.start()
            try:
                self.try_policy(hard, source)
                policy = self.job.client("manager").call(
                    f"{MODERATION}/CreatePolicy",
                    {
                        "parent": self.job.workspace,
                        "requestId": new_id(),
                        "policy": {"displayName": what, "source": source},
                    },
                )
                self.assertNotIn(
                    what,
                    ("aliases", "nesting", "NUL in a name", "large", "too many words"),
                    f"was taken: {policy['name']}",
                )
            except ConnectError as refused:
                self.assertIn(refused.code, ("invalid_argument", "resource_exhausted"), f"{what}: {refused}")
            finally:
                stop.set()
                neighbour.join()
            took = time.monotonic() - began
            slowest = max(slowest, took)
            print(f"  {what}: {took:.2f} s; a neighbour waited {max(waits, default=0):.2f} s at most", flush=True)
            self.assertLess(took, 60 * slack(self.cluster), what)
            self.assertLess(max(waits, default=0), 5 * slack(self.cluster), what)
        self.assertTrue(alive(self.cluster, "moderation"))
        await_resident_below(self.cluster, "moderation", before + 400 * slack(self.cluster))

    def neighbour(self, stop, waits):
        """Somebody else's ordinary request meanwhile; how long each took."""
        client = self.job.client("amelie")
        while not stop.is_set():
            began = time.monotonic()
            client.call(
                f"{MODERATION}/TestPolicy",
                {"parent": self.job.workspace, "source": RULES, "texts": [{"text": "idiot"}]},
            )
            waits.append(time.monotonic() - began)
