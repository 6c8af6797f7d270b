//! A part of a file that nobody wrote: what comes out lies inside the file, and is as long as it says.
#![no_main]

use std::io::Cursor;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use vigie_media::mp4::cut::{Cut, Fragment, Place, cut, cut_growing};

/// Walks over the new file as a download does.
fn check(cut: &Cut, len: u64) {
    let mut at = 0;
    while let Some(place) = cut.at(at) {
        at += match place {
            Place::Head(bytes) => bytes.len() as u64,
            Place::Source { at, len: n } => {
                assert!(n > 0 && at.checked_add(n).is_some_and(|end| end <= len), "{n} bytes at {at} of {len}");
                n
            }
        };
    }
    assert_eq!(at, cut.length, "the length that was promised");
}

fuzz_target!(|data: &[u8]| {
    let len = data.len() as u64;
    for (from, to) in [(0, 40), (500, 1500), (0, u64::from(u32::MAX))] {
        let part = cut(&mut Cursor::new(data), Duration::from_millis(from), Duration::from_millis(to));
        if let Ok(part) = part {
            check(&part, len);
        }
    }
    // Fragments as an index of a growing file would name them, counted from the first one.
    let heads: Vec<u64> = data.windows(4).enumerate().filter(|(_, w)| *w == b"moof").map(|(i, _)| i as u64).collect();
    let first = heads.first().copied().unwrap_or(0);
    let fragments: Vec<Fragment> =
        heads.iter().take(64).map(|&at| Fragment { at: at - first, time_ns: 0, key: true }).collect();
    for seconds in [1, 120] {
        if let Ok(part) = cut_growing(&mut Cursor::new(data), &fragments, Duration::from_secs(seconds)) {
            check(&part, len);
        }
    }
});
