use std::process::{Command, Stdio};

use vigie_base::{CameraId, StreamKey};
use vigie_hub::{Event, Hub, SubscribeOptions};

use super::*;
use crate::testing::{Camera, GOP, Sound};

/// Everything a camera sent, as events.
fn events(sound: Sound, pictures: usize) -> Vec<Event> {
    let hub = Hub::default();
    let stream = hub.ensure(StreamKey::main(CameraId(1)));
    let mut cursor = stream.subscribe(SubscribeOptions::record(64 << 20));
    let mut camera = Camera::h264(&stream, sound);
    let mut out = Vec::new();
    for _ in 0..pictures {
        camera.send();
    }
    cursor.drain(10_000, &mut out).unwrap();
    out
}

fn package(events: &[Event], wants_sound: bool) -> Vec<Piece> {
    let mut p = Packager::new(wants_sound);
    let mut out = Vec::new();
    for e in events {
        match e {
            Event::Description(d) => p.describe(d),
            Event::Unit(u) => p.push(u, &mut out),
            Event::Gap(_) | Event::Skipped(_) => p.interrupted(),
        }
    }
    out
}

fn inits(pieces: &[Piece]) -> Vec<String> {
    pieces.iter().filter_map(|p| if let Piece::Init(i) = p { Some(i.mime.clone()) } else { None }).collect()
}

fn file(pieces: &[Piece]) -> Vec<u8> {
    let mut out = Vec::new();
    for p in pieces {
        match p {
            Piece::Init(i) => out.extend_from_slice(&i.segment),
            Piece::Fragment { data, .. } => out.extend_from_slice(data),
        }
    }
    out
}

#[test]
fn one_fragment_per_picture_and_key_frames_marked() {
    let pieces = package(&events(Sound::Nothing, 25), true);
    assert_eq!(inits(&pieces).len(), 1);
    let keys: Vec<bool> =
        pieces.iter().filter_map(|p| if let Piece::Fragment { key, .. } = p { Some(*key) } else { None }).collect();
    assert_eq!(keys.len(), 24, "the last picture waits for the next");
    assert!(keys.iter().enumerate().all(|(i, k)| *k == (i % GOP as usize == 0)), "{keys:?}");
}

#[test]
fn sound_of_telephones_becomes_opus_unless_it_is_silent_or_unwanted() {
    let with = events(Sound::G711, 60);
    assert!(inits(&package(&with, true))[0].contains("opus"));
    assert!(!inits(&package(&with, false))[0].contains("opus"));
    let mute = inits(&package(&events(Sound::Mute, 60), true));
    assert!(mute.len() == 1 && !mute[0].contains("opus"), "a browser would wait for sound that never comes: {mute:?}");
}

#[test]
fn ffmpeg_plays_every_picture_and_all_the_sound() {
    let file = file(&package(&events(Sound::G711, 51), true));
    let path = std::env::temp_dir().join(format!("vigie-package-{}.mp4", std::process::id()));
    std::fs::write(&path, &file).unwrap();
    let frames = |stream: &str| {
        Command::new("ffprobe")
            .args(["-v", "error", "-count_frames", "-select_streams", stream])
            .args(["-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0"])
            .arg(&path)
            .stdin(Stdio::null())
            .output()
    };
    let answers = (frames("v:0"), frames("a:0"));
    std::fs::remove_file(&path).unwrap();
    let (Ok(video), Ok(audio)) = answers else { return };
    assert!(video.stderr.is_empty(), "{}", String::from_utf8_lossy(&video.stderr));
    assert_eq!(String::from_utf8_lossy(&video.stdout).trim(), "h264,50");
    let audio = String::from_utf8_lossy(&audio.stdout).trim().to_owned();
    let n: usize = audio.strip_prefix("opus,").unwrap_or_else(|| panic!("{audio}")).parse().unwrap();
    assert!((90..=100).contains(&n), "two seconds are about a hundred packets: {n}");
}
