//! What start-up does with a session file: a repair is carried out, and the file must then count as finished.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use vigie_media::mp4::repair::{Verdict, inspect};
use vigie_media::mp4::session::Op;

fuzz_target!(|data: &[u8]| {
    let Ok(Verdict::Repair(_, ops)) = inspect(&mut Cursor::new(data)) else { return };
    let mut file = data.to_vec();
    for op in ops {
        match op {
            Op::Write(w) => {
                let at = usize::try_from(w.at).expect("inside the file");
                // A repair writes into the reserve or just behind the end, never far away.
                assert!(at <= file.len() + (1 << 20), "a write at {at} of {}", file.len());
                let bytes = w.data.concat();
                let end = at + bytes.len();
                if file.len() < end {
                    file.resize(end, 0);
                }
                file[at..end].copy_from_slice(&bytes);
            }
            Op::Truncate(len) => {
                assert!(len <= file.len() as u64);
                file.truncate(len as usize);
            }
            Op::Copy { .. } | Op::Add { .. } => unreachable!("only a recording that goes on asks for these"),
            Op::Sync => {}
        }
    }
    assert!(matches!(inspect(&mut Cursor::new(&file)), Ok(Verdict::Finished(_))), "a repaired file is finished");
});
