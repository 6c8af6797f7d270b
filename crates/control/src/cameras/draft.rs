//! A camera with its secrets in clear, for as long as it is being changed or connected.

use serde::{Deserialize, Serialize};
use url::Url;
use vigie_base::{CameraId, RedactedUrl, Secret, StreamName};
use vigie_store::{Camera, CameraFields};
use zeroize::Zeroizing;

use crate::crypto::{CryptoError, Keys, Place};
use crate::host::{CameraConnection, StreamConnection};

/// Which URL of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    Primary,
    Secondary,
    Snapshot,
}

impl Which {
    pub(crate) const ALL: [Which; 3] = [Which::Primary, Which::Secondary, Which::Snapshot];
}

/// See the module. URLs hold no user information; their queries are the true ones.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    pub(crate) fields: CameraFields,
    pub(crate) primary: Option<RedactedUrl>,
    pub(crate) secondary: Option<RedactedUrl>,
    pub(crate) snapshot: Option<RedactedUrl>,
    pub(crate) password: Option<Secret>,
    /// Its addresses were set by somebody who may not reach into this machine: whatever they lead to when they are
    /// connected, it must be outside.
    pub(crate) walled: bool,
}

#[derive(Default, Serialize, Deserialize)]
struct Sealed {
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_stream_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    secondary_stream_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_url: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    walled: bool,
}

fn place(id: CameraId) -> Place {
    Place { table: "cameras", id: id.0, column: "secrets" }
}

impl Draft {
    /// A camera that nothing was said about.
    pub(crate) fn empty() -> Self {
        Self {
            fields: CameraFields {
                slug: String::new(),
                name: String::new(),
                connection_type: String::new(),
                primary_stream_url: None,
                secondary_stream_url: None,
                snapshot_url: None,
                username: None,
                connection_config: serde_json::json!({}),
                cloud_config: serde_json::json!({}),
                manufacturer: None,
                model: None,
                firmware_version: None,
                serial_number: None,
                club_id: None,
                terrain_id: None,
                enabled: true,
                always_on: false,
                tags: Vec::new(),
                declared_fields: Vec::new(),
            },
            primary: None,
            secondary: None,
            snapshot: None,
            password: None,
            walled: false,
        }
    }

    /// A stored camera, opened.
    pub(crate) fn open(camera: &Camera, keys: &Keys) -> Result<Self, CryptoError> {
        let sealed: Sealed = match &camera.secrets {
            Some(s) => {
                let plain = keys.open(place(camera.id), s)?;
                serde_json::from_slice(&plain).map_err(|_| CryptoError::Sealed)?
            }
            None => Sealed::default(),
        };
        let url = |true_one: Option<String>, shown: &Option<String>| {
            true_one.as_ref().or(shown.as_ref()).and_then(|u| RedactedUrl::parse(u).ok())
        };
        let f = &camera.fields;
        Ok(Self {
            primary: url(sealed.primary_stream_url, &f.primary_stream_url),
            secondary: url(sealed.secondary_stream_url, &f.secondary_stream_url),
            snapshot: url(sealed.snapshot_url, &f.snapshot_url),
            password: sealed.password.map(Secret::new),
            walled: sealed.walled,
            fields: f.clone(),
        })
    }

    pub(crate) fn url(&self, which: Which) -> &Option<RedactedUrl> {
        match which {
            Which::Primary => &self.primary,
            Which::Secondary => &self.secondary,
            Which::Snapshot => &self.snapshot,
        }
    }

    /// A URL with user name and password in it, as a player takes it.
    pub(crate) fn literal(&self, which: Which) -> Option<String> {
        let mut url = self.url(which).as_ref()?.reveal().clone();
        if url.has_host()
            && let Some((user, password)) = self.login()
            && url.set_username(&user).is_ok()
            && !password.is_empty()
        {
            // Refused only where the user name was refused.
            let _ = url.set_password(Some(password.reveal()));
        }
        Some(url.into())
    }

    /// Sets a URL; the printable form follows.
    pub(crate) fn set_url(&mut self, which: Which, url: Option<RedactedUrl>) {
        let printable = url.as_ref().map(RedactedUrl::redacted);
        let (to, column) = match which {
            Which::Primary => (&mut self.primary, &mut self.fields.primary_stream_url),
            Which::Secondary => (&mut self.secondary, &mut self.fields.secondary_stream_url),
            Which::Snapshot => (&mut self.snapshot, &mut self.fields.snapshot_url),
        };
        *to = url;
        *column = printable;
    }

    /// The secrets, sealed for that row; `None` when there are none.
    pub(crate) fn seal(&self, keys: &Keys, id: CameraId) -> Option<Vec<u8>> {
        let hidden = |url: &Option<RedactedUrl>| {
            url.as_ref().filter(|u| u.redacted() != u.reveal().as_str()).map(|u| u.reveal().to_string())
        };
        let sealed = Sealed {
            password: self.password.as_ref().map(|p| p.reveal().to_owned()),
            primary_stream_url: hidden(&self.primary),
            secondary_stream_url: hidden(&self.secondary),
            snapshot_url: hidden(&self.snapshot),
            walled: self.walled,
        };
        let json = Zeroizing::new(serde_json::to_vec(&sealed).unwrap_or_default());
        (json.as_slice() != b"{}").then(|| keys.seal(place(id), &json))
    }

    /// What the runner of sources is told.
    pub(crate) fn connection(&self, id: CameraId, failures: u32) -> CameraConnection {
        let mut streams = Vec::new();
        for (stream, url) in [(StreamName::Main, &self.primary), (StreamName::Sub, &self.secondary)] {
            if let Some(url) = url {
                streams.push(self.stream(stream, url.reveal()));
            }
        }
        CameraConnection {
            id,
            slug: self.fields.slug.clone(),
            enabled: self.fields.enabled,
            always_on: self.fields.always_on,
            streams,
            failures,
            next_attempt: None,
        }
    }

    fn stream(&self, stream: StreamName, url: &Url) -> StreamConnection {
        // The small stream of an RTSP camera may well be MJPEG over HTTP.
        let kind = match stream {
            StreamName::Main => None,
            StreamName::Sub => infer(url),
        };
        StreamConnection {
            stream,
            kind: kind.unwrap_or(&self.fields.connection_type).to_owned(),
            url: url.clone(),
            credentials: self.login(),
            config: self.run_config(),
        }
    }

    /// What people say of the connection, and the wall, which is not theirs to say.
    fn run_config(&self) -> serde_json::Value {
        let mut config = self.fields.connection_config.clone();
        if self.walled {
            config["walled"] = true.into();
        }
        config
    }

    fn login(&self) -> Option<(String, Secret)> {
        let user = self.fields.username.clone();
        match (user, &self.password) {
            (None, None) => None,
            (user, password) => Some((user.unwrap_or_default(), password.clone().unwrap_or_else(|| Secret::new("")))),
        }
    }
}

/// The connection type that a URL speaks of.
pub(crate) fn infer(url: &Url) -> Option<&'static str> {
    let playlist = url.path().to_ascii_lowercase().ends_with(".m3u8");
    Some(match url.scheme() {
        "rtsp" | "rtsps" => "rtsp",
        "rtmp" | "rtmps" => "rtmp",
        "http" | "https" if playlist => "hls",
        "http" => "http_mjpeg",
        "https" => "https",
        "testcard" => "testcard",
        "usb" => "usb",
        "file" => "file",
        _ => return None,
    })
}

/// A URL as people see it: with the camera's user name, and stars for its password.
pub(crate) fn shown(printable: &Option<String>, username: Option<&str>, has_password: bool) -> Option<String> {
    let text = printable.as_ref()?;
    let Ok(mut url) = Url::parse(text) else { return Some(text.clone()) };
    if let Some(user) = username
        && url.has_host()
        && url.set_username(user).is_ok()
        && has_password
    {
        let _ = url.set_password(Some("***"));
    }
    Some(url.into())
}
