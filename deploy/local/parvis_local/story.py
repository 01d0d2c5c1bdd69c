"""The words of the main job: who takes part, what the campaign says, how the team answers."""

ORGANISATION = "Maison Lumen"
WORKSPACE = "Lumen Europe"
TIME_ZONE = "Europe/Paris"

# (display name, e-mail, roles): the client's lawyer approves from outside the team.
MEMBERS = {
    "owner": ("Claire Fontaine", "claire@lumen.example", ["ROLE_OWNER"]),
    "manager": ("Malik Haddad", "malik@lumen.example", ["ROLE_MANAGER"]),
    "amelie": ("Amélie Roux", "amelie@lumen.example", ["ROLE_MODERATOR"]),
    "ben": ("Ben Carter", "ben@lumen.example", ["ROLE_MODERATOR"]),
    "approver": ("Maître Sophie Blanc", "sophie@cabinet.example", ["ROLE_APPROVER"]),
}

CAMPAIGN = "Lampe Aube – lancement / Aube lamp – launch"

# One post an entry: language, title (for blogs and forums; these want 15 characters), the long text, the short text.
POSTS = [
    ("fr", "La lampe Aube est là",
     "La voilà enfin : Aube, la lampe qui se lève avec vous. Lumière chaude, bois d'érable, réparable pendant vingt ans. "
     "Dites-nous où vous la poserez ! 💡 https://lumen.example/aube",
     "Aube, la lampe qui se lève avec vous, est là. Où la poserez-vous ? 💡 https://lumen.example/aube"),
    ("en", "The Aube lamp is here",
     "Here at last: Aube, the lamp that rises with you. Warm light, maple wood, repairable for twenty years. "
     "Tell us where you will put yours! 💡 https://lumen.example/en/aube",
     "Aube, the lamp that rises with you, is here. Where will yours go? 💡 https://lumen.example/en/aube"),
    ("fr", "Dans notre atelier",
     "Derrière chaque Aube, il y a Jeanne, Idriss et Paul. Quatre heures de travail, aucune colle, deux vis. Une question à "
     "l'atelier ? Posez-la ici, ils répondent demain.",
     "Derrière chaque Aube : Jeanne, Idriss et Paul. Une question à l'atelier ? Posez-la ici."),
    ("en", "In the workshop",
     "Behind every Aube stand Jeanne, Idriss and Paul. Four hours of work, no glue, two screws. A question for the "
     "workshop? Ask it here; they answer tomorrow.",
     "Behind every Aube stand Jeanne, Idriss and Paul. A question for the workshop? Ask it here."),
]

# Too long by one character, as these networks count them.
TOO_LONG = {"x": "a" * 281, "bluesky": "👩‍🎨" * 301, "mastodon": "é" * 501}

# {kind: {language: answers}}
ANSWERS = {
    "KIND_QUESTION": {
        "fr": ["Bonjour {name}, merci pour votre question ! L'équipe vous répond en détail ici : lumen.example/aide.",
               "Bonjour {name}, bonne question : tout est expliqué sur lumen.example/aide, et nous restons là si besoin."],
        "en": ["Hello {name}, thank you for asking! You will find the details at lumen.example/help.",
               "Hi {name}, good question: it is all explained at lumen.example/help, and we are here if you need more."]},
    "KIND_COMPLAINT": {
        "fr": ["Bonjour {name}, nous sommes désolés. Nous ouvrons un dossier et revenons vers vous aujourd'hui."],
        "en": ["Hello {name}, we are sorry about this. We have opened a case and will come back to you today."]},
    "KIND_THANKS": {
        "fr": ["Merci beaucoup {name}, toute l'équipe est touchée !"],
        "en": ["Thank you so much {name}, that means a lot to the team!"]},
}


def answer(kind, language, name, number):
    """The text of answer `number`, distinct for every conversation (networks refuse duplicates)."""
    by_language = ANSWERS.get(kind, ANSWERS["KIND_QUESTION"])
    texts = by_language.get(language, by_language["en"])
    return texts[number % len(texts)].format(name=name or "") + f" [{number:04d}]"
