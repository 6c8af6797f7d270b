//! Parts that were planned lately: a player asks for one part in many ranges, and planning reads all tables of the
//! recording.
//!
//! **Bounded in number and in bytes**: the part that nobody asked for longest goes first. A part keeps its recording's
//! file open, so a deleted recording is forgotten, or its disk space would not come back.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;
use vigie_base::RecordingId;

use super::PartFile;

/// Parts kept.
const MOST: usize = 16;
/// Bytes kept in all. The tables of a whole recording of twelve hours are about a third of it.
const MOST_BYTES: usize = 32 << 20;

/// Which part of which recording, as it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: RecordingId,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
}

/// See the module. The one that was asked for last stands last.
#[derive(Debug, Default)]
pub(crate) struct Planned(Mutex<VecDeque<(Key, PartFile)>>);

impl Planned {
    pub(crate) fn get(&self, key: &Key) -> Option<PartFile> {
        let mut kept = self.0.lock();
        let at = kept.iter().position(|(k, _)| k == key)?;
        let found = kept.remove(at)?;
        let part = found.1.clone();
        kept.push_back(found);
        Some(part)
    }

    pub(crate) fn put(&self, key: Key, part: &PartFile) {
        let mut kept = self.0.lock();
        kept.retain(|(k, _)| *k != key);
        kept.push_back((key, part.clone()));
        let mut bytes: usize = kept.iter().map(|(_, p)| p.weight()).sum();
        while kept.len() > MOST || bytes > MOST_BYTES {
            let Some((_, gone)) = kept.pop_front() else { break };
            bytes -= gone.weight();
        }
    }

    /// Closes the file of a recording, as far as it is open here.
    pub(crate) fn forget(&self, id: RecordingId) {
        self.0.lock().retain(|(k, _)| k.id != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: i64, from: u64) -> Key {
        Key { id: RecordingId(id), from: Duration::from_secs(from), to: Duration::from_secs(from + 1) }
    }

    fn put(planned: &Planned, key: Key, bytes: usize) {
        planned.put(key, &PartFile::of_weight(key.id, bytes));
    }

    #[test]
    fn what_nobody_asked_for_longest_goes_first() {
        let planned = Planned::default();
        for from in 0..MOST as u64 {
            put(&planned, key(1, from), 1);
        }
        assert!(planned.get(&key(1, 0)).is_some());
        put(&planned, key(1, 99), 1);
        assert!(planned.get(&key(1, 0)).is_some() && planned.get(&key(1, 99)).is_some());
        assert!(planned.get(&key(1, 1)).is_none());
        assert_eq!(planned.0.lock().len(), MOST);
    }

    #[test]
    fn large_tables_push_others_out_and_too_large_ones_are_not_kept() {
        let planned = Planned::default();
        for from in 0..3 {
            put(&planned, key(1, from), MOST_BYTES / 2);
        }
        assert!(planned.get(&key(1, 0)).is_none() && planned.get(&key(1, 1)).is_some());
        put(&planned, key(2, 0), MOST_BYTES + 1);
        assert!(planned.get(&key(2, 0)).is_none());
    }

    #[test]
    fn a_deleted_recording_is_forgotten_and_another_is_not() {
        let planned = Planned::default();
        put(&planned, key(1, 0), 1);
        put(&planned, key(1, 5), 1);
        put(&planned, key(2, 0), 1);
        planned.forget(RecordingId(1));
        assert!(planned.get(&key(1, 0)).is_none() && planned.get(&key(1, 5)).is_none());
        assert!(planned.get(&key(2, 0)).is_some());
    }
}
