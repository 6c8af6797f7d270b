//! The threads that touch the disk: one writes, one syncs everything written, once a second.
//!
//! **A file that failed once is never written again**: a later success would paper over a hole.
//!
//! The queue holds at most [`QUEUE`] jobs; a recording that finds it full waits, falls behind in the hub's ring, and
//! gets a gap with its cause when the ring's byte budget is used up.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::{mpsc, oneshot};
use tracing::error;
use vigie_media::mp4::session::Op;

use crate::RecordError;
use crate::volume::{Volume, VolumeFile, carry_out};

/// Jobs that may wait.
pub const QUEUE: usize = 128;
/// A power cut loses at most this, and one fragment.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// A file being written.
#[derive(Debug)]
pub struct Sink {
    file: Arc<dyn VolumeFile>,
    name: String,
    dirty: AtomicBool,
    failed: OnceLock<RecordError>,
}

impl Sink {
    /// Why it cannot be written any more.
    pub fn failure(&self) -> Option<RecordError> {
        self.failed.get().cloned()
    }

    /// The file, for reading it back.
    pub fn file(&self) -> &Arc<dyn VolumeFile> {
        &self.file
    }

    fn fail(&self, e: &io::Error, doing: &str) {
        let full = matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        let why = if full {
            RecordError::DiskFull { free_mb: 0, needed_mb: 0 }
        } else {
            RecordError::Disk(format!("{doing}: {e}"))
        };
        if self.failed.set(why).is_ok() {
            error!(file = %self.name, error = %e, doing, "a recording cannot be written any more");
        }
    }

    fn run(&self, ops: &[Op]) {
        for op in ops {
            if self.failed.get().is_some() {
                return;
            }
            let doing = match op {
                Op::Sync => "syncing",
                Op::Truncate(_) => "cutting",
                Op::Write(_) | Op::Copy { .. } | Op::Add { .. } => "writing",
            };
            if matches!(op, Op::Sync) {
                self.dirty.store(false, Ordering::Release);
            }
            let result = carry_out(self.file.as_ref(), op);
            if !matches!(op, Op::Sync) {
                self.dirty.store(true, Ordering::Release);
            }
            if let Err(e) = result {
                self.fail(&e, doing);
            }
        }
    }
}

struct Job {
    sink: Arc<Sink>,
    ops: Vec<Op>,
    done: Option<oneshot::Sender<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    sinks: Mutex<Vec<Arc<Sink>>>,
    stop: Mutex<bool>,
    stopped: Condvar,
}

/// The two threads of one volume. They end when this is dropped and everything queued is written.
#[derive(Debug)]
pub struct Writer {
    volume: Arc<dyn Volume>,
    queue: mpsc::Sender<Job>,
    shared: Arc<Shared>,
}

impl Writer {
    /// Starts the threads.
    pub fn start(volume: Arc<dyn Volume>) -> io::Result<Self> {
        let (queue, mut jobs) = mpsc::channel::<Job>(QUEUE);
        let shared = Arc::new(Shared::default());
        std::thread::Builder::new().name("record-write".into()).spawn(move || {
            while let Some(job) = jobs.blocking_recv() {
                job.sink.run(&job.ops);
                // Whoever asked may have gone away.
                let _ = job.done.map(|d| d.send(()));
            }
        })?;
        let for_sync = Arc::clone(&shared);
        std::thread::Builder::new().name("record-sync".into()).spawn(move || sync_loop(&for_sync))?;
        Ok(Self { volume, queue, shared })
    }

    /// The disk.
    pub fn volume(&self) -> &Arc<dyn Volume> {
        &self.volume
    }

    /// Takes a file into the circle of those that are synced. It leaves when its last other owner drops it.
    pub fn adopt(&self, name: &str, file: Arc<dyn VolumeFile>) -> Arc<Sink> {
        let sink =
            Arc::new(Sink { file, name: name.to_owned(), dirty: AtomicBool::new(false), failed: OnceLock::new() });
        self.shared.sinks.lock().push(Arc::clone(&sink));
        sink
    }

    /// Queues operations on a file; waits while the queue is full.
    pub async fn queue(&self, sink: &Arc<Sink>, ops: Vec<Op>) {
        if !ops.is_empty() {
            let job = Job { sink: Arc::clone(sink), ops, done: None };
            // The thread outlives every handle.
            let _ = self.queue.send(job).await;
        }
    }

    /// As [`Self::queue`]; what comes back says when they, and everything before them, are carried out.
    pub async fn queue_told(&self, sink: &Arc<Sink>, ops: Vec<Op>) -> oneshot::Receiver<()> {
        let (done, told) = oneshot::channel();
        let job = Job { sink: Arc::clone(sink), ops, done: Some(done) };
        // The thread outlives every handle.
        let _ = self.queue.send(job).await;
        told
    }

    /// Queues operations and waits until they, and everything before them, are carried out.
    pub async fn finish(&self, sink: &Arc<Sink>, ops: Vec<Op>) -> Result<(), RecordError> {
        let (done, wait) = oneshot::channel();
        let job = Job { sink: Arc::clone(sink), ops, done: Some(done) };
        if self.queue.send(job).await.is_err() || wait.await.is_err() {
            return Err(RecordError::Disk("the writer has ended".into()));
        }
        sink.failure().map_or(Ok(()), Err)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        *self.shared.stop.lock() = true;
        self.shared.stopped.notify_all();
    }
}

fn sync_loop(shared: &Shared) {
    loop {
        let deadline = Instant::now() + SYNC_EVERY;
        {
            let mut stop = shared.stop.lock();
            while !*stop {
                if shared.stopped.wait_until(&mut stop, deadline).timed_out() {
                    break;
                }
            }
            if *stop {
                return;
            }
        }
        let sinks: Vec<Arc<Sink>> = {
            let mut sinks = shared.sinks.lock();
            sinks.retain(|s| Arc::strong_count(s) > 1);
            sinks.clone()
        };
        for sink in sinks {
            if sink.failed.get().is_none()
                && sink.dirty.swap(false, Ordering::AcqRel)
                && let Err(e) = sink.file.sync()
            {
                sink.fail(&e, "syncing");
            }
        }
    }
}
