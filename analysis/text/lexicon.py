"""Word lists: what carries no cause, and what shows how the word beside it is used."""

from __future__ import annotations


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


# The English list of the stop-words package has 1,333 entries, "computer" and "system" among them.
ENGLISH_STOP_WORDS = _words(
    "a about above across actually after again against all almost along already also although",
    "always am among an and another any anybody anyone anything anyway anywhere are around as",
    "at away be became because been before being below besides between beyond both but by came",
    "can cannot come comes coming could did do does doing done down during each either else",
    "elsewhere enough especially etc even ever every everybody everyone everything everywhere",
    "except few for from further gave get gets getting give given gives giving go goes going",
    "gone got had has have having he hence her here hers herself him himself his how however i",
    "if in indeed instead into is it its itself just keep keeps kept last least less let like",
    "likely lots lot made make makes making many may maybe me meanwhile might mine more",
    "moreover most mostly much must my myself namely near nearly need needs neither never",
    "nevertheless next no nobody none nor not nothing now nowhere of off often oh ok okay on",
    "once one ones only onto or other others otherwise ought our ours ourselves out over",
    "overall own per perhaps please put quite rather re really same say says said see seem",
    "seemed seems seen several shall she should since so some somebody somehow someone",
    "something sometime sometimes somewhere soon still such sure take taken takes taking tell",
    "than thank thanks that the their theirs them themselves then there thereby therefore these",
    "they thing things think this those though through throughout thus till to together too",
    "took toward towards truly try trying two under unless until up upon us use used using",
    "usually various very via want wanted wants was way we well went were what whatever when",
    "whenever where whereas wherever whether which while who whoever whole whom whose why will",
    "with within without would yes yet you your yours yourself yourselves don't doesn't didn't",
    "isn't aren't wasn't weren't won't wouldn't can't couldn't shouldn't hasn't haven't hadn't",
    "mustn't needn't i'm i've i'd i'll it's he's she's that's there's what's who's let's you're",
    "you've you'd you'll we're we've we'd we'll they're they've they'd they'll dont doesnt",
    "didnt isnt arent wasnt werent wont wouldnt cant couldnt shouldnt hasnt havent hadnt im ive",
    "id thats theres whats youre youve theyre theyve u ur ya wanna gonna pls plz",
)

# Entries of the packaged lists that name causes: an account, the time, the work, the staff.
CAUSES = _words(
    "cuenta tiempo trabajo valor empleo lugar tempo trabalho trabalhar horas povo lavoro gente",
    "persone comprare personne personnes valeur parole force voie sujet essai pièce",
)

# What people write into a box that they want to leave empty.
FILLERS = _words(
    "na nil none nothing null nope blank comment comments answer test nichts nix kein keine",
    "kommentar entfällt rien aucun commentaire nada ninguno comentario comentarios nenhum",
    "niente nulla nessuno commento niets geen opmerking opmerkingen",
)

DETERMINERS = _words(
    "a an the my your his her its our their this that these those no any some every each",
    "another more der die das den dem des ein eine einen einem einer eines mein meine meinen",
    "meinem meiner kein keine keinen unser unsere dieser diese dieses ihr ihre le la les un une",
    "des du mon ma mes notre nos votre vos ce cet cette ces aucun aucune el los las una unos",
    "unas mi mis su sus nuestro nuestra este esta ningún ninguna o os as um uma meu minha meus",
    "minhas seu sua nosso nossa esse essa nenhum nenhuma il lo gli i uno mio mia miei mie suo",
    "nostro nostra questo questa nessun nessuna het een mijn onze ons uw deze dit geen",
)

CONNECTORS = _words("of for in to on at with de du des del della do da di von van für")
NEGATIONS = _words("no kein keine keinen pas sans sin sem senza nessun geen")
PARTICLES = _words("up out off down back over")

BEFORE_VERBS = _words(
    "to i we you they he she it can could will would should must may might don't didn't doesn't",
    "can't couldn't please not never dont didnt cant who zu ich wir je nous yo eu io ik wij te",
)
BEFORE_ADJECTIVES = _words(
    "is was are were be been being very so too more most quite really feel felt seems seemed as",
    "ist war sehr est très es muy é muito è molto zeer erg",
)

# Frequent words that tell a reader of a heading next to nothing.
SAYS_LITTLE = _words(
    "good great excellent nice bad poor best better worse worst happy lovely fine wonderful",
    "fantastic improve improved improvement improvements change changed problem problems issue",
    "issues help helped helping know knows knew look looked looking feel felt people person bit",
    "day days today time times week weeks month months year years guys hello hi dear able work",
    "ask asked asking told understand happen happens happened happening possible assistance",
    "wish hope question questions information info experience comment start started stop long",
    "big small new old due different wrong right three",
)
