//! Where the newest fragments of a growing file are, for whoever cuts the last minutes out of it while it grows.
//!
//! **Bounded by time and by number**: a recording carries some kilobytes for this, whatever its length.

use std::collections::VecDeque;
use std::time::Duration;

use crate::mp4::cut::Fragment;

/// The longest piece that is cut out of a running recording, and a little more.
const KEPT: Duration = Duration::from_secs(130);
/// Of 0.8 s usually; sound alone makes longer ones.
const MAX_FRAGMENTS: usize = 1024;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Recent {
    fragments: VecDeque<Fragment>,
}

impl Recent {
    pub(super) fn push(&mut self, fragment: Fragment) {
        self.fragments.push_back(fragment);
        // What is left begins with a key frame that is old enough. The search ends at the next key frame.
        let kept = i64::try_from(KEPT.as_nanos()).unwrap_or(i64::MAX);
        let oldest = fragment.time_ns.saturating_sub(kept);
        while let Some(next) = self.fragments.iter().skip(1).position(|f| f.key)
            && self.fragments.get(next + 1).is_some_and(|f| f.time_ns <= oldest)
        {
            self.fragments.drain(..=next);
        }
        while self.fragments.len() > MAX_FRAGMENTS {
            self.fragments.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<Fragment> {
        self.fragments.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_begins_with_a_key_frame_and_reaches_back_far_enough() {
        let mut recent = Recent::default();
        for n in 0..2000i64 {
            recent.push(Fragment { at: n as u64, time_ns: n * 800_000_000, key: n % 5 == 0 });
        }
        let kept = recent.all();
        assert!(kept[0].key && kept.len() < 175, "{}", kept.len());
        let reach = kept[kept.len() - 1].time_ns - kept[0].time_ns;
        assert!((130_000_000_000..136_000_000_000).contains(&reach), "{reach}");
    }

    #[test]
    fn without_key_frames_it_stays_bounded() {
        let mut recent = Recent::default();
        for n in 0..5000i64 {
            recent.push(Fragment { at: n as u64, time_ns: n, key: n == 0 });
        }
        assert_eq!(recent.all().len(), MAX_FRAGMENTS);
    }
}
