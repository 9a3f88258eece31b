"""Questions in French about word vectors: none come with a library, so these are our own.

Written before any vector was asked, and not changed since; chosen so that novels of the nineteenth century can
know the answer. A row of pairs gives as many analogies as there are ordered pairs of pairs in it, as the
English questions of Mikolov et al. (2013) do: *roi* is to *reine* as *frère* is to *sœur*.
"""

from __future__ import annotations

PAIRS: dict[str, str] = {
    "famille": (
        "roi reine/frère sœur/père mère/fils fille/mari femme/oncle tante/neveu nièce/cousin cousine/"
        "prince princesse/duc duchesse/homme femme/comte comtesse"
    ),
    "genre des noms": (
        "chanteur chanteuse/danseur danseuse/acteur actrice/ouvrier ouvrière/paysan paysanne/maître maîtresse/"
        "voisin voisine/ami amie/berger bergère/lion lionne/chat chatte/chien chienne"
    ),
    "genre des adjectifs": (
        "beau belle/vieux vieille/blanc blanche/heureux heureuse/doux douce/long longue/petit petite/fou folle/"
        "nouveau nouvelle/bon bonne/dernier dernière/vif vive"
    ),
    "pluriel": (
        "cheval chevaux/œil yeux/animal animaux/homme hommes/oiseau oiseaux/enfant enfants/journal journaux/"
        "chapeau chapeaux/mal maux/genou genoux/maison maisons/arbre arbres"
    ),
    "adverbes": (
        "lent lentement/doux doucement/vif vivement/rapide rapidement/triste tristement/tranquille tranquillement/"
        "simple simplement/profond profondément/heureux heureusement/froid froidement/grave gravement/fier fièrement"
    ),
    "imparfait": (
        "parle parlait/chante chantait/vient venait/voit voyait/prend prenait/dort dormait/court courait/"
        "tient tenait/marche marchait/pleure pleurait/regarde regardait/mange mangeait"
    ),
    "infinitif et participe": (
        "parler parlé/chanter chanté/venir venu/voir vu/prendre pris/courir couru/tenir tenu/marcher marché/"
        "pleurer pleuré/mourir mort/ouvrir ouvert/perdre perdu"
    ),
    "capitales et pays": (
        "paris france/londres angleterre/rome italie/madrid espagne/berlin prusse/vienne autriche/athènes grèce/"
        "bruxelles belgique/varsovie pologne/lisbonne portugal"
    ),
    "pays et habitants": (
        "france français/angleterre anglais/italie italien/espagne espagnol/allemagne allemand/russie russe/"
        "amérique américain/pologne polonais/suisse suisses/grèce grec"
    ),
    "contraires": (
        "heureux malheureux/possible impossible/connu inconnu/prudent imprudent/utile inutile/mobile immobile/"
        "certain incertain/juste injuste/patient impatient/visible invisible/volontaire involontaire/capable incapable"
    ),
}

# Four words of a kind, and one of another: which is the odd one? The last of each row.
ODD_ONES: tuple[str, ...] = (
    "père mère frère sœur fenêtre",
    "lundi mardi jeudi dimanche cheval",
    "janvier mars juin octobre épée",
    "rouge bleu vert jaune vendredi",
    "pain vin viande fromage colère",
    "cheval chien chat vache chapeau",
    "paris londres rome madrid cuisine",
    "roi reine prince duc assiette",
    "table chaise fauteuil armoire rivière",
    "chêne sapin peuplier orme soldat",
    "rose violette lilas jasmin canon",
    "main bras jambe épaule château",
    "yeux nez bouche oreille voiture",
    "robe manteau chapeau gants soupe",
    "fusil épée sabre pistolet oreiller",
    "capitaine général colonel lieutenant tulipe",
    "curé évêque abbé moine locomotive",
    "médecin chirurgien malade fièvre violon",
    "piano violon flûte orchestre fromage",
    "mer vague navire matelot rideau",
    "neige pluie vent orage notaire",
    "soleil lune étoile ciel bottes",
    "joie bonheur plaisir gaieté moulin",
    "tristesse chagrin douleur désespoir fourchette",
    "or argent cuivre fer prière",
    "église autel messe prêtre galop",
    "juge avocat tribunal procès papillon",
    "livre page lecture roman poisson",
    "deux trois quatre cinq église",
    "matin soir midi nuit charrue",
    "courir marcher sauter galoper velours",
    "parler dire répondre crier escalier",
    "lait beurre fromage crème cavalerie",
    "maison chaumière cabane château semaine",
    "forêt bois clairière sentier ministre",
    "france italie espagne allemagne chandelle",
    "grand petit gros mince novembre",
    "dormir sommeil lit rêve banquier",
    "lettre encre plume papier taureau",
    "train wagon gare locomotive baptême",
)


def questions() -> str:
    """All analogies in the form of ``questions-words.txt``: a section a row of pairs, four words a line."""
    lines: list[str] = []
    for section, row in PAIRS.items():
        pairs = row.split("/")
        lines.append(f": {section}")
        lines += [f"{first} {second}" for first in pairs for second in pairs if first != second]
    return "\n".join(lines) + "\n"
