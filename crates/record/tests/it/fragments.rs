//! Fragments as MSE gets them, read by ffmpeg.

use std::path::Path;

use vigie_media::mp4::fragment::{Sample, TrackRun, fragment, init_segment, mime};
use vigie_media::{AccessUnit, TrackId};

use crate::fixture::{self, Fixture, frame_hashes};

fn runs_of_one_frame(f: &Fixture) -> Vec<u8> {
    let mut out = init_segment(&f.description).to_vec();
    for (n, unit) in f.units.iter().enumerate() {
        let next = f.units[n + 1..].iter().find(|u| u.track == unit.track);
        let duration = next.map_or(1024, |next: &AccessUnit| next.dts - unit.dts);
        let sample = Sample {
            duration: duration as u32,
            composition_offset: (unit.pts - unit.dts) as i32,
            key: unit.key,
            data: unit.data.clone(),
        };
        // One second later, since decode times begin before zero.
        let rate = f.description.tracks[usize::from(unit.track.0)].clock_rate;
        let dts = (unit.dts.0 + i64::from(rate)) as u64;
        out.extend_from_slice(&fragment(n as u32 + 1, &[TrackRun::new(unit.track, dts, vec![sample])]));
    }
    out
}

/// Size and hash of each frame, without the times: ffmpeg's own file starts with an edit list, a stream does not.
fn pictures(path: &Path, map: &str) -> Vec<String> {
    let hash = |l: String| l.rsplit(',').next().map(str::to_owned);
    frame_hashes(path, map).into_iter().filter_map(hash).collect()
}

#[test]
fn a_frame_per_fragment_decodes_to_the_same_pictures() {
    let dir = tempfile::tempdir().expect("a directory");
    for recipe in [fixture::B_FRAMES_AAC, fixture::HEVC_OPUS] {
        let f = fixture::make(dir.path(), recipe);
        let path = dir.path().join("fragments.mp4");
        std::fs::write(&path, runs_of_one_frame(&f)).expect("written");
        fixture::decodes(&path);
        assert_eq!(pictures(&path, "0:v"), pictures(&f.path, "0:v"));
        assert_eq!(pictures(&path, "0:v").len(), recipe.seconds as usize * 25);
    }
}

#[test]
fn the_parameter_sets_survive_the_way_through_our_sample_entries() {
    let dir = tempfile::tempdir().expect("a directory");
    for recipe in [fixture::B_FRAMES_AAC, fixture::HEVC_OPUS] {
        let f = fixture::make(dir.path(), recipe);
        let path = dir.path().join("init.mp4");
        std::fs::write(&path, init_segment(&f.description)).expect("written");
        let again = fixture::read_entries(&path);
        for (ours, theirs) in again.iter().zip(&f.description.tracks) {
            assert_eq!(ours, &theirs.codec);
        }
        assert_eq!(fixture::decoder_configuration(&path), fixture::decoder_configuration(&f.path));
    }
}

#[test]
fn the_media_type_names_every_track() {
    let dir = tempfile::tempdir().expect("a directory");
    let f = fixture::make(dir.path(), fixture::B_FRAMES_AAC);
    assert_eq!(mime(&f.description), "video/mp4; codecs=\"avc1.64000d,mp4a.40.2\"");
    assert_eq!(f.description.track(TrackId(1)), f.description.audio());
}
