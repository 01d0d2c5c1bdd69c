// Top-level domains that make a URL of a text without protocol. Country codes of ISO 3166 and the common generic ones;
// a rare generic domain that is missing here only makes the sandbox count a link by its letters.
#pragma once

#include <string_view>

namespace parvis::sandbox {

// Sorted.
inline constexpr std::string_view kTopLevelDomains[] = {
    "ac", "academy", "ad", "ae", "aero", "af", "ag", "agency", "ai", "al", "alsace", "am", "an", "ao", "app", "aq",
    "ar", "arpa", "art", "as", "asia", "at", "au", "audio", "aw", "ax", "az", "ba", "bb", "bd", "be", "beer", "best",
    "bf", "bg", "bh", "bi", "bike", "bio", "biz", "bj", "bl", "blog", "bm", "bn", "bo", "boutique", "bq", "br", "bs",
    "bt", "build", "business", "buzz", "bv", "bw", "by", "bz", "bzh", "ca", "cab", "cafe", "camera", "camp", "cat",
    "cc", "cd", "center", "cf", "cg", "ch", "chat", "ci", "city", "ck", "cl", "click", "clothing", "cloud", "club",
    "cm", "cn", "co", "coach", "codes", "coffee", "com", "community", "company", "computer", "consulting", "cool",
    "coop", "corsica", "cr", "cu", "cv", "cw", "cx", "cy", "cz", "dance", "dating", "de", "delivery", "design", "dev",
    "digital", "directory", "dj", "dk", "dm", "do", "dz", "earth", "ec", "edu", "education", "ee", "eg", "eh",
    "email", "energy", "er", "es", "et", "eu", "events", "exchange", "expert", "express", "family", "fans", "farm",
    "fashion", "fi", "film", "finance", "fit", "fj", "fk", "flights", "fm", "fo", "food", "foundation", "fr", "fun",
    "fund", "ga", "gallery", "game", "games", "garden", "gb", "gd", "ge", "gf", "gg", "gh", "gi", "gift", "gifts",
    "gl", "global", "gm", "gn", "gold", "golf", "google", "gov", "gp", "gq", "gr", "graphics", "green", "group", "gs",
    "gt", "gu", "guide", "guru", "gw", "gy", "health", "help", "hk", "hm", "hn", "holiday", "host", "hosting",
    "house", "hr", "ht", "hu", "id", "ie", "il", "im", "in", "info", "ink", "institute", "int", "international", "io",
    "iq", "ir", "is", "it", "je", "jm", "jo", "jobs", "jp", "ke", "kg", "kh", "ki", "kitchen", "km", "kn", "kp", "kr",
    "kw", "ky", "kz", "la", "land", "lb", "lc", "legal", "li", "life", "limited", "link", "live", "lk", "lol",
    "london", "love", "lr", "ls", "lt", "ltd", "lu", "lv", "ly", "ma", "market", "marketing", "mc", "md", "me",
    "media", "mf", "mg", "mh", "mil", "mk", "ml", "mm", "mn", "mo", "mobi", "moda", "moe", "money", "mp", "mq", "mr",
    "ms", "mt", "mu", "museum", "music", "mv", "mw", "mx", "my", "mz", "na", "name", "nc", "ne", "net", "network",
    "news", "nf", "ng", "ngo", "ni", "ninja", "nl", "no", "np", "nr", "nu", "nz", "om", "one", "online", "org", "pa",
    "page", "paris", "party", "pe", "pf", "pg", "ph", "photo", "photography", "photos", "pics", "pizza", "pk", "pl",
    "plus", "pm", "pn", "porn", "post", "pr", "press", "pro", "productions", "properties", "ps", "pt", "pub", "pw",
    "py", "qa", "radio", "re", "red", "rentals", "repair", "report", "rest", "restaurant", "review", "reviews", "ro",
    "rocks", "rs", "ru", "run", "rw", "sa", "sale", "sb", "sc", "school", "science", "sd", "se", "services", "sexy",
    "sg", "sh", "shoes", "shop", "show", "si", "site", "sj", "sk", "sl", "sm", "sn", "so", "social", "software",
    "solutions", "space", "sport", "sr", "ss", "st", "store", "stream", "studio", "style", "su", "sucks", "support",
    "surf", "sv", "sx", "sy", "systems", "sz", "tax", "tc", "td", "team", "tech", "tel", "tf", "tg", "th", "tips",
    "tj", "tk", "tl", "tm", "tn", "to", "today", "tools", "tours", "town", "toys", "tp", "tr", "trade", "training",
    "travel", "tt", "tv", "tw", "tz", "ua", "ug", "uk", "um", "university", "us", "uy", "uz", "va", "vacations", "vc",
    "ve", "ventures", "vg", "vi", "video", "vin", "vip", "vision", "vn", "vote", "voyage", "vu", "watch", "web",
    "website", "wedding", "wf", "wiki", "win", "wine", "work", "works", "world", "ws", "wtf", "xxx", "xyz", "ye",
    "yoga", "yt", "za", "zm", "zone", "zw",
};

}  // namespace parvis::sandbox
