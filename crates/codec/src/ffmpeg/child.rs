//! A child that takes bytes and gives things, for as long as it is wanted.
//!
//! **Nobody waits for it longer than he said, and it never outlives its owner**: its queues are short, its complaints
//! are kept, and it is asked to end before it is made to.

use std::collections::VecDeque;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tracing::{debug, warn};

use crate::CodecError;

/// Pieces that wait to be written; one is a whole raw picture.
const INPUT: usize = 4;
/// Things that wait to be taken; then the child waits.
const OUTPUT: usize = 64;
/// How much of its last complaints is kept.
const WORDS: usize = 2048;
/// After its input has ended, a child has so long before it is interrupted.
const PATIENCE: Duration = Duration::from_secs(2);

/// See the module. `T` is what comes out. Dropping it kills the child.
#[derive(Debug)]
pub(super) struct Child<T> {
    id: Option<u32>,
    input: Option<mpsc::Sender<Bytes>>,
    output: mpsc::Receiver<T>,
    ready: VecDeque<T>,
    words: Arc<Mutex<Vec<u8>>>,
    /// How long it may take to end; without a message it is killed at once.
    leave: Option<oneshot::Sender<Duration>>,
}

impl<T: Send + 'static> Child<T> {
    /// Starts a program. `next` takes one thing from the beginning of what it wrote; an error ends it. Must be called
    /// inside a runtime.
    pub(super) fn start(
        path: &Path,
        arguments: &[String],
        next: impl FnMut(&mut BytesMut) -> Result<Option<T>, ()> + Send + 'static,
    ) -> Result<Self, CodecError> {
        let failed = |e: std::io::Error| CodecError::Library("ffmpeg", e.to_string());
        let mut child = Command::new(path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // What is typed at our terminal is not meant for it.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
            return Err(CodecError::Library("ffmpeg", "no pipes".into()));
        };
        let (input, pieces) = mpsc::channel(INPUT);
        let (things, output) = mpsc::channel(OUTPUT);
        let (leave, left) = oneshot::channel();
        let words = Arc::new(Mutex::new(Vec::new()));
        let id = child.id();
        tokio::spawn(feed(stdin, pieces));
        tokio::spawn(collect(stdout, things, next));
        tokio::spawn(listen(stderr, Arc::clone(&words)));
        tokio::spawn(supervise(child, left));
        Ok(Self { id, input: Some(input), output, ready: VecDeque::new(), words, leave: Some(leave) })
    }

    /// Its process number.
    pub(super) fn id(&self) -> Option<u32> {
        self.id
    }

    /// Gives it bytes, and waits for a place in its queue at most so long.
    pub(super) async fn push(&mut self, data: Bytes, within: Duration) -> Result<(), CodecError> {
        let deadline = Instant::now() + within;
        let Some(input) = &self.input else { return Err(ended()) };
        loop {
            tokio::select! {
                biased;
                // What it gives is taken meanwhile: it may be waiting for that.
                thing = self.output.recv() => self.ready.push_back(thing.ok_or_else(ended)?),
                place = input.reserve() => {
                    place.map_err(|_| ended())?.send(data);
                    return Ok(());
                }
                () = sleep_until(deadline) => return Err(CodecError::Timeout("ffmpeg")),
            }
        }
    }

    /// What has come out, if anything.
    pub(super) fn pull(&mut self) -> Option<T> {
        self.ready.pop_front().or_else(|| self.output.try_recv().ok())
    }

    /// The next thing, waiting for it; `None` when there will be none in time.
    pub(super) async fn next(&mut self, deadline: Instant) -> Option<T> {
        match self.ready.pop_front() {
            Some(thing) => Some(thing),
            None => timeout_at(deadline, self.output.recv()).await.ok().flatten(),
        }
    }

    /// Ends its input.
    pub(super) fn close(&mut self) {
        self.input = None;
    }

    /// Lets it end by itself; then interrupts it, and kills it after `within`.
    pub(super) fn see_off(&mut self, within: Duration) {
        self.input = None;
        if let Some(leave) = self.leave.take() {
            // When nobody listens, it has ended already.
            let _ = leave.send(within);
        }
    }

    /// The end of what it complained about, on one line.
    pub(super) fn last_words(&self) -> String {
        String::from_utf8_lossy(&self.words.lock()).split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn ended() -> CodecError {
    CodecError::Library("ffmpeg", "it has ended by itself".into())
}

async fn feed(mut stdin: ChildStdin, mut pieces: mpsc::Receiver<Bytes>) {
    while let Some(piece) = pieces.recv().await {
        if stdin.write_all(&piece).await.is_err() {
            return;
        }
    }
}

async fn collect<T>(
    mut stdout: ChildStdout,
    things: mpsc::Sender<T>,
    mut next: impl FnMut(&mut BytesMut) -> Result<Option<T>, ()>,
) {
    let mut buffer = BytesMut::with_capacity(64 << 10);
    while matches!(stdout.read_buf(&mut buffer).await, Ok(n) if n > 0) {
        loop {
            match next(&mut buffer) {
                Ok(Some(thing)) => {
                    if things.send(thing).await.is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(()) => {
                    warn!("the program that was started as ffmpeg writes something else");
                    return;
                }
            }
        }
    }
}

async fn listen(mut stderr: ChildStderr, words: Arc<Mutex<Vec<u8>>>) {
    let mut piece = [0; 512];
    while let Ok(n @ 1..) = stderr.read(&mut piece).await {
        let mut words = words.lock();
        words.extend_from_slice(&piece[..n]);
        let over = words.len().saturating_sub(WORDS);
        words.drain(..over);
    }
}

async fn supervise(mut child: tokio::process::Child, left: oneshot::Receiver<Duration>) {
    let within = tokio::select! {
        status = child.wait() => {
            debug!(?status, "ffmpeg has ended");
            return;
        }
        within = left => within,
    };
    let Ok(within) = within else {
        // Dropped. The program itself is killed with `child`.
        signal(&child, Signal::KILL);
        return;
    };
    let deadline = Instant::now() + within;
    if timeout(PATIENCE.min(within), child.wait()).await.is_ok() {
        return;
    }
    signal(&child, Signal::INT);
    if timeout_at(deadline, child.wait()).await.is_err() {
        warn!(after = ?within, "ffmpeg does not end when it is asked to, and is killed");
        signal(&child, Signal::KILL);
        // It is waited for, so that no dead process stays behind.
        if let Err(e) = child.kill().await {
            debug!(error = %e, "it had ended meanwhile");
        }
    }
}

/// What a terminal does for Ctrl-C, or worse, to the program and those that it has started: it leads a group of its
/// own. The number cannot be another one's: the program was not waited for yet.
fn signal(child: &tokio::process::Child, signal: Signal) {
    let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(id) = id
        && let Err(e) = kill_process_group(id, signal)
    {
        debug!(error = %e, "ffmpeg could not be signalled");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Child<Bytes> {
        let arguments = ["-c".to_owned(), script.to_owned()];
        let all = |b: &mut BytesMut| Ok((!b.is_empty()).then(|| b.split().freeze()));
        Child::start(Path::new("/bin/sh"), &arguments, all).unwrap()
    }

    fn runs(id: u32) -> bool {
        // A dead one that nobody has waited for yet is still listed, as a zombie.
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        stat.rsplit(')').next().is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with('Z'))
    }

    async fn gone(id: u32, within: Duration) -> Duration {
        let began = Instant::now();
        while runs(id) {
            assert!(began.elapsed() < within, "{id} still runs");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        began.elapsed()
    }

    #[tokio::test]
    async fn one_that_takes_nothing_is_an_error_in_time_and_holds_little() {
        let mut c = shell("sleep 60");
        let piece = Bytes::from(vec![0; 1 << 20]);
        let mut taken = 0;
        let e = loop {
            match c.push(piece.clone(), Duration::from_millis(200)).await {
                Ok(()) => taken += 1,
                Err(e) => break e,
            }
        };
        assert_eq!(e, CodecError::Timeout("ffmpeg"));
        assert!(taken <= INPUT + 1, "{taken} pieces");
        let id = c.id().unwrap();
        assert!(runs(id));
        drop(c);
        gone(id, Duration::from_secs(10)).await;
    }

    #[tokio::test]
    async fn one_that_dies_is_an_error_that_says_why() {
        let mut c = shell("echo 'no such codec' >&2; exit 1");
        let e = loop {
            if let Err(e) = c.push(Bytes::from_static(b"x"), Duration::from_secs(10)).await {
                break e;
            }
        };
        assert_eq!(e, ended());
        while c.last_words().is_empty() {
            tokio::task::yield_now().await;
        }
        assert_eq!(c.last_words(), "no such codec");
    }

    #[tokio::test]
    async fn it_is_asked_to_end_before_it_is_killed() {
        // Ends with its input.
        let mut c = shell("cat >/dev/null");
        let id = c.id().unwrap();
        c.see_off(Duration::from_secs(30));
        gone(id, Duration::from_secs(10)).await;
        // Ends when it is interrupted, as ffmpeg does.
        let mut c = shell("trap 'exit 0' INT; while :; do sleep 0.1; done");
        let id = c.id().unwrap();
        c.see_off(Duration::from_secs(60));
        let took = gone(id, Duration::from_secs(20)).await;
        assert!(took + Duration::from_millis(200) > PATIENCE, "{took:?}");
        // Does neither.
        let mut c = shell("trap '' INT; sleep 60; sleep 60");
        let id = c.id().unwrap();
        c.see_off(Duration::from_secs(3));
        let took = gone(id, Duration::from_secs(20)).await;
        assert!(took > Duration::from_millis(2500), "{took:?}");
    }
}
