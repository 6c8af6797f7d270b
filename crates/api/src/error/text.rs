//! The sentence for each code, in both languages.

use axum::http::StatusCode;

use crate::lang::Lang;

/// `(code, English, French)`. A code that is not here falls back to the sentence of its status.
const SENTENCES: &[(&str, &str, &str)] = &[
    ("already_recording", "This session is already recording.", "Cette session enregistre déjà."),
    ("bad_credentials", "User name or password is wrong.", "Identifiant ou mot de passe incorrect."),
    ("bad_origin", "This page is not allowed to do that.", "Cette page n’est pas autorisée à faire cela."),
    ("camera_in_other_club", "This camera belongs to another club.", "Cette caméra appartient à un autre club."),
    ("camera_not_found", "There is no such camera.", "Cette caméra n’existe pas."),
    ("camera_unreachable", "The camera does not answer.", "La caméra ne répond pas."),
    (
        "club_has_terrains",
        "This club still has courts; remove them first.",
        "Ce club a encore des terrains ; supprimez-les d’abord.",
    ),
    ("club_not_found", "There is no such club.", "Ce club n’existe pas."),
    (
        "csrf",
        "The request lacks the header that proves it comes from our page.",
        "Il manque à la requête l’en-tête qui prouve qu’elle vient de notre page.",
    ),
    (
        "declared_in_file",
        "The configuration file sets this; change it there.",
        "Ce réglage vient du fichier de configuration ; modifiez-le là.",
    ),
    ("disk_full", "The disk has no room for this recording.", "Le disque n’a plus de place pour cet enregistrement."),
    ("duplicate_name", "This name is taken already.", "Ce nom est déjà pris."),
    ("duplicate_slug", "A camera with this short name exists already.", "Une caméra porte déjà ce nom court."),
    ("duplicate_username", "A user with this name exists already.", "Un utilisateur porte déjà ce nom."),
    ("duration_out_of_range", "A recording lasts from 1 to 720 minutes.", "Un enregistrement dure de 1 à 720 minutes."),
    (
        "encoder_unavailable",
        "This machine lacks the encoder for that.",
        "Il manque l’encodeur nécessaire sur cette machine.",
    ),
    ("forbidden", "You are not allowed to do that.", "Vous n’avez pas le droit de faire cela."),
    (
        "internal",
        "Something went wrong on our side; the log says what.",
        "Une erreur est survenue de notre côté ; le journal en dit plus.",
    ),
    ("invalid_field", "One of the values is not usable.", "L’une des valeurs n’est pas utilisable."),
    (
        "last_super_admin",
        "This is the last super administrator; make another one first.",
        "C’est le dernier super-administrateur ; créez-en d’abord un autre.",
    ),
    ("locked", "This file is locked.", "Ce fichier est verrouillé."),
    ("log_not_found", "There is no log of this session.", "Il n’y a pas de journal de cette session."),
    ("malformed_json", "The request is not valid JSON.", "La requête n’est pas du JSON valide."),
    ("marker_not_found", "There is no such marker.", "Ce repère n’existe pas."),
    (
        "masked_credentials",
        "The password is masked; send it separately.",
        "Le mot de passe est masqué ; envoyez-le à part.",
    ),
    (
        "max_concurrent_recordings",
        "As many recordings as allowed are running already.",
        "Le nombre maximal d’enregistrements est déjà atteint.",
    ),
    ("method_not_allowed", "This address does not accept that method.", "Cette adresse n’accepte pas cette méthode."),
    ("missing_field", "A value is missing.", "Il manque une valeur."),
    (
        "network_not_allowed",
        "Requests from this address are not taken; the setting `http.allowed_networks` says from where they are.",
        "Les requêtes de cette adresse ne sont pas acceptées ; le réglage `http.allowed_networks` dit d’où elles le sont.",
    ),
    ("no_camera", "No camera looks at this court.", "Aucune caméra ne filme ce terrain."),
    ("no_frame_yet", "No picture has arrived yet.", "Aucune image n’est encore arrivée."),
    ("no_free_port", "No port is free for another session.", "Aucun port n’est libre pour une nouvelle session."),
    ("not_owner", "This belongs to somebody else.", "Ceci appartient à quelqu’un d’autre."),
    ("not_recording", "This session is not recording.", "Cette session n’enregistre pas."),
    ("other_club", "This belongs to another club.", "Ceci appartient à un autre club."),
    ("own_account", "You cannot do that to your own account.", "Vous ne pouvez pas faire cela à votre propre compte."),
    ("pass_not_found", "There is no such pass.", "Ce laissez-passer n’existe pas."),
    ("payload_too_large", "The request is too large.", "La requête est trop volumineuse."),
    ("range_not_satisfiable", "The file has no such part.", "Le fichier n’a pas cette partie."),
    ("rate_limited", "Too many attempts; wait a moment.", "Trop de tentatives ; patientez un instant."),
    ("read_only_token", "This token may only read.", "Ce jeton ne permet que la lecture."),
    ("recorder_failed", "The recording could not be written.", "L’enregistrement n’a pas pu être écrit."),
    ("recording_active", "A recording is running.", "Un enregistrement est en cours."),
    ("route_not_found", "There is nothing at this address.", "Il n’y a rien à cette adresse."),
    ("seconds_out_of_range", "A clip holds 10 to 120 seconds.", "Un extrait dure de 10 à 120 secondes."),
    (
        "session_active",
        "A session is open on this court; close it first.",
        "Une session est ouverte sur ce terrain ; fermez-la d’abord.",
    ),
    ("session_exists", "There is an open session already.", "Une session est déjà ouverte."),
    ("session_not_found", "There is no such session.", "Cette session n’existe pas."),
    (
        "setup_code",
        "The setup code from the server’s console is missing or wrong.",
        "Le code d’installation affiché sur la console du serveur est absent ou faux.",
    ),
    ("setup_done", "Setup has been done already.", "L’installation est déjà faite."),
    ("sign_in_busy", "Too many people are signing in at this moment.", "Trop de personnes se connectent en ce moment."),
    ("stopping", "Vigie is stopping.", "Vigie s’arrête."),
    ("terrain_disabled", "This court is switched off.", "Ce terrain est désactivé."),
    ("terrain_not_found", "There is no such court.", "Ce terrain n’existe pas."),
    ("timeout", "The answer took too long.", "La réponse a pris trop de temps."),
    ("token_not_found", "There is no such token.", "Ce jeton n’existe pas."),
    ("too_many_markers", "This session has too many markers already.", "Cette session a déjà trop de repères."),
    ("unauthenticated", "Sign in first.", "Connectez-vous d’abord."),
    ("unsupported_media_type", "This type of content is not accepted.", "Ce type de contenu n’est pas accepté."),
    ("unsupported_platform", "This machine cannot do that.", "Cette machine ne sait pas faire cela."),
    ("user_not_found", "There is no such user.", "Cet utilisateur n’existe pas."),
    ("video_not_found", "There is no such recording.", "Cet enregistrement n’existe pas."),
];

/// The code of a failure that carries nothing but its status.
pub(super) fn code_of_status(status: StatusCode) -> &'static str {
    match status.as_u16() {
        400 => "bad_request",
        401 => "unauthenticated",
        403 => "forbidden",
        404 => "not_found",
        405 => "method_not_allowed",
        406 => "not_acceptable",
        408 | 504 => "timeout",
        409 => "conflict",
        413 => "payload_too_large",
        415 => "unsupported_media_type",
        416 => "range_not_satisfiable",
        422 => "invalid_field",
        423 => "locked",
        426 => "upgrade_required",
        429 => "rate_limited",
        431 => "headers_too_large",
        501 => "unsupported_platform",
        502 => "upstream",
        503 => "unavailable",
        507 => "disk_full",
        _ if status.is_client_error() => "bad_request",
        _ => "internal",
    }
}

/// The code, if it has a sentence.
pub(super) fn known(code: &str) -> Option<&'static str> {
    SENTENCES.iter().find(|(c, _, _)| *c == code).map(|(c, _, _)| *c)
}

/// The sentence for a code.
pub(super) fn sentence(code: &str, status: StatusCode, lang: Lang) -> &'static str {
    let row = SENTENCES.iter().find(|(c, _, _)| *c == code);
    match (row, lang) {
        (Some((_, en, _)), Lang::En) => en,
        (Some((_, _, fr)), Lang::Fr) => fr,
        (None, _) => of_status(status, lang),
    }
}

fn of_status(status: StatusCode, lang: Lang) -> &'static str {
    let (en, fr) = match status.as_u16() {
        400 | 422 => ("The request is not usable.", "La requête n’est pas utilisable."),
        404 => ("There is no such thing.", "Cela n’existe pas."),
        409 => ("That does not fit the present state.", "Cela ne va pas avec l’état actuel."),
        426 => ("This address is a WebSocket.", "Cette adresse est un WebSocket."),
        429 => ("A limit was reached; wait a moment.", "Une limite est atteinte ; patientez un instant."),
        502 | 504 => ("The other side does not answer as it should.", "L’autre côté ne répond pas comme il faudrait."),
        503 => ("Not available at the moment.", "Indisponible pour le moment."),
        s if s < 500 => ("The request cannot be served.", "La requête ne peut pas être servie."),
        _ => ("Something went wrong on our side.", "Une erreur est survenue de notre côté."),
    };
    match lang {
        Lang::En => en,
        Lang::Fr => fr,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert!(SENTENCES.windows(2).all(|w| w[0].0 < w[1].0), "sorted, no code twice");
        assert!(SENTENCES.iter().all(|(_, en, fr)| !en.is_empty() && !fr.is_empty() && en != fr));
    }
}
