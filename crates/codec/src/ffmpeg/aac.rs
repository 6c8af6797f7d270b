//! AAC-LC by a child that runs as long as the sound does: samples go in, frames come out.
//!
//! **Whoever feeds it never waits for it.** Samples and frames cross bounded queues; a child that dies, or that takes
//! nothing for [`STUCK`], is an error of the next call, and the caller decides what becomes of the sound.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::debug;
use vigie_media::{AacParams, aac};

use super::Ffmpeg;
use crate::CodecError;

/// Sampling rate of what comes out, whatever goes in: the one that every player knows.
pub const OUTPUT_RATE: u32 = 48_000;
/// Samples per frame and channel.
pub const FRAME_SAMPLES: i64 = 1024;
/// Samples by which the first frame lies before the first sample that went in.
pub const PRIMING: i64 = 1024;
/// A child that takes nothing for this long is given up.
const STUCK: Duration = Duration::from_secs(5);
/// Calls of [`AacEncoder::push`], and frames, that may wait: above a minute of camera sound.
const QUEUE: usize = 4096;
const BITRATE: &str = "64k";

/// A running encoder of AAC-LC, 64 kbit/s. Dropping it kills the child.
#[derive(Debug)]
pub struct AacEncoder {
    params: Arc<AacParams>,
    input: Option<mpsc::Sender<Bytes>>,
    output: mpsc::Receiver<Bytes>,
    tasks: [JoinHandle<()>; 2],
}

impl Ffmpeg {
    /// Whether [`Self::encode_aac`] can work at all.
    pub fn encodes_aac(&self) -> bool {
        self.abilities().is_ok_and(|a| a.encoders.iter().any(|e| e == "aac"))
    }

    /// Starts an encoder of interleaved samples at `rate` Hz, one or two channels. Must be called inside a runtime.
    pub fn encode_aac(&self, rate: u32, channels: u8) -> Result<AacEncoder, CodecError> {
        let missing = |why: &str| CodecError::ToolMissing { tool: "ffmpeg", why: why.to_owned() };
        self.abilities().map_err(missing)?;
        if !self.encodes_aac() {
            return Err(missing("the one found was built without AAC"));
        }
        let params = params(channels).filter(|_| (8000..=192_000).contains(&rate));
        let params = params
            .ok_or_else(|| CodecError::BadParameter(format!("AAC cannot take {channels} channels at {rate} Hz")))?;
        let failed = |e: std::io::Error| CodecError::Library("ffmpeg", e.to_string());
        let mut child = Command::new(&self.path)
            .args(arguments(rate, channels))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(CodecError::Library("ffmpeg", "no pipes".into()));
        };
        let (input, samples) = mpsc::channel(QUEUE);
        let (frames, output) = mpsc::channel(QUEUE);
        let tasks = [tokio::spawn(feed(stdin, samples)), tokio::spawn(collect(child, stdout, frames))];
        Ok(AacEncoder { params: Arc::new(params), input: Some(input), output, tasks })
    }
}

/// What comes out for so many channels; `None` when that is not one or two.
pub fn params(channels: u8) -> Option<AacParams> {
    let config = aac::lc_config(OUTPUT_RATE, channels).filter(|_| matches!(channels, 1 | 2))?;
    Some(AacParams { config, sample_rate: OUTPUT_RATE, channels, frame_samples: 1024, object_type: aac::LC })
}

impl AacEncoder {
    /// What a reader has to know.
    pub fn params(&self) -> &Arc<AacParams> {
        &self.params
    }

    /// Takes interleaved samples. An error means that the child is dead or stuck, for good.
    pub fn push(&mut self, samples: &[i16]) -> Result<(), CodecError> {
        let bytes: BytesMut = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        let input = self.input.as_ref().ok_or_else(ended)?;
        input.try_send(bytes.freeze()).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => CodecError::Timeout("ffmpeg"),
            mpsc::error::TrySendError::Closed(_) => ended(),
        })
    }

    /// The next raw frame, when there is one. An error means that the child has ended and everything was taken.
    pub fn pull(&mut self) -> Result<Option<Bytes>, CodecError> {
        match self.output.try_recv() {
            Ok(frame) => Ok(Some(frame)),
            Err(mpsc::error::TryRecvError::Empty) => Ok(None),
            Err(mpsc::error::TryRecvError::Disconnected) => Err(ended()),
        }
    }

    /// Ends the sound, and gives the frames that were still inside; waits at most `within`.
    pub async fn finish(mut self, within: Duration) -> Vec<Bytes> {
        self.input = None;
        let deadline = Instant::now() + within;
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = timeout_at(deadline, self.output.recv()).await {
            frames.push(frame);
        }
        frames
    }
}

impl Drop for AacEncoder {
    fn drop(&mut self) {
        // The tasks own the child and its pipes.
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

fn ended() -> CodecError {
    CodecError::Library("ffmpeg", "the encoder has ended".into())
}

fn arguments(rate: u32, channels: u8) -> Vec<String> {
    let (rate, channels, output) = (rate.to_string(), channels.to_string(), OUTPUT_RATE.to_string());
    let input = ["-f", "s16le", "-ar", &rate, "-ac", &channels, "-i", "pipe:0"];
    let coding = ["-ar", &output, "-ac", &channels, "-c:a", "aac", "-b:a", BITRATE];
    // Nothing is looked at before it begins. Not `nobuffer`: what was looked at would be missing, and all sound early.
    let prompt = ["-hide_banner", "-loglevel", "quiet", "-nostdin", "-probesize", "32"];
    let all = prompt.iter().chain(&["-analyzeduration", "0"]).chain(&input).chain(&coding);
    all.chain(&["-flush_packets", "1", "-f", "adts", "pipe:1"]).map(|&s| s.to_owned()).collect()
}

async fn feed(mut stdin: ChildStdin, mut samples: mpsc::Receiver<Bytes>) {
    while let Some(bytes) = samples.recv().await {
        if !matches!(timeout(STUCK, stdin.write_all(&bytes)).await, Ok(Ok(()))) {
            return;
        }
    }
}

async fn collect(mut child: Child, mut stdout: ChildStdout, frames: mpsc::Sender<Bytes>) {
    let mut buffer = BytesMut::with_capacity(8 << 10);
    // Its end shows as the end of its output.
    while matches!(stdout.read_buf(&mut buffer).await, Ok(n) if n > 0) {
        loop {
            match next_frame(&mut buffer) {
                Ok(Some(frame)) => {
                    if frames.send(frame).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                // Not ffmpeg, then. The child is killed when this returns.
                Err(()) => return,
            }
        }
    }
    match child.wait().await {
        Ok(status) => debug!(%status, "the AAC encoder has ended"),
        Err(e) => debug!(error = %e, "the AAC encoder has ended"),
    }
}

/// Takes one whole frame, without its header, from the beginning of what the child wrote.
fn next_frame(buffer: &mut BytesMut) -> Result<Option<Bytes>, ()> {
    if buffer.len() < 9 {
        return Ok(None);
    }
    let header = aac::adts_header(buffer).map_err(|_| ())?;
    if header.blocks != 1 || header.sample_rate != OUTPUT_RATE {
        return Err(());
    }
    if buffer.len() < header.frame_len {
        return Ok(None);
    }
    let mut frame = buffer.split_to(header.frame_len);
    frame.advance(header.header_len);
    Ok(Some(frame.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(20);

    async fn ffmpeg() -> Option<Ffmpeg> {
        let f = Ffmpeg::probe("ffmpeg").await;
        f.encodes_aac().then_some(f)
    }

    /// A second of silence, a second of a tone, at 8 kHz.
    fn tone_from_the_second_second() -> Vec<i16> {
        let tone = |i: usize| ((i as f64 * 1000.0 / 8000.0 * std::f64::consts::TAU).sin() * 12_000.0) as i16;
        (0..16_000).map(|i| if i < 8000 { 0 } else { tone(i) }).collect()
    }

    #[test]
    fn a_stream_of_frames_is_cut_wherever_it_is_read() {
        // Two frames of 3 and 2 bytes: LC, 48 kHz, mono, no checksum.
        let frame = |body: &[u8]| {
            let n = (body.len() + 7) as u8;
            [&[0xff, 0xf1, 0x4c, 0x40, n >> 3, (n << 5) | 0x1f, 0xfc][..], body].concat()
        };
        let all = [frame(&[1, 2, 3]), frame(&[4, 5]), vec![0xff]].concat();
        for cut in 0..all.len() {
            let (mut buffer, mut got) = (BytesMut::new(), Vec::new());
            for part in [&all[..cut], &all[cut..]] {
                buffer.extend_from_slice(part);
                while let Some(f) = next_frame(&mut buffer).unwrap() {
                    got.push(f.to_vec());
                }
            }
            // The last one waits for the two bytes that a checksum would need.
            assert_eq!(got[0], [1, 2, 3]);
            assert!(got.len() == 2 && got[1] == [4, 5]);
        }
        assert!(next_frame(&mut BytesMut::from(&b"this is no sound"[..])).is_err());
    }

    #[tokio::test]
    async fn sound_comes_out_where_it_went_in() {
        let Some(f) = ffmpeg().await else { return };
        let mut e = f.encode_aac(8000, 1).unwrap();
        for part in tone_from_the_second_second().chunks(160) {
            e.push(part).unwrap();
        }
        let params = Arc::clone(e.params());
        let frames = e.finish(PATIENCE).await;
        // Two seconds, the priming, and what fills the last frame.
        assert!((94..=97).contains(&frames.len()), "{} frames", frames.len());
        let adts: Vec<u8> = frames
            .iter()
            .flat_map(|f| {
                let n = (f.len() + 7) as u16;
                let head = [0xff, 0xf1, 0x4c, 0x40, (n >> 3) as u8, ((n << 5) as u8) | 0x1f, 0xfc];
                head.into_iter().chain(f.iter().copied())
            })
            .collect();
        assert_eq!((params.channels, params.sample_rate, &params.config[..]), (1, 48_000, &[0x11, 0x88][..]));
        let mut decoder = Command::new("ffmpeg");
        decoder.args("-loglevel quiet -f aac -i pipe:0 -f s16le pipe:1".split(' '));
        let mut child = decoder.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let (write, out) = tokio::join!(
            async move {
                stdin.write_all(&adts).await.unwrap();
                drop(stdin);
            },
            child.wait_with_output()
        );
        let () = write;
        let samples: Vec<i16> = out.unwrap().stdout.chunks_exact(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        let begins = samples.iter().position(|s| s.unsigned_abs() > 4000).unwrap() as i64 - PRIMING;
        assert!((begins - 48_000).abs() < 480, "the tone begins at sample {begins}");
    }

    #[tokio::test]
    async fn frames_come_while_it_runs_and_a_dead_child_is_noticed() {
        let Some(f) = ffmpeg().await else { return };
        let mut e = f.encode_aac(8000, 1).unwrap();
        e.push(&tone_from_the_second_second()).unwrap();
        let first = timeout(PATIENCE, e.output.recv()).await.unwrap();
        assert!(first.is_some(), "frames come before the end");
        // What the death of the child looks like from here: both pipes close.
        e.tasks.iter().for_each(JoinHandle::abort);
        let died = async {
            loop {
                if e.push(&[0; 160]).is_err() && e.pull().is_err() {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, died).await.unwrap();
    }

    #[tokio::test]
    async fn what_is_not_ffmpeg_is_refused() {
        let f = Ffmpeg::probe("/nonexistent/ffmpeg").await;
        assert!(!f.encodes_aac());
        assert_eq!(f.encode_aac(8000, 1).unwrap_err().to_string(), "ffmpeg is needed for this and it is not installed");
    }
}
