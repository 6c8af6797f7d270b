//! What the demuxer targets have in common. Not a target itself.

use std::io::Cursor;

use vigie_media::demux;

/// Plays a file twice, and checks what every reader promises.
pub fn play(data: &[u8]) {
    let Ok(mut demuxer) = demux::open(Cursor::new(data.to_vec())) else { return };
    let tracks = demuxer.tracks().to_vec();
    assert!(!tracks.is_empty() && tracks.len() <= 2 && tracks.iter().all(|t| t.clock_rate > 0));
    let mut first = None;
    for _ in 0..2 {
        let mut count = 0u32;
        while let Ok(Some(s)) = demuxer.next_sample() {
            assert!(
                s.track < tracks.len() && s.pts >= s.dts && !s.data.is_empty() && s.data.len() <= data.len() * 2 + 64
            );
            count += 1;
            if count == 20_000 {
                break;
            }
        }
        assert_eq!(*first.get_or_insert(count), count, "rewinding gives the same");
        if demuxer.rewind().is_err() {
            return;
        }
    }
}
