//! ffmpeg as a child process, for what is not built in: still pictures of H.265, and of H.264 that is interlaced or
//! deeper than 8 bits, AAC ([`aac`]), H.264 by x264 ([`x264`]), and all pictures of a stream ([`decode`]).
//!
//! **A child never outlives its question.** It is started without a shell and killed when the caller goes away. Those
//! that make pictures have a time limit, and no more of them run at once than the machine has use for.

pub mod aac;
mod child;
pub mod decode;
pub mod x264;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use vigie_media::{Codec, nal};

use crate::CodecError;

const PROBE_LIMIT: Duration = Duration::from_secs(10);
const STILL_LIMIT: Duration = Duration::from_secs(10);
/// Conversions running or waiting; more are refused at once.
const MAX_WAITING: usize = 16;
/// Largest JPEG or listing taken from a child.
const MAX_OUTPUT: u64 = 32 << 20;

/// What the ffmpeg of this machine can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abilities {
    /// As it calls itself, e.g. `5.1.9-0+deb12u1`.
    pub version: String,
    /// Names of its video and audio encoders.
    pub encoders: Vec<String>,
    /// It decodes H.265.
    pub decodes_h265: bool,
}

/// The ffmpeg of this machine, if any.
#[derive(Debug)]
pub struct Ffmpeg {
    path: PathBuf,
    abilities: Result<Abilities, String>,
    running: Semaphore,
    waiting: Semaphore,
}

impl Ffmpeg {
    /// Asks the program at `path` (usually just `ffmpeg`) what it can do. Never fails: an absent ffmpeg is one that
    /// can do nothing.
    pub async fn probe(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let abilities = probe(&path).await;
        Self { path, abilities, running: Semaphore::new(2), waiting: Semaphore::new(MAX_WAITING) }
    }

    /// What it can do, or why nothing.
    pub fn abilities(&self) -> Result<&Abilities, &str> {
        self.abilities.as_ref().map_err(String::as_str)
    }

    /// A JPEG of a key frame of H.264 or H.265 (length-prefixed NAL units), scaled down to `width`.
    pub async fn still(
        &self,
        codec: &Codec,
        unit: &[u8],
        width: Option<u32>,
        quality: u8,
    ) -> Result<Bytes, CodecError> {
        let missing = |why: &str| CodecError::ToolMissing { tool: "ffmpeg", why: why.to_owned() };
        let abilities = self.abilities().map_err(missing)?;
        let (format, sets): (_, Vec<&Bytes>) = match codec {
            Codec::H265(_) if !abilities.decodes_h265 => {
                return Err(missing("the one found was built without H.265"));
            }
            Codec::H265(p) => ("hevc", [&p.vps, &p.sps].into_iter().chain(&p.pps).collect()),
            Codec::H264(p) => ("h264", std::iter::once(&p.sps).chain(&p.pps).collect()),
            other => return Err(CodecError::Unsupported(format!("no still pictures are made of {}", other.name()))),
        };
        let _place = self.waiting.try_acquire().map_err(|_| CodecError::Busy)?;
        let mut input = Vec::with_capacity(unit.len() + 256);
        for set in sets {
            input.extend_from_slice(&[0, 0, 0, 1]);
            input.extend_from_slice(set);
        }
        input.extend_from_slice(&nal::to_annex_b(unit));
        let work = async {
            // Never closed, so the error cannot happen.
            let _turn = self.running.acquire().await.map_err(|_| CodecError::Busy)?;
            self.run(&still_arguments(format, width, quality), &input).await
        };
        timeout(STILL_LIMIT, work).await.map_err(|_| CodecError::Timeout("ffmpeg"))?
    }

    async fn run(&self, arguments: &[String], input: &[u8]) -> Result<Bytes, CodecError> {
        let failed = |e: std::io::Error| CodecError::Library("ffmpeg", e.to_string());
        let mut child = Command::new(&self.path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CodecError::Library("ffmpeg", "no pipes".into()));
        };
        let mut out = Vec::new();
        let mut stdout = stdout.take(MAX_OUTPUT);
        // Both at once, or two full pipes wait for each other. A child that stops reading early is not an error.
        let write = async {
            let _ = stdin.write_all(input).await;
            drop(stdin);
        };
        let ((), read) = tokio::join!(write, stdout.read_to_end(&mut out));
        read.map_err(failed)?;
        child.wait().await.map_err(failed)?;
        if out.starts_with(&[0xff, 0xd8]) {
            Ok(out.into())
        } else {
            Err(CodecError::Damaged("video", "ffmpeg could not decode the key frame".into()))
        }
    }
}

fn still_arguments(format: &str, width: Option<u32>, quality: u8) -> Vec<String> {
    // mjpeg's scale: 2 is best, 31 worst.
    let q = 2 + (100 - u32::from(quality.clamp(1, 100))) * 29 / 99;
    let width = width.map_or_else(|| "iw".to_owned(), |w| format!("'min(iw,{})'", w.clamp(16, 8192)));
    let filter = format!("scale={width}:-2:out_color_matrix=bt601:out_range=full,format=yuvj420p");
    let q = q.to_string();
    [
        "-hide_banner",
        "-loglevel",
        "quiet",
        "-nostdin",
        "-threads",
        "1",
        "-f",
        format,
        "-i",
        "pipe:0",
        "-frames:v",
        "1",
        "-vf",
        filter.as_str(),
        "-c:v",
        "mjpeg",
        "-q:v",
        q.as_str(),
        "-f",
        "mjpeg",
        "pipe:1",
    ]
    .map(str::to_owned)
    .to_vec()
}

async fn probe(path: &Path) -> Result<Abilities, String> {
    let version = ask(path, &["-hide_banner", "-version"]).await?;
    let version = version
        .lines()
        .next()
        .and_then(|l| l.strip_prefix("ffmpeg version "))
        .and_then(|l| l.split_whitespace().next())
        .ok_or("the program found is not ffmpeg")?
        .to_owned();
    let encoders = ask(path, &["-hide_banner", "-encoders"]).await?;
    let decoders = ask(path, &["-hide_banner", "-decoders"]).await?;
    let encoders = names(&encoders);
    let decodes_h265 = names(&decoders).iter().any(|n| n == "hevc");
    Ok(Abilities { version, encoders, decodes_h265 })
}

/// Second column of ffmpeg's listings, below the dashes.
fn names(listing: &str) -> Vec<String> {
    listing
        .lines()
        .skip_while(|l| !l.trim_start().starts_with("------"))
        .skip(1)
        .filter_map(|l| l.split_whitespace().nth(1))
        .map(str::to_owned)
        .collect()
}

async fn ask(path: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(path).args(arguments).stdin(Stdio::null()).kill_on_drop(true).output();
    match timeout(PROBE_LIMIT, output).await {
        Ok(Ok(o)) if o.status.success() => Ok(String::from_utf8_lossy(&o.stdout).into_owned()),
        Ok(Ok(_)) => Err("it does not run".to_owned()),
        Ok(Err(e)) if e.kind() == std::io::ErrorKind::NotFound => Err("it is not installed".to_owned()),
        Ok(Err(e)) => Err(format!("it cannot be started: {e}")),
        Err(_) => Err("it does not answer".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use vigie_media::H265Params;

    use super::*;

    fn codec(vps: Bytes, sps: Bytes, pps: Bytes) -> Codec {
        Codec::H265(Arc::new(H265Params { vps, sps, pps: vec![pps], video: Default::default() }))
    }

    #[test]
    fn listings_are_read_below_the_dashes() {
        let text = "Encoders:\n V..... = Video\n ------\n V....D libx264   H.264\n A....D aac   AAC\n";
        assert_eq!(names(text), ["libx264", "aac"]);
    }

    #[tokio::test]
    async fn without_ffmpeg_the_error_says_so() {
        let f = Ffmpeg::probe("/nonexistent/ffmpeg").await;
        let e =
            f.still(&codec(Bytes::new(), Bytes::new(), Bytes::new()), &[0, 0, 0, 1, 0x26], None, 80).await.unwrap_err();
        assert_eq!(e.to_string(), "ffmpeg is needed for this and it is not installed");
    }

    #[tokio::test]
    async fn a_real_key_frame_becomes_a_jpeg() {
        let f = Ffmpeg::probe("ffmpeg").await;
        let Ok(a) = f.abilities() else { return };
        if !a.decodes_h265 || !a.encoders.iter().any(|e| e == "libx265") {
            return;
        }
        let made = Command::new("ffmpeg")
            .args("-loglevel quiet -f lavfi -i color=red:s=128x96 -frames:v 1 -c:v libx265 -f hevc pipe:1".split(' '))
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let nals = nal::split_annex_b(&made.stdout);
        let of =
            |kind: u8| nals.iter().find(|n| (n[0] >> 1) & 0x3f == kind).map(|n| Bytes::copy_from_slice(n)).unwrap();
        let codec = codec(of(32), of(33), of(34));
        let key =
            nal::join(nals.iter().copied().filter(|n| (16..=21).contains(&((n[0] >> 1) & 0x3f))).collect::<Vec<_>>());
        let jpeg = f.still(&codec, &key, Some(64), 80).await.unwrap();
        let picture = crate::jpeg::decode(&jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (64, 48));
        let [r, g, b] = picture.rgb(32, 24);
        assert!(r > 230 && g < 30 && b < 30, "{r} {g} {b}");
        let bad = f.still(&codec, &[0, 0, 0, 3, 0x26, 1, 2], None, 80).await;
        assert!(bad.is_err());
    }
}
