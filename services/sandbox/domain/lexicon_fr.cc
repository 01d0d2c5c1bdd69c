#include "sandbox/domain/lexicon.h"

namespace parvis::sandbox {
namespace {

constexpr std::string_view kOpeners[] = {"Bonjour",
                                         "Bonjour à toute l'équipe",
                                         "Bonsoir",
                                         "Salut",
                                         "Hello",
                                         "Coucou",
                                         "Bonjour Madame, Monsieur",
                                         "Dites-moi",
                                         "Petite question",
                                         "Je me permets",
                                         "Alors",
                                         "Franchement",
                                         "Sérieusement",
                                         "Pour info",
                                         "Bon"};
constexpr std::string_view kClosers[] = {"Merci d'avance.",
                                         "Bonne journée !",
                                         "Bien à vous.",
                                         "Cordialement.",
                                         "À bientôt.",
                                         "Merci pour votre retour.",
                                         "Vous pouvez me répondre ici.",
                                         "J'attends une réponse.",
                                         "Belle soirée à tous.",
                                         "On se voit à {city}.",
                                         "Signé : {name}.",
                                         "Voilà, c'est dit.",
                                         "Affaire à suivre.",
                                         "Merci {name} !"};
constexpr std::string_view kProducts[] = {
    "la bougie Aurore",       "le coffret d'hiver", "la crème de nuit",     "le sac Horizon",
    "les baskets Vent",       "la cafetière Lune",  "le vélo Comète",       "la lampe Lumen",
    "l'abonnement annuel",    "la carte cadeau",    "le manteau Brume",     "le casque Écho",
    "la trottinette Éclair",  "le thé fumé",        "la robe Marée",        "l'application",
    "le menu végétarien",     "la tente Refuge",    "le livre de recettes", "la montre Boréale",
    "le chocolat aux épices", "le fauteuil Nuage"};
constexpr std::string_view kCities[] = {
    "Lyon",  "Lille", "Nantes", "Toulouse",    "Bordeaux", "Rennes",    "Strasbourg", "Marseille", "Grenoble", "Dijon",
    "Brest", "Nice",  "Rouen",  "Montpellier", "Genève",   "Bruxelles", "Liège",      "Lausanne",  "Québec",   "Paris"};
constexpr std::string_view kDays[] = {"lundi",
                                      "mardi",
                                      "mercredi",
                                      "jeudi",
                                      "vendredi",
                                      "samedi",
                                      "dimanche",
                                      "hier",
                                      "avant-hier",
                                      "la semaine dernière",
                                      "ce matin",
                                      "le 14",
                                      "le mois dernier",
                                      "depuis trois jours",
                                      "depuis quinze jours"};
constexpr std::string_view kReasons[] = {
    "le colis est arrivé ouvert",      "il manque la notice",         "la couleur n'a rien à voir avec la photo",
    "le bouton ne répond plus",        "on m'a facturé deux fois",    "le code promo est refusé",
    "le livreur n'est jamais passé",   "la taille ne correspond pas", "le site plante au paiement",
    "personne ne répond au téléphone", "la fermeture a cassé",        "l'odeur est insupportable",
    "le remboursement n'arrive pas",   "la batterie tient une heure", "la vendeuse a été désagréable",
    "le suivi n'avance plus"};
constexpr std::string_view kNames[] = {"Camille", "Inès",   "Hugo",   "Nadia",    "Yann",   "Sofia",  "Lucas",
                                       "Manon",   "Karim",  "Élodie", "Baptiste", "Jeanne", "Rachid", "Clémence",
                                       "Maël",    "Aïcha",  "Théo",   "Lou",      "Océane", "Gaël",   "Mathilde",
                                       "Idriss",  "Noémie", "Paul",   "Zoé"};
constexpr std::string_view kWords[] = {"crétins", "abrutis",    "idiots",   "imbéciles",  "bouffons",
                                       "débiles", "tocards",    "nullards", "andouilles", "guignols",
                                       "escrocs", "incapables", "minables", "clowns"};
constexpr std::string_view kQuestions[] = {"est-ce que {product} sera disponible à {city} {day} ?",
                                           "quel est le prix de {product} avec la carte fidélité ?",
                                           "livrez-vous {product} à {city} ?",
                                           "comment retourner la commande n° {number} ?",
                                           "à quelle heure ouvre la boutique de {city} ? On m'a parlé de {hour}.",
                                           "{product}, ça existe en noir ?",
                                           "où en est ma commande {number}, passée {day} ?",
                                           "peut-on payer {product} en trois fois ?",
                                           "est-ce que {product} convient aux enfants de {number} mois ?",
                                           "le stock de {product} revient quand ?",
                                           "vous recrutez à {city} ?",
                                           "la garantie de {product} couvre-t-elle la casse ?",
                                           "faut-il réserver pour l'atelier de {hour} à {city} ?",
                                           "quelle différence entre {product} et l'ancien modèle à {price} ?",
                                           "pourquoi {product} coûte {price} ici et moins cher à {city} ?",
                                           "qui peut m'aider avec le dossier {number} ?"};
constexpr std::string_view kThanks[] = {"merci pour {product}, c'est exactement ce que je voulais.",
                                        "bravo à l'équipe de {city}, accueil au top {day} !",
                                        "reçu {day}, parfait, {product} est magnifique.",
                                        "un grand merci à {name} qui a réglé mon dossier {number} en dix minutes.",
                                        "j'adore {product}, ma sœur en veut aussi.",
                                        "commande {number} arrivée en avance, chapeau.",
                                        "merci {name}, vous avez sauvé mon anniversaire.",
                                        "{product} : validé par toute la famille, merci.",
                                        "service impeccable à {city}, je reviendrai.",
                                        "trop contente de {product}, merci pour le petit mot dans le colis.",
                                        "dix ans que je suis client et toujours ravi, merci.",
                                        "le concours était génial, merci pour {product} !"};
constexpr std::string_view kComplaints[] = {"commande {number} : {reason}. Je veux être remboursé.",
                                            "très déçu de {product} : {reason}.",
                                            "{reason}, et cela dure {day}. C'est inadmissible.",
                                            "troisième message sans réponse. {reason}, dossier {number}.",
                                            "plus jamais à {city} : {reason}.",
                                            "{price} pour {product} et {reason}. J'attends un geste.",
                                            "je vais saisir le médiateur : {reason}.",
                                            "on m'avait promis une réponse {day}. {reason}, toujours rien.",
                                            "honteux. {reason}. Ma commande {number} traîne {day}.",
                                            "le service client de {city} m'a raccroché au nez alors que {reason}.",
                                            "{product} tombé en panne {day}, et {reason}. Que faites-vous ?",
                                            "je résilie : {reason}."};
constexpr std::string_view kInsults[] = {"bande de {word}, {reason} et vous vous en moquez.",
                                         "vous êtes vraiment des {word}.",
                                         "quels {word} à {city}, incroyable.",
                                         "{product} ? Fait par des {word} pour des {word}.",
                                         "équipe de {word}, apprenez votre métier.",
                                         "encore une réponse de {word}. {number} messages pour rien.",
                                         "allez tous au diable, {word}.",
                                         "il n'y a que des {word} pour acheter {product} à {price}."};
constexpr std::string_view kSpam[] = {
    "Gagnez {price} par jour sans bouger de chez vous : https://{host}/gain{number}",
    "Crédit immédiat sans justificatif, écrivez-moi sur {host}/pret?id={number}",
    "{product} -80 % seulement aujourd'hui ici : http://{host}/promo/{number}",
    "J'ai retrouvé mon ex grâce au maître {name}, voyant à {city} : {host}/voyance",
    "Abonnés garantis, {number} pour {price}, cliquez https://{host}/f",
    "Vérifiez votre compte avant {hour} sinon il sera fermé : https://{host}/verif/{number}"};
constexpr std::string_view kStories[] = {"{day}, je suis passée à la boutique de {city} pour {product}.",
                                         "La personne à l'accueil, {name} je crois, m'a dit de revenir à {hour}.",
                                         "J'ai attendu, j'ai rappelé, j'ai gardé le ticket numéro {number}.",
                                         "Entre-temps, {reason}.",
                                         "Mon voisin {name} a eu la même chose {day}, avec {product}.",
                                         "On nous avait annoncé {price}, on en paie le double.",
                                         "Je ne suis pas du genre à me plaindre, mais tout de même.",
                                         "Heureusement que {name} a été patient avec moi.",
                                         "À {city}, au moins, on prend le temps d'expliquer.",
                                         "Et puis {product}, quand ça marche, c'est formidable.",
                                         "J'ai relu vos conditions, page {number}, sans rien trouver.",
                                         "Ma fille adore, mon fils déteste, allez comprendre."};
constexpr std::string_view kReactions[] = {"Pareil ici à {city}.",
                                           "Ah non, pas d'accord avec {name}.",
                                           "+1",
                                           "Quelqu'un a eu une réponse ?",
                                           "Moi c'est {product} qui pose souci.",
                                           "{name}, regarde ça !",
                                           "Même histoire {day}.",
                                           "Essayez avant {hour}, ça passe.",
                                           "Écrivez-leur en privé avec le numéro {number}.",
                                           "Merci {name} pour l'astuce.",
                                           "Toujours rien de mon côté {day}.",
                                           "Il faut insister, moi j'ai eu {price} de remise."};

}  // namespace

const Lexicon& French() {
  static const Lexicon lexicon{"fr",   kOpeners,   kClosers, kProducts,   kCities,  kDays, kReasons, kNames,
                               kWords, kQuestions, kThanks,  kComplaints, kInsults, kSpam, kStories, kReactions};
  return lexicon;
}

}  // namespace parvis::sandbox
