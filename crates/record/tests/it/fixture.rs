//! Real streams for tests: coded by ffmpeg, taken apart by a reader that is not ours (mp4-atom).

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use mp4_atom::{Any, Codec as Entry, ReadFrom, StszSamples};
use vigie_media::{
    AacParams, AccessUnit, Codec, H264Params, H265Params, MediaTime, OpusParams, StreamDescription, Track, TrackId,
    VideoInfo,
};

/// Runs a tool that the tests need, and says what is missing when it is not there.
pub(crate) fn tool(name: &str, args: &[&str]) -> String {
    let out = Command::new(name)
        .args(args)
        .output()
        .unwrap_or_else(|e| panic!("`{name}` is needed by these tests ({e}); `make test` installs it"));
    let errors = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{name} {args:?} failed: {errors}");
    assert!(errors.trim().is_empty(), "{name} {args:?} complained: {errors}");
    String::from_utf8(out.stdout).expect("text")
}

/// The hash of every decoded frame of a file, with its times.
pub(crate) fn frame_hashes(path: &Path, map: &str) -> Vec<String> {
    let path = path.to_str().expect("a path in UTF-8");
    let args = ["-v", "error", "-i", path, "-map", map, "-f", "framemd5", "-"];
    tool("ffmpeg", &args).lines().filter(|l| !l.starts_with('#')).map(str::to_owned).collect()
}

/// Decodes everything and fails on any complaint.
pub(crate) fn decodes(path: &Path) {
    tool("ffmpeg", &["-v", "error", "-i", path.to_str().expect("a path in UTF-8"), "-f", "null", "-"]);
}

/// A stream as it would cross the hub, and the file that ffmpeg wrote of it.
pub(crate) struct Fixture {
    pub(crate) description: StreamDescription,
    /// All tracks, in the order in which they would arrive.
    pub(crate) units: Vec<AccessUnit>,
    pub(crate) path: PathBuf,
}

/// What to code.
#[derive(Clone, Copy)]
pub(crate) struct Recipe {
    pub(crate) seconds: u32,
    pub(crate) size: &'static str,
    pub(crate) video: &'static [&'static str],
    pub(crate) audio: &'static [&'static str],
}

pub(crate) const B_FRAMES_AAC: Recipe = Recipe {
    seconds: 4,
    size: "320x180",
    video: &["-c:v", "libx264", "-preset", "veryfast", "-bf", "2", "-g", "25", "-x264-params", "b-pyramid=normal"],
    audio: &["-c:a", "aac", "-ar", "48000", "-ac", "2", "-b:a", "64k"],
};

pub(crate) const HEVC_OPUS: Recipe = Recipe {
    seconds: 2,
    size: "320x180",
    video: &["-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=2:keyint=25"],
    audio: &["-c:a", "libopus", "-ar", "48000", "-ac", "1"],
};

/// Codes a moving picture and a tone.
pub(crate) fn make(dir: &Path, recipe: Recipe) -> Fixture {
    let path = dir.join(format!("reference-{}.mp4", recipe.size));
    let video = format!("testsrc2=size={}:rate=25", recipe.size);
    let seconds = recipe.seconds.to_string();
    let mut args = vec!["-v", "error", "-y", "-f", "lavfi", "-i", &video];
    if !recipe.audio.is_empty() {
        args.extend(["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000"]);
    }
    args.extend(["-t", &seconds, "-pix_fmt", "yuv420p", "-video_track_timescale", "90000"]);
    args.extend_from_slice(recipe.video);
    args.extend_from_slice(recipe.audio);
    args.extend(["-strict", "-2", path.to_str().expect("a path in UTF-8")]);
    tool("ffmpeg", &args);
    read(&path)
}

/// A camera that sends 500 small pictures a second and says 25, with sound: `frames` of them (a multiple of 500), the
/// same 500 again and again.
pub(crate) fn fast(dir: &Path, frames: usize) -> Fixture {
    const EACH: usize = 500;
    let once = make(dir, Recipe { seconds: 20, size: "64x64", audio: &[], ..B_FRAMES_AAC });
    let sound = make(dir, B_FRAMES_AAC);
    let mut tracks = once.description.tracks.clone();
    tracks.push(sound.description.tracks[1].clone());
    let mut units = Vec::new();
    for lap in 0..frames.div_ceil(EACH) {
        // Times that shiver, as after a network: every sample needs an entry of its own.
        let shiver = |i: usize| if i.is_multiple_of(3) { 7 } else { 0 };
        units.extend(once.units.iter().enumerate().map(|(i, u)| {
            let later = lap as i64 * 90_000;
            let dts = MediaTime(u.dts.0 / 20 + later + shiver(i));
            AccessUnit { pts: MediaTime(u.pts.0 / 20 + later + 7), dts, ..u.clone() }
        }));
    }
    let frames_of_sound: Vec<&AccessUnit> = sound.units.iter().filter(|u| u.track == TrackId(1)).collect();
    for n in 0..frames / EACH * 48_000 / 1024 {
        let at = MediaTime(n as i64 * 1024);
        units.push(AccessUnit { pts: at, dts: at, ..frames_of_sound[n % frames_of_sound.len()].clone() });
    }
    let rate = |u: &AccessUnit| tracks[usize::from(u.track.0)].clock_rate;
    units.sort_by_key(|u| (u.dts.nanos(rate(u)), u.track.0));
    Fixture { description: StreamDescription { generation: 1, tracks }, units, path: once.path }
}

/// Takes an MP4 file apart.
pub(crate) fn read(path: &Path) -> Fixture {
    let file = std::fs::read(path).expect("the file");
    let moov = moov(path);
    let mut tracks = Vec::new();
    let mut units = Vec::new();
    for (i, trak) in moov.trak.iter().enumerate() {
        let stbl = &trak.mdia.minf.stbl;
        let rate = trak.mdia.mdhd.timescale;
        let id = TrackId(i as u8);
        let codec = codec(&stbl.stsd.codecs[0]);
        tracks.push(Track { id, clock_rate: rate, codec });
        let sizes = match &stbl.stsz.samples {
            StszSamples::Different { sizes } => sizes.clone(),
            StszSamples::Identical { count, size } => vec![*size; *count as usize],
        };
        let durations: Vec<u32> =
            stbl.stts.entries.iter().flat_map(|e| vec![e.sample_delta; e.sample_count as usize]).collect();
        let offsets: Vec<i64> = stbl.ctts.as_ref().map_or_else(Vec::new, |c| {
            c.entries.iter().flat_map(|e| vec![e.sample_offset; e.sample_count as usize]).collect()
        });
        let chunks: Vec<u64> = match (&stbl.stco, &stbl.co64) {
            (Some(c), _) => c.entries.iter().map(|&o| u64::from(o)).collect(),
            (_, Some(c)) => c.entries.clone(),
            _ => panic!("no chunks"),
        };
        let mut sample = 0;
        // Pictures are counted from the first one that is shown; the priming of the sound is not a picture.
        let edit = trak.edts.as_ref().and_then(|e| e.elst.as_ref()).and_then(|e| e.entries.last()?.media_time);
        let hidden = if i == 0 { edit.unwrap_or(0) } else { 0 };
        let mut dts = -(hidden as i64);
        for (c, &at) in chunks.iter().enumerate() {
            let rule = stbl.stsc.entries.iter().rfind(|e| e.first_chunk as usize <= c + 1).expect("a chunk rule");
            let mut at = at as usize;
            for _ in 0..rule.samples_per_chunk {
                let size = sizes[sample] as usize;
                let key = stbl.stss.as_ref().is_none_or(|s| s.entries.contains(&(sample as u32 + 1)));
                units.push(AccessUnit {
                    track: id,
                    pts: MediaTime(dts + offsets.get(sample).copied().unwrap_or(0)),
                    dts: MediaTime(dts),
                    arrived: Instant::now(),
                    key,
                    data: Bytes::copy_from_slice(&file[at..at + size]),
                });
                dts += i64::from(durations[sample]);
                at += size;
                sample += 1;
            }
        }
    }
    let rate = |u: &AccessUnit| tracks[usize::from(u.track.0)].clock_rate;
    units.sort_by_key(|u| (u.dts.nanos(rate(u)), u.track.0));
    Fixture { description: StreamDescription { generation: 1, tracks }, units, path: path.to_owned() }
}

fn codec(entry: &Entry) -> Codec {
    let video = |v: &mp4_atom::Visual, depth, name: &str| VideoInfo {
        width: u32::from(v.width),
        height: u32::from(v.height),
        fps: Some(25.0),
        reorder_depth: depth,
        rfc6381: name.into(),
    };
    match entry {
        Entry::Avc1(a) => Codec::H264(Arc::new(H264Params {
            sps: a.avcc.sequence_parameter_sets[0].clone().into(),
            pps: a.avcc.picture_parameter_sets.iter().map(|p| p.clone().into()).collect(),
            video: video(&a.visual, 2, "avc1.64000d"),
        })),
        Entry::Hev1(h) => Codec::H265(hevc(&h.hvcc, video(&h.visual, 2, "hvc1.1.6.L60.90"))),
        Entry::Hvc1(h) => Codec::H265(hevc(&h.hvcc, video(&h.visual, 2, "hvc1.1.6.L60.90"))),
        Entry::Mp4a(a) => {
            let config = a.esds.es_desc.dec_config.dec_specific.as_ref().expect("a configuration").raw.clone();
            Codec::Aac(Arc::new(AacParams {
                config: config.into(),
                sample_rate: u32::from(a.audio.sample_rate.integer()),
                channels: a.audio.channel_count as u8,
                frame_samples: 1024,
                object_type: 2,
            }))
        }
        Entry::Opus(o) => Codec::Opus(OpusParams { channels: o.audio.channel_count as u8, pre_skip: o.dops.pre_skip }),
        other => panic!("not expected: {other:?}"),
    }
}

fn hevc(c: &mp4_atom::Hvcc, video: VideoInfo) -> Arc<H265Params> {
    let sets = |kind| -> Vec<Bytes> {
        let arrays = c.arrays.iter().filter(|a| a.nal_unit_type == kind);
        arrays.flat_map(|a| &a.nalus).map(|n| n.clone().into()).collect()
    };
    Arc::new(H265Params { vps: sets(32)[0].clone(), sps: sets(33)[0].clone(), pps: sets(34), video })
}

/// The codecs of a file's tracks, by their first sample entries.
pub(crate) fn read_entries(path: &Path) -> Vec<Codec> {
    moov(path).trak.iter().map(|t| codec(&t.mdia.minf.stbl.stsd.codecs[0])).collect()
}

/// Profile, level and format fields of the video track's decoder configuration.
pub(crate) fn decoder_configuration(path: &Path) -> String {
    match &moov(path).trak[0].mdia.minf.stbl.stsd.codecs[0] {
        Entry::Avc1(a) => {
            let mut c = a.avcc.clone();
            c.sequence_parameter_sets.clear();
            format!("{c:?}")
        }
        Entry::Hev1(mp4_atom::Hev1 { hvcc, .. }) | Entry::Hvc1(mp4_atom::Hvc1 { hvcc, .. }) => {
            let mut c = hvcc.clone();
            c.arrays.clear();
            // ffmpeg looks for these two in the whole sequence; we write "unknown", which is allowed.
            c.min_spatial_segmentation_idc = 0;
            c.parallelism_type = 0;
            format!("{c:?}")
        }
        other => panic!("not a video track: {other:?}"),
    }
}

fn moov(path: &Path) -> mp4_atom::Moov {
    let file = std::fs::read(path).expect("the file");
    let mut rest = &file[..];
    loop {
        if let Any::Moov(m) = Any::read_from(&mut rest).expect("boxes") {
            return m;
        }
    }
}

/// JPEG pictures with a telephone-quality tone, as a cheap camera sends them.
pub(crate) fn jpeg_and_g711(dir: &Path, seconds: u32) -> Fixture {
    let (path, t) = (dir.join("pictures.mjpeg"), seconds.to_string());
    let p = path.to_str().expect("UTF-8");
    let picture = "testsrc2=size=320x180:rate=25";
    tool("ffmpeg", &["-v", "fatal", "-y", "-f", "lavfi", "-i", picture, "-t", &t, "-q:v", "5", "-f", "mjpeg", p]);
    let video = VideoInfo { width: 320, height: 180, fps: Some(25.0), ..VideoInfo::default() };
    let tracks = vec![
        Track { id: TrackId(0), clock_rate: 90_000, codec: Codec::Jpeg(Arc::new(vigie_media::JpegParams { video })) },
        telephone(),
    ];
    let file = Bytes::from(std::fs::read(&path).expect("pictures"));
    let starts: Vec<usize> =
        file.windows(3).enumerate().filter(|(_, w)| w == b"\xff\xd8\xff").map(|(i, _)| i).collect();
    let ends = starts.iter().skip(1).copied().chain([file.len()]);
    let mut units: Vec<AccessUnit> =
        starts.iter().zip(ends).enumerate().map(|(i, (&a, b))| unit(0, i as i64 * 3600, file.slice(a..b))).collect();
    units.extend(tone(dir, seconds));
    units.sort_by_key(|u| (u.pts.nanos(tracks[usize::from(u.track.0)].clock_rate), u.track.0));
    Fixture { description: StreamDescription { generation: 1, tracks }, units, path }
}

/// Coded pictures with a telephone-quality tone, as most cameras send them.
pub(crate) fn h264_and_g711(dir: &Path, seconds: u32) -> Fixture {
    let mut f = make(dir, Recipe { seconds, audio: &[], ..B_FRAMES_AAC });
    f.description.tracks.push(telephone());
    f.units.extend(tone(dir, seconds));
    let tracks = &f.description.tracks;
    f.units.sort_by_key(|u| (u.dts.nanos(tracks[usize::from(u.track.0)].clock_rate), u.track.0));
    f
}

fn telephone() -> Track {
    let law = vigie_media::G711Params { law: vigie_media::G711Law::A, sample_rate: 8000, channels: 1 };
    Track { id: TrackId(1), clock_rate: 8000, codec: Codec::G711(law) }
}

/// 440 Hz in packets of 20 ms.
fn tone(dir: &Path, seconds: u32) -> Vec<AccessUnit> {
    let (path, t) = (dir.join("sound.alaw"), seconds.to_string());
    let p = path.to_str().expect("UTF-8");
    let tone = "sine=frequency=440:sample_rate=8000";
    tool("ffmpeg", &["-v", "error", "-y", "-f", "lavfi", "-i", tone, "-t", &t, "-f", "alaw", p]);
    let sound = Bytes::from(std::fs::read(&path).expect("sound"));
    (0..sound.len() / 160).map(|i| unit(1, i as i64 * 160, sound.slice(i * 160..i * 160 + 160))).collect()
}

fn unit(track: u8, time: i64, data: Bytes) -> AccessUnit {
    let (track, at) = (TrackId(track), MediaTime(time));
    AccessUnit { track, pts: at, dts: at, arrived: Instant::now(), key: true, data }
}
