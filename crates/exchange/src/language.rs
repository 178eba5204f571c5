//! The texts that phones do not translate themselves, in the languages that a site can choose.
//!
//! Phones translate their soft keys and most prompts: those go out as labels. What is left is written in English in the code
//! and looked up here on its way to a phone or a page; a text that is not in the catalogue stays as it is. All of it fits
//! ISO 8859-1, the code page of these languages.

use selsius_site::Language;
use selsius_wire::{PhoneText, text::TextPart};

/// English, German, French, Spanish.
const CATALOGUE: &[[&str; 4]] = &[
    // Prompts and notices. Old phones take 32 bytes.
    ["No answer", "Keine Antwort", "Pas de réponse", "Sin respuesta"],
    ["Not permitted", "Nicht erlaubt", "Non autorisé", "No permitido"],
    [
        "Enter number to forward to",
        "Umleitungsziel eingeben",
        "Entrer le n° de renvoi",
        "Introduzca número de desvío",
    ],
    [
        "Enter number to pick up",
        "Nummer zum Annehmen eingeben",
        "Entrer le n° à intercepter",
        "Introduzca número a capturar",
    ],
    ["Enter number of the room", "Nummer des Konferenzraums", "Numéro de la salle", "Número de la sala"],
    ["Forwarding is off", "Umleitung ist aus", "Renvoi désactivé", "Desvío desactivado"],
    ["Do not disturb is off", "Anrufschutz ist aus", "Ne pas déranger désactivé", "No molestar desactivado"],
    ["Logged in to hunt group", "In der Gruppe angemeldet", "Connecté au groupe", "Conectado al grupo"],
    ["Too many callbacks", "Zu viele Rückrufe", "Trop de rappels", "Demasiadas devoluciones"],
    // Conference list.
    ["Conference", "Konferenz", "Conférence", "Conferencia"],
    ["Select a participant", "Teilnehmer wählen", "Choisir un participant", "Elija un participante"],
    ["Remove", "Entfernen", "Retirer", "Quitar"],
    ["Update", "Neu", "Actualis", "Actualiz"],
    ["Select", "Auswahl", "Choisir", "Elegir"],
    ["Exit", "Ende", "Quitter", "Salir"],
    ["With", "Mit", "Avec", "Con"],
    // Pages.
    ["Dial", "Wählen", "Appeler", "Marcar"],
    ["EditDial", "Ändern", "Modifier", "EditNúm"],
    ["Next", "Weiter", "Suivant", "Siguient"],
    ["Back", "Zurück", "Retour", "Atrás"],
    ["Directories", "Verzeichnisse", "Répertoires", "Directorios"],
    ["Corporate directory", "Firmenverzeichnis", "Répertoire interne", "Directorio corporativo"],
    ["Enter what you know", "Bekanntes eingeben", "Saisir un critère", "Introduzca lo que sepa"],
    ["Name", "Name", "Nom", "Nombre"],
    ["Number", "Nummer", "Numéro", "Número"],
    ["Nobody found", "Niemand gefunden", "Aucun résultat", "Sin resultados"],
    ["Missed calls", "Entgangene Anrufe", "Appels manqués", "Llamadas perdidas"],
    ["Received calls", "Angenommene Anrufe", "Appels reçus", "Llamadas recibidas"],
    ["Placed calls", "Gewählte Nummern", "Appels composés", "Llamadas realizadas"],
    ["No calls", "Keine Anrufe", "Aucun appel", "Sin llamadas"],
    ["Unknown", "Unbekannt", "Inconnu", "Desconocido"],
    ["Services", "Dienste", "Services", "Servicios"],
    ["No services", "Keine Dienste", "Aucun service", "Sin servicios"],
    ["Messages", "Nachrichten", "Messages", "Mensajes"],
    ["Information", "Information", "Informations", "Información"],
    ["Not available", "Nicht verfügbar", "Non disponible", "No disponible"],
    ["ringing", "klingelt", "sonne", "sonando"],
    ["in use", "besetzt", "occupé", "en uso"],
    ["away", "nicht da", "absent", "ausente"],
];

/// A text of the catalogue in another language; one that is not in it stays English.
pub fn say(language: Language, english: &str) -> &str {
    let at = match language {
        Language::English => return english,
        Language::German => 1,
        Language::French => 2,
        Language::Spanish => 3,
    };
    CATALOGUE.iter().find(|row| row[0] == english).map_or(english, |row| row[at])
}

/// A phone's text in its language: the parts that are in the catalogue.
pub(crate) fn translated(text: PhoneText, language: Language) -> PhoneText {
    if language == Language::English {
        return text;
    }
    text.parts().iter().fold(PhoneText::default(), |text, part| match part {
        TextPart::Label(label) => text.then_label(*label),
        TextPart::Text(english) => text.then_text(say(language, english)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_is_there_once_and_fits_the_code_page() {
        for (at, row) in CATALOGUE.iter().enumerate() {
            for text in row {
                assert!(!text.is_empty() && text.len() <= 32, "{text}");
                assert!(text.chars().all(|c| u32::from(c) < 0x100 && !c.is_control()), "{text}");
            }
            assert!(CATALOGUE.iter().skip(at + 1).all(|other| other[0] != row[0]), "{row:?} twice");
        }
        assert_eq!(say(Language::German, "No answer"), "Keine Antwort");
        assert_eq!(say(Language::English, "No answer"), "No answer");
        assert_eq!(say(Language::Spanish, "something else"), "something else");
    }

    #[test]
    fn labels_stay_for_the_phone() {
        use selsius_wire::DisplayLabel;
        let text = PhoneText::label(DisplayLabel::From).then_text("No answer");
        let german = PhoneText::label(DisplayLabel::From).then_text("Keine Antwort");
        assert_eq!(translated(text.clone(), Language::German), german);
        assert_eq!(translated(text.clone(), Language::English), text);
    }
}
