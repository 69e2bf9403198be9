"""How iPhones, Google Messages and Samsung word a reaction and its removal, by language. reactions.py compiles it.

`{}` is where the message reacted to stands, in quotes or as "an image"; `{e}` is an emoji. Apple's words have changed
over the years, and differ between Spain and Mexico or France and Canada: all of them are kept."""

ADDED = {
    "love": """
        Loved {} | Added a heart to {}
        Liebt {} | Hat {} geliebt | Hat geliebt {} | {} ein Herz hinzugefügt | Hat {} ein Herz hinzugefügt
        A adoré {} | A ajouté un « J’adore » à {} | A ajouté un cœur à {}
        Le encantó {} | Le encanta {}
        Amou {} | Adorou {} | Adora {} | Adicionou um coração a {}
        Gaf een hartje aan {} | Vond {} geweldig | Vond geweldig {}
        Ha aggiunto un cuoricino a {} | Ha aggiunto un cuore a {} | Ha messo un cuore a {} | Ha adorato {}
        Pokochano {}
    """,
    "like": """
        Liked {}
        Gefällt {} | Gefällt: {} | Hat {} mit „Gefällt mir“ markiert | {} ein „Gefällt mir“ hinzugefügt
        A aimé {} | A ajouté un « J’aime » à {}
        Le gustó {} | Le gusta {} | Indicó que le gusta {}
        Gostou de {} | Gosta de {} | Curtiu {} | Adicionou um “Gosto” a {}
        Vond {} leuk | Vindt {} leuk | Vond leuk {} | Gaf een duim omhoog aan {}
        Ha aggiunto “Mi piace” a {} | Ha messo “Mi piace” a {} | Ha messo mi piace a {} | Piace {} | Gli piace {}
        Le piace {} | Polubiono {}
    """,
    "dislike": """
        Disliked {}
        Gefällt nicht {} | Gefällt nicht: {} | Hat {} mit „Gefällt mir nicht“ markiert
        {} ein „Gefällt mir nicht“ hinzugefügt
        N’a pas aimé {} | A ajouté un « Je n’aime pas » à {}
        No le gustó {} | No le gusta {} | Le disgusta {} | Le disgustó {}
        Não gostou de {} | Não gosta de {} | Não curtiu {}
        Vond {} niet leuk | Vindt {} niet leuk | Vond niet leuk {} | Gaf een duim omlaag aan {}
        Ha aggiunto “Non mi piace” a {} | Ha messo “Non mi piace” a {} | Non piace {} | Non gli piace {}
        Non le piace {}
    """,
    "laugh": """
        Laughed at {}
        Lacht über {} | Lachte über {} | Hat über {} gelacht | Hat gelacht über {} | {} ein Lachen hinzugefügt
        A ri de {} | A ajouté un rire à {}
        Le dio risa {} | Le da risa {} | Se rio de {} | Se rió de {} | Le hace gracia {} | Le hizo gracia {}
        Le pareció gracioso {}
        Riu de {} | Riu com {} | Deu risada de {} | Achou graça de {}
        Lachte om {}
        Trova divertente {} | Ha riso a {} | Ha riso per {} | Ha riso di {}
    """,
    "emphasize": """
        Emphasized {} | Emphasised {}
        Hat {} betont | Hat {} hervorgehoben | Hat hervorgehoben {}
        {} ein Ausrufezeichen hinzugefügt | {} Ausrufezeichen hinzugefügt
        A mis en exergue {} | A mis en évidence {} | A souligné {}
        A ajouté des points d’exclamation à {} | A ajouté un point d’exclamation à {}
        Enfatizó {} | Exclamó por {} | Exclamó ante {} | Le sorprende {} | Le sorprendió {}
        Enfatizou {} | Adicionou um ponto de exclamação a {}
        Benadrukte {} | Zette een uitroepteken bij {}
        Ha aggiunto i punti esclamativi a {} | Ha aggiunto un punto esclamativo a {} | Ha evidenziato {}
        Ha enfatizzato {}
    """,
    "question": """
        Questioned {}
        Hinterfragt {} | Hinterfragte {} | Hat {} hinterfragt | Hat {} infrage gestellt
        {} ein Fragezeichen hinzugefügt
        A remis en question {} | S’est interrogé sur {} | S’est interrogée sur {} | S’est interrogé(e) sur {}
        A ajouté un point d’interrogation à {} | A posé une question sur {}
        Dudó sobre {} | Duda sobre {} | Cuestionó {}
        Questionou {} | Adicionou um ponto de interrogação a {}
        Zette een vraagteken bij {} | Trok {} in twijfel
        Ha aggiunto il punto interrogativo a {} | Ha aggiunto un punto interrogativo a {} | Ha messo in dubbio {}
    """,
    "sticker": """
        Reacted with a sticker to {}
        Hat mit einem Sticker auf {} reagiert
        A réagi avec un autocollant à {} | A réagi avec un sticker à {}
        Reaccionó con un sticker a {} | Se ha reaccionado con un sticker a {}
        Reagiu com um sticker a {} | Reagiu com uma figurinha a {}
        Reageerde met een sticker op {}
        Ha reagito con un adesivo a {} | Ha reagito con uno sticker a {}
    """,
    "": """
        Reacted {e} to {} | Reacted with {e} to {} | Reacted to {} with {e} | {e} to {}
        Hat mit {e} auf {} reagiert | Hat {e} auf {} reagiert | Hat mit {e} reagiert auf {} | Mit {e} auf {} reagiert
        {e} auf {}
        A réagi avec {e} à {} | A réagi par {e} à {} | A réagi {e} à {} | {e} à {}
        Reaccionó con {e} a {} | Reaccionó {e} a {} | Se ha reaccionado con {e} a {} | Ha reaccionado con {e} a {}
        {e} a {}
        Reagiu com {e} a {} | Reagiu com {e} à {} | Reagiu com {e} para {} | Reagiu {e} a {} | {e} para {}
        Reageerde met {e} op {} | Heeft met {e} gereageerd op {} | {e} op {} | {e} naar {}
        Ha reagito con {e} a {} | Reazione {e} a {}
    """,
}

REMOVED = {
    "love": """
        Removed a heart from {} | Removed a love from {}
        Herz von {} entfernt | Hat Herz von {} entfernt | Hat ein Herz von {} entfernt
        A retiré son « J’adore » de {} | A retiré un « J’adore » de {} | A retiré un cœur de {}
        A supprimé un cœur de {}
        Ya no le encanta {} | Eliminó un corazón de {} | Quitó un corazón de {}
        Removeu um coração de {} | Removeu o coração de {}
        Verwijderde een hartje van {}
        Ha rimosso il cuoricino da {} | Ha rimosso un cuoricino da {} | Ha rimosso un cuore da {}
    """,
    "like": """
        Removed a like from {} | Removed a thumbs up from {}
        „Gefällt mir“ von {} entfernt | Hat „Gefällt mir“ von {} entfernt
        A retiré son « J’aime » de {} | A retiré un « J’aime » de {} | A supprimé un « J’aime » de {}
        Ya no le gusta {} | Eliminó un Me gusta de {} | Eliminó un “Me gusta” de {} | Quitó un Me gusta de {}
        Removeu um gosto de {} | Removeu uma curtida de {} | Removeu um “Gosto” de {} | Descurtiu {}
        Verwijderde een duim omhoog van {}
        Ha rimosso “Mi piace” da {} | Ha rimosso un “Mi piace” da {}
    """,
    "dislike": """
        Removed a dislike from {} | Removed a thumbs down from {}
        „Gefällt mir nicht“ von {} entfernt | Hat „Gefällt mir nicht“ von {} entfernt
        A retiré son « Je n’aime pas » de {} | A retiré un « Je n’aime pas » de {}
        Ya no le disgusta {} | Eliminó un No me gusta de {} | Eliminó un “No me gusta” de {}
        Removeu um não gosto de {} | Removeu um “Não gosto” de {}
        Verwijderde een duim omlaag van {}
        Ha rimosso “Non mi piace” da {} | Ha rimosso un “Non mi piace” da {}
    """,
    "laugh": """
        Removed a laugh from {}
        Lachen von {} entfernt | Hat Lachen von {} entfernt | Hat ein Lachen von {} entfernt
        A retiré son rire de {} | A retiré un rire de {} | A supprimé un rire de {}
        Ya no le hace gracia {} | Ya no le da risa {} | Eliminó una risa de {} | Quitó una risa de {}
        Removeu uma risada de {} | Removeu um riso de {}
        Verwijderde een lach van {}
        Non trova più divertente {} | Ha rimosso una risata da {} | Ha rimosso la risata da {}
    """,
    "emphasize": """
        Removed an exclamation from {} | Removed an exclamation mark from {} | Removed an emphasis from {}
        Removed emphasis from {}
        Ausrufezeichen von {} entfernt | Hat ein Ausrufezeichen von {} entfernt
        A retiré ses points d’exclamation de {} | A retiré un point d’exclamation de {}
        Ya no le sorprende {} | Eliminó una exclamación de {} | Quitó una exclamación de {}
        Removeu uma exclamação de {} | Removeu um ponto de exclamação de {}
        Verwijderde een uitroepteken van {}
        Ha rimosso i punti esclamativi da {} | Ha rimosso un punto esclamativo da {}
    """,
    "question": """
        Removed a question mark from {} | Removed a question from {}
        Fragezeichen von {} entfernt | Hat ein Fragezeichen von {} entfernt
        A retiré son point d’interrogation de {} | A retiré un point d’interrogation de {}
        Ya no duda sobre {} | Eliminó un signo de interrogación de {} | Quitó un signo de interrogación de {}
        Removeu um ponto de interrogação de {} | Removeu uma interrogação de {}
        Verwijderde een vraagteken van {}
        Ha rimosso il punto interrogativo da {} | Ha rimosso un punto interrogativo da {}
    """,
    "sticker": """
        Removed a sticker from {}
        Sticker von {} entfernt
        A retiré un autocollant de {} | A retiré un sticker de {}
        Eliminó un sticker de {} | Removeu um sticker de {} | Removeu uma figurinha de {}
        Verwijderde een sticker van {} | Ha rimosso un adesivo da {}
    """,
    "": """
        Removed {e} from {} | Removed a {e} from {} | Removed {e} reaction from {} | Removed a {e} reaction from {}
        {e} to {} removed
        {e} aus {} entfernt | {e} von {} entfernt | Hat {e} von {} entfernt | Hat {e} aus {} entfernt
        A retiré {e} de {} | A supprimé {e} de {}
        Ha eliminado {e} de {} | Se ha eliminado {e} de {} | Eliminó {e} de {} | Quitó {e} de {}
        Removeu {e} de {} | Removeu {e} em {}
        Verwijderde {e} uit {} | Verwijderde {e} van {} | Heeft {e} verwijderd van {}
        Ha rimosso {e} da {}
    """,
}

# What phones write in place of a message without words; the German forms also in the dative.
MEDIA = """
    an image | a photo | a picture | a movie | a video | an audio message | a voice message | an audio | a recording |
    a sticker | an attachment | a link | a location | a contact | a file | a document | a memoji | a gif | a message |
    ein bild | ein foto | ein video | einen film | eine audionachricht | eine sprachnachricht | einen anhang |
    einen sticker | einen link | einen standort | einen kontakt | eine datei | eine nachricht |
    einem bild | einem foto | einem video | einem film | einer audionachricht | einer sprachnachricht |
    einem anhang | einem sticker | einem link | einer datei | einer nachricht |
    une image | une photo | une vidéo | un film | un message audio | un message vocal | une pièce jointe | un lien |
    un autocollant | un sticker | une position | un contact | un fichier | un message |
    una imagen | una foto | un video | un vídeo | una película | un mensaje de audio | un mensaje de voz | un audio |
    un archivo adjunto | un adjunto | un archivo | un enlace | una ubicación | un contacto | un mensaje |
    uma imagem | uma foto | um vídeo | um filme | uma mensagem de áudio | uma mensagem de voz | um áudio | um anexo |
    um link | um sticker | uma figurinha | uma localização | um contato | um contacto | um arquivo | um ficheiro |
    uma mensagem | een afbeelding | een foto | een video | een film | een audiobericht | een spraakbericht |
    een bijlage | een link | een sticker | een locatie | een contact | een bestand | een bericht |
    un'immagine | un filmato | un messaggio audio | un messaggio vocale | un allegato | un link | un adesivo |
    una posizione | un contatto | un documento | un messaggio | zdjęcie | obraz
"""
MANY = """
    images photos pictures movies videos stickers attachments links files bilder fotos filme anhänge dateien vidéos
    imágenes vídeos adjuntos archivos imagens anexos afbeeldingen video's films bijlagen bestanden immagini foto video
    allegati
"""
