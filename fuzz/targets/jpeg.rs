//! JPEG headers, and pictures found in pieces: any cut of the same bytes finds the same pictures.
#![no_main]

use libfuzzer_sys::fuzz_target;
use vigie_media::jpeg::{self, Finder, Found};

fn pictures<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let (mut finder, mut buffer, mut out) = (Finder::default(), Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match finder.find(&buffer) {
                Found::Picture(start, end) => {
                    assert!(start + 4 <= end && end <= buffer.len());
                    out.push(buffer[start..end].to_vec());
                    buffer.drain(..end);
                    finder.removed(end);
                }
                Found::Partial(start) => {
                    buffer.drain(..start);
                    finder.removed(start);
                    break;
                }
                Found::Nothing => {
                    let gone = buffer.len().saturating_sub(1);
                    buffer.drain(..gone);
                    finder.removed(gone);
                    break;
                }
            }
        }
    }
    out
}

fuzz_target!(|data: &[u8]| {
    let Some((&cut, data)) = data.split_first() else { return };
    if let Ok(p) = jpeg::params(data) {
        assert!(p.video.width > 0 && p.video.height > 0);
    }
    let whole = pictures([data].into_iter());
    assert_eq!(pictures(data.chunks(usize::from(cut) + 1)), whole);
    for picture in whole {
        let _ = jpeg::header(&picture);
    }
});
