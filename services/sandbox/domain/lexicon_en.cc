#include "sandbox/domain/lexicon.h"

namespace parvis::sandbox {
namespace {

constexpr std::string_view kOpeners[] = {"Hello",     "Hi there",  "Good morning", "Hey team",  "Hi",
                                         "Dear team", "Quick one", "Honestly",     "Seriously", "Just so you know",
                                         "So",        "Excuse me", "Well",         "Right",     "Evening all"};
constexpr std::string_view kClosers[] = {
    "Thanks in advance.",   "Have a good day!",   "Kind regards.",   "Waiting for your answer.",
    "You can answer here.", "See you in {city}.", "Signed, {name}.", "That is all.",
    "To be continued.",     "Cheers {name}!",     "Please advise.",  "Best from {city}.",
    "Take care.",           "Over to you."};
constexpr std::string_view kProducts[] = {
    "the Dawn candle",      "the winter box",        "the night cream", "the Horizon bag",
    "the Wind trainers",    "the Moon coffee maker", "the Comet bike",  "the Lumen lamp",
    "the yearly plan",      "the gift card",         "the Mist coat",   "the Echo headset",
    "the Flash scooter",    "the smoked tea",        "the Tide dress",  "the app",
    "the vegetarian menu",  "the Shelter tent",      "the cookbook",    "the Boreal watch",
    "the spiced chocolate", "the Cloud armchair"};
constexpr std::string_view kCities[] = {"Leeds",   "Bristol", "Dublin",   "Cardiff", "Glasgow",    "Boston", "Austin",
                                        "Denver",  "Seattle", "Toronto",  "Perth",   "Cork",       "York",   "Oxford",
                                        "Belfast", "Chicago", "Portland", "Bath",    "Wellington", "London"};
constexpr std::string_view kDays[] = {"on Monday",    "on Tuesday",         "on Wednesday",   "on Thursday",
                                      "on Friday",    "on Saturday",        "on Sunday",      "yesterday",
                                      "two days ago", "last week",          "this morning",   "on the 14th",
                                      "last month",   "three days running", "a fortnight ago"};
constexpr std::string_view kReasons[] = {"the parcel came open",
                                         "the manual is missing",
                                         "the colour is nothing like the picture",
                                         "the button stopped working",
                                         "I was charged twice",
                                         "the voucher code is refused",
                                         "the driver never came",
                                         "the size is wrong",
                                         "the site crashes at checkout",
                                         "nobody picks up the phone",
                                         "the zip broke",
                                         "the smell is unbearable",
                                         "the refund never arrives",
                                         "the battery lasts an hour",
                                         "the shop assistant was rude",
                                         "the tracking is stuck"};
constexpr std::string_view kNames[] = {"Alex", "Priya",  "Tom",  "Grace", "Omar",  "Ellie", "Ben",  "Chloe", "Sam",
                                       "Nora", "Liam",   "Ruby", "Noah",  "Isla",  "Finn",  "Maya", "Jack",  "Amber",
                                       "Leo",  "Hannah", "Owen", "Zara",  "Ethan", "Molly", "Kai"};
constexpr std::string_view kWords[] = {"idiots",   "morons",  "clowns", "muppets", "losers", "numpties",   "crooks",
                                       "halfwits", "dimwits", "fools",  "jerks",   "twits",  "blockheads", "amateurs"};
constexpr std::string_view kQuestions[] = {"will {product} be available in {city} {day}?",
                                           "what does {product} cost with the loyalty card?",
                                           "do you deliver {product} to {city}?",
                                           "how do I return order {number}?",
                                           "when does the {city} shop open? Somebody said {hour}.",
                                           "does {product} come in black?",
                                           "where is my order {number}, placed {day}?",
                                           "can I pay for {product} in three instalments?",
                                           "is {product} fine for a child of {number} months?",
                                           "when is {product} back in stock?",
                                           "are you hiring in {city}?",
                                           "does the warranty of {product} cover drops?",
                                           "do I need to book the {hour} workshop in {city}?",
                                           "what is the difference between {product} and the old one for {price}?",
                                           "why is {product} {price} here and cheaper in {city}?",
                                           "who can help me with case {number}?"};
constexpr std::string_view kThanks[] = {"thank you for {product}, exactly what I wanted.",
                                        "well done to the {city} team, lovely welcome {day}!",
                                        "arrived {day}, perfect, {product} is gorgeous.",
                                        "big thanks to {name} who sorted my case {number} in ten minutes.",
                                        "I love {product}, my sister wants one too.",
                                        "order {number} came early, hats off.",
                                        "thanks {name}, you saved my birthday.",
                                        "{product}: approved by the whole family, thank you.",
                                        "great service in {city}, I will be back.",
                                        "so happy with {product}, thanks for the little note in the box.",
                                        "ten years a customer and still delighted, thank you.",
                                        "the contest was brilliant, thanks for {product}!"};
constexpr std::string_view kComplaints[] = {"order {number}: {reason}. I want a refund.",
                                            "very disappointed with {product}: {reason}.",
                                            "{reason}, and it started {day}. Unacceptable.",
                                            "third message without an answer. {reason}, case {number}.",
                                            "never again in {city}: {reason}.",
                                            "{price} for {product} and {reason}. I expect compensation.",
                                            "I am going to the ombudsman: {reason}.",
                                            "you promised an answer {day}. {reason}, still nothing.",
                                            "shameful. {reason}. My order {number} has been stuck since {day}.",
                                            "your {city} helpdesk hung up on me while {reason}.",
                                            "{product} broke {day}, and {reason}. What will you do?",
                                            "I am cancelling: {reason}."};
constexpr std::string_view kInsults[] = {"you bunch of {word}, {reason} and you do not care.",
                                         "you really are {word}.",
                                         "what a set of {word} in {city}, unbelievable.",
                                         "{product}? Made by {word} for {word}.",
                                         "team of {word}, learn your job.",
                                         "another answer written by {word}. {number} messages for nothing.",
                                         "get lost, all of you {word}.",
                                         "only {word} would buy {product} for {price}."};
constexpr std::string_view kSpam[] = {
    "Earn {price} a day from home: https://{host}/win{number}",
    "Instant loan without papers, write to me at {host}/loan?id={number}",
    "{product} 80% off today only: http://{host}/promo/{number}",
    "Doctor {name} of {city} brought my lover back: {host}/spell",
    "Real followers, {number} for {price}, click https://{host}/f",
    "Verify your account before {hour} or it will be closed: https://{host}/verify/{number}"};
constexpr std::string_view kStories[] = {"I went to the {city} shop {day} for {product}.",
                                         "The person at the desk, {name} I think, told me to come back at {hour}.",
                                         "I waited, I called again, I kept ticket number {number}.",
                                         "Meanwhile {reason}.",
                                         "My neighbour {name} had the same thing {day}, with {product}.",
                                         "We were told {price} and paid twice that.",
                                         "I am not one to complain, but still.",
                                         "Luckily {name} was patient with me.",
                                         "In {city}, at least, they take the time to explain.",
                                         "And {product}, when it works, is wonderful.",
                                         "I read your terms again, page {number}, and found nothing.",
                                         "My daughter loves it, my son hates it, go figure."};
constexpr std::string_view kReactions[] = {"Same here in {city}.",
                                           "No, I do not agree with {name}.",
                                           "+1",
                                           "Did anyone get an answer?",
                                           "For me it is {product} that fails.",
                                           "{name}, look at this!",
                                           "Same story {day}.",
                                           "Try before {hour}, it works then.",
                                           "Write to them privately with number {number}.",
                                           "Thanks {name} for the trick.",
                                           "Still nothing on my side {day}.",
                                           "You have to insist, I got {price} off."};

}  // namespace

const Lexicon& English() {
  static const Lexicon lexicon{"en",   kOpeners,   kClosers, kProducts,   kCities,  kDays, kReasons, kNames,
                               kWords, kQuestions, kThanks,  kComplaints, kInsults, kSpam, kStories, kReactions};
  return lexicon;
}

}  // namespace parvis::sandbox
