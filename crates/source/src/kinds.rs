//! The list of ways in. **The list is the truth**: documentation, forms and the API's enumerations are made from it.

use serde::Serialize;
use url::Url;
use vigie_hub::Reason;

use crate::{Source, SourceError, SourceSpec, file, http_mjpeg, rtsp, testcard};

/// One option of a kind, for forms and documentation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OptionDoc {
    /// The key inside `connection_config`, or of the URL's query where the name begins with `?`.
    pub name: &'static str,
    /// What is assumed without it.
    pub default: &'static str,
    /// One sentence.
    pub summary: &'static str,
}

/// A way in: the `connection_type` of the contract (§10.1).
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// The word used in the API.
    pub name: &'static str,
    /// One sentence for people who choose.
    pub summary: &'static str,
    /// What can be set.
    pub options: &'static [OptionDoc],
    /// Makes a source for one connection, or says why the configuration cannot work.
    pub make: fn(&SourceSpec) -> Result<Box<dyn Source>, SourceError>,
}

const TIMEOUT: OptionDoc = OptionDoc {
    name: "timeout_ms",
    default: "5000",
    summary: "How long to wait for a connection, for each answer, and for the first picture.",
};
const USER_AGENT: OptionDoc = OptionDoc {
    name: "user_agent",
    default: "Vigie and its version",
    summary: "What we call ourselves; some cameras serve only clients they know.",
};
const FPS_LIMIT: OptionDoc = OptionDoc {
    name: "fps_limit",
    default: "5",
    summary: "Pictures per second asked for where single pictures are fetched again and again.",
};
const RTSP_OPTIONS: &[OptionDoc] = &[
    OptionDoc {
        name: "transport",
        default: "auto",
        summary: "How RTP travels: tcp, udp, or auto (TCP first, UDP when the camera refuses it).",
    },
    TIMEOUT,
    USER_AGENT,
];
const HTTP_OPTIONS: &[OptionDoc] = &[FPS_LIMIT, TIMEOUT, USER_AGENT];

const FILE_OPTIONS: &[OptionDoc] = &[
    OptionDoc { name: "loop", default: "true", summary: "Begin again at the end; readers see one endless stream." },
    OptionDoc { name: "speed", default: "1", summary: "1 is real time, 0.1 to 16; at other speeds there is no sound." },
];

const TESTCARD_OPTIONS: &[OptionDoc] = &[
    OptionDoc { name: "?width", default: "1280", summary: "Pixels in a row." },
    OptionDoc { name: "?height", default: "720", summary: "Rows of pixels." },
    OptionDoc { name: "?fps", default: "25", summary: "Pictures per second." },
    OptionDoc { name: "?gop", default: "two seconds", summary: "Pictures from one key frame to the next." },
    OptionDoc { name: "?bitrate", default: "2000", summary: "Kilobits per second of the pictures." },
    OptionDoc { name: "?name", default: "Test card", summary: "Written on the card." },
    OptionDoc { name: "?tone", default: "1", summary: "0 for a card without sound." },
    OptionDoc { name: "?codec", default: "h264", summary: "h264 or mjpeg." },
    OptionDoc { name: "?tz", default: "utc", summary: "What the clock shows: utc or local." },
];

/// The ways in that this version has.
pub const KINDS: &[Kind] = &[
    Kind {
        name: "rtsp",
        summary: "RTSP cameras and recorders: H.264, H.265 or MJPEG, with AAC, G.711 or Opus sound.",
        options: RTSP_OPTIONS,
        make: rtsp::make,
    },
    Kind {
        name: "http_mjpeg",
        summary: "MJPEG over HTTP: a multipart stream, or single JPEG pictures fetched again and again.",
        options: HTTP_OPTIONS,
        make: http_mjpeg::make,
    },
    Kind {
        name: "https",
        summary: "The same over HTTPS, with a certificate that public authorities vouch for.",
        options: HTTP_OPTIONS,
        make: http_mjpeg::make,
    },
    Kind {
        name: "file",
        summary: "A recording on this machine: MP4, Matroska or a transport stream, played in real time.",
        options: FILE_OPTIONS,
        make: file::make,
    },
    Kind {
        name: "testcard",
        summary: "A moving picture with clock and tone, made by Vigie itself: for demonstrations and tests.",
        options: TESTCARD_OPTIONS,
        make: testcard::make,
    },
];

/// The contract's other ways in, named so that the API can say honestly that they are not here yet.
pub const PLANNED: &[Kind] = &[
    planned("rtmp", "RTMP servers."),
    planned("onvif", "ONVIF devices, by their own stream addresses."),
    planned("webrtc", "WebRTC publishers (WHEP)."),
    planned("hls", "HLS playlists."),
    planned("cloud_api", "Cameras behind a maker's cloud."),
    planned("webhook", "Devices that send pictures by HTTP."),
    planned("nvr_dvr", "Channels of a recorder."),
    planned("usb", "Cameras plugged into this machine."),
];

const fn planned(name: &'static str, summary: &'static str) -> Kind {
    Kind { name, summary, options: &[], make: not_yet }
}

fn not_yet(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
    let message = format!("cameras of kind {} are not available in this version", spec.kind);
    Err(SourceError::new(Reason::Config, message))
}

/// The entry of that name, of this version or planned.
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().chain(PLANNED).find(|k| k.name == name)
}

/// Makes the source that the specification asks for.
pub fn make(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
    match find(&spec.kind) {
        Some(kind) => (kind.make)(spec),
        None => Err(SourceError::new(Reason::Config, "there is no such kind of camera")),
    }
}

/// The kind that a URL speaks of (contract §10.6, legacy migration), whether this version has it or not.
///
/// Device paths (`/dev/video0`) are no URLs; give them as `file:///dev/video0`.
pub fn infer_kind(url: &Url) -> Option<&'static str> {
    let path = url.path().to_ascii_lowercase();
    Some(match url.scheme() {
        "rtsp" | "rtsps" => "rtsp",
        "rtmp" | "rtmps" => "rtmp",
        "http" | "https" if path.ends_with(".m3u8") => "hls",
        "http" => "http_mjpeg",
        "https" => "https",
        "file" if path.starts_with("/dev/video") => "usb",
        "file" => "file",
        "testcard" => "testcard",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectionConfig;

    #[test]
    fn kinds_are_inferred_from_the_url() {
        for (url, kind) in [
            ("rtsp://a/b", Some("rtsp")),
            ("rtsps://a/b", Some("rtsp")),
            ("rtmp://a/live/x", Some("rtmp")),
            ("http://a/video.mjpg", Some("http_mjpeg")),
            ("https://a/video.mjpg", Some("https")),
            ("https://a/live/index.M3U8?x=1", Some("hls")),
            ("file:///srv/a.mp4", Some("file")),
            ("file:///dev/video0", Some("usb")),
            ("testcard:?width=640", Some("testcard")),
            ("gopher://a", None),
        ] {
            assert_eq!(infer_kind(&Url::parse(url).unwrap()), kind, "{url}");
        }
    }

    #[test]
    fn every_kind_is_listed_once_and_planned_ones_say_so() {
        let mut names: Vec<_> = KINDS.iter().chain(PLANNED).map(|k| k.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
        for k in PLANNED {
            let spec = SourceSpec {
                kind: k.name.to_owned(),
                url: Url::parse("rtmp://a/b").unwrap(),
                credentials: None,
                config: ConnectionConfig::default(),
            };
            let Err(e) = make(&spec) else { panic!("{} works?", k.name) };
            assert_eq!(e.reason, Reason::Config);
            assert!(e.message.contains("not available in this version"), "{e}");
        }
    }
}
