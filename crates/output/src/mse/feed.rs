//! Fragments of a stream, built once and read by every browser that shows it.
//!
//! **A feed holds the last group of pictures and the one before**, so a newcomer starts at a key frame at once, and who
//! falls behind is moved to the newest key frame. It lives while somebody reads it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use vigie_base::StreamKey;
use vigie_hub::{Cursor, Event, Join, Lag, Purpose, Stream, SubscribeOptions};

use super::package::{Init, Packager, Piece};

/// Most bytes a feed holds; a group of pictures larger than this cannot be joined at once.
const MAX_BYTES: usize = 48 << 20;
/// A reader this far behind a newer key frame is moved to it.
const MAX_BEHIND: Duration = Duration::from_millis(1500);

#[derive(Debug)]
struct Item {
    data: Bytes,
    key: bool,
    made: Instant,
}

#[derive(Debug, Default)]
struct Held {
    /// Grows with each initialisation segment.
    generation: u64,
    init: Option<Arc<Init>>,
    /// Number of the first item.
    base: u64,
    items: VecDeque<Item>,
    bytes: usize,
    /// The newest key frame that is held.
    join: Option<u64>,
}

impl Held {
    fn head(&self) -> u64 {
        self.base + self.items.len() as u64
    }

    fn push(&mut self, piece: Piece, now: Instant) {
        match piece {
            Piece::Init(init) => {
                self.base = self.head();
                self.items.clear();
                self.bytes = 0;
                self.join = None;
                self.generation += 1;
                self.init = Some(init);
            }
            Piece::Fragment { data, key } => {
                if key {
                    // The group before the last one goes now.
                    if let Some(previous) = self.join {
                        self.drop_before(previous);
                    }
                    self.join = Some(self.head());
                }
                self.bytes += data.len();
                self.items.push_back(Item { data, key, made: now });
                while self.bytes > MAX_BYTES && self.items.len() > 1 {
                    self.drop_before(self.base + 1);
                }
                self.join = self.join.filter(|&j| j >= self.base);
            }
        }
    }

    fn drop_before(&mut self, number: u64) {
        while self.base < number {
            let Some(item) = self.items.pop_front() else { break };
            self.bytes -= item.data.len();
            self.base += 1;
        }
    }

    fn item(&self, number: u64) -> Option<&Item> {
        self.items.get(usize::try_from(number.checked_sub(self.base)?).ok()?)
    }
}

/// What a reader is given next.
#[derive(Debug)]
pub(crate) enum Next {
    Init(Arc<Init>),
    Fragment(Bytes),
    /// This many fragments were passed over.
    Skipped(u64),
    /// Nothing now.
    Wait,
}

/// A reader's place.
#[derive(Debug, Default)]
pub(crate) struct Place {
    generation: u64,
    next: u64,
    need_key: bool,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Feed {
    held: Mutex<Held>,
    changed: watch::Sender<()>,
    stop: CancellationToken,
    ended: CancellationToken,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Feed {
    fn new() -> Self {
        Self {
            held: Mutex::default(),
            changed: watch::Sender::new(()),
            stop: CancellationToken::new(),
            ended: CancellationToken::new(),
        }
    }

    /// Told whenever there is something new.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Ends when the stream was removed.
    pub(crate) fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// What comes next at `place`. Never waits.
    pub(crate) fn next(&self, place: &mut Place) -> Next {
        let held = self.held.lock();
        if place.generation != held.generation {
            let Some(init) = &held.init else { return Next::Wait };
            place.generation = held.generation;
            place.next = held.join.unwrap_or(held.head());
            place.need_key = true;
            return Next::Init(Arc::clone(init));
        }
        let behind = |join: u64| match (held.item(place.next), held.item(join)) {
            (Some(mine), Some(newest)) => newest.made.saturating_duration_since(mine.made) > MAX_BEHIND,
            _ => false,
        };
        let target = match held.join {
            _ if place.next < held.base => Some(held.join.unwrap_or(held.head())),
            Some(j) if place.next < j && behind(j) => Some(j),
            _ => None,
        };
        if let Some(to) = target {
            let lost = to - place.next;
            place.next = to;
            place.need_key = true;
            return Next::Skipped(lost);
        }
        while let Some(item) = held.item(place.next) {
            place.next += 1;
            if place.need_key && !item.key {
                continue;
            }
            place.need_key = false;
            return Next::Fragment(item.data.clone());
        }
        Next::Wait
    }

    fn push(&self, pieces: &mut Vec<Piece>) {
        if pieces.is_empty() {
            return;
        }
        let now = Instant::now();
        let mut held = self.held.lock();
        for p in pieces.drain(..) {
            held.push(p, now);
        }
        drop(held);
        self.changed.send_replace(());
    }
}

/// All feeds by stream, with and without sound.
#[derive(Debug, Default)]
pub(crate) struct Feeds {
    running: Mutex<HashMap<(StreamKey, bool), Weak<Feed>>>,
}

impl Feeds {
    /// The feed of that stream, started when nobody reads it yet.
    pub(crate) fn get(&self, stream: &Arc<Stream>, sound: bool) -> Arc<Feed> {
        let mut running = self.running.lock();
        running.retain(|_, f| f.strong_count() > 0);
        if let Some(f) = running.get(&(stream.key(), sound)).and_then(Weak::upgrade).filter(|f| !f.ended.is_cancelled())
        {
            return f;
        }
        let feed = Arc::new(Feed::new());
        let options = SubscribeOptions { join: Join::Burst, lag: Lag::Live, purpose: Purpose::Observe };
        let cursor = stream.subscribe(options);
        let (stop, ended) = (feed.stop.clone(), feed.ended.clone());
        let weak = Arc::downgrade(&feed);
        tokio::spawn(async move {
            // However it ends: readers must not wait for a feed that nobody fills.
            let _ended = ended.drop_guard();
            tokio::select! {
                () = stop.cancelled() => {}
                () = fill(cursor, weak, sound) => {}
            }
        });
        running.insert((stream.key(), sound), Arc::downgrade(&feed));
        feed
    }

    /// Feeds running now.
    #[cfg(test)]
    pub(crate) fn running(&self) -> usize {
        self.running.lock().values().filter(|f| f.strong_count() > 0).count()
    }
}

async fn fill(mut cursor: Cursor, feed: Weak<Feed>, sound: bool) {
    let mut packager = Packager::new(sound);
    let mut pieces = Vec::new();
    let mut events = Vec::new();
    loop {
        match cursor.next().await {
            Ok(e) => events.push(e),
            Err(_) => return,
        }
        // Whatever else is there: one notice to the readers for all of it.
        if cursor.drain(256, &mut events).is_err() {
            return;
        }
        for event in events.drain(..) {
            match event {
                Event::Description(d) => packager.describe(&d),
                Event::Unit(u) => packager.push(&u, &mut pieces),
                Event::Gap(_) => {}
                Event::Skipped(_) => packager.interrupted(),
            }
        }
        match feed.upgrade() {
            Some(f) => f.push(&mut pieces),
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fragment(key: bool) -> Piece {
        Piece::Fragment { data: Bytes::from_static(b"0123456789"), key }
    }

    fn init() -> Piece {
        Piece::Init(Arc::new(Init { segment: Bytes::new(), mime: String::new(), width: 0, height: 0, codec: "h264" }))
    }

    fn take(feed: &Feed, place: &mut Place) -> (usize, u64, usize) {
        let (mut inits, mut skipped, mut fragments) = (0, 0, 0);
        loop {
            match feed.next(place) {
                Next::Init(_) => inits += 1,
                Next::Skipped(n) => skipped += n,
                Next::Fragment(_) => fragments += 1,
                Next::Wait => return (inits, skipped, fragments),
            }
        }
    }

    #[test]
    fn newcomers_start_at_the_last_key_frame_and_two_groups_are_held() {
        let feed = Feed::new();
        let mut pieces = vec![init()];
        for i in 0..35 {
            pieces.push(fragment(i % 10 == 0));
        }
        feed.push(&mut pieces);
        assert_eq!(take(&feed, &mut Place::default()), (1, 0, 5));
        let held = feed.held.lock();
        assert_eq!((held.base, held.items.len(), held.bytes), (20, 15, 150));
    }

    #[test]
    fn who_falls_out_of_it_is_moved_to_a_key_frame_and_told() {
        let feed = Feed::new();
        feed.push(&mut vec![init(), fragment(true), fragment(false)]);
        let mut place = Place::default();
        assert_eq!(take(&feed, &mut place), (1, 0, 2));
        feed.push(&mut (0..40).map(|i| fragment(i % 10 == 0)).collect());
        // Items 2 to 41, keys at 2, 12, 22, 32; held from 22.
        assert_eq!(take(&feed, &mut place), (0, 30, 10));
        feed.push(&mut vec![init(), fragment(false), fragment(true)]);
        assert_eq!(take(&feed, &mut place), (1, 0, 1));
    }
}
