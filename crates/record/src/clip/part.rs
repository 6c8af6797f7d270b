//! A part of a finished recording as a file that exists nowhere.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use vigie_base::RecordingId;
use vigie_media::mp4::cut::{Cut, Place, cut, media_start};
use vigie_store::RecordingState;

use super::copy::Source;
use super::crashed;
use super::planned::Key;
use crate::volume::{Reader, VolumeFile};
use crate::{RecordError, Recorder};

/// How long to wait for a file that is just being replaced by a smaller one. Either gives the same part.
const SETTLE: Duration = Duration::from_secs(2);

/// See the module. Cheap to clone; keeps the recording's file open, so that it can be read to its end even when the
/// recording is deleted meanwhile.
#[derive(Debug, Clone)]
pub struct PartFile {
    file: Arc<dyn VolumeFile>,
    cut: Arc<Cut>,
    id: RecordingId,
}

impl PartFile {
    /// Bytes of the whole file.
    pub fn length(&self) -> u64 {
        self.cut.length
    }

    /// Where it begins on the recording's visible timeline: at most one picture before what was asked.
    pub fn start(&self) -> Duration {
        self.cut.start
    }

    /// Bytes of memory that it holds.
    pub(super) fn weight(&self) -> usize {
        self.cut.head.len() + std::mem::size_of_val(self.cut.pieces.as_slice())
    }

    pub(super) fn into_source(self) -> Result<(Cut, Source), RecordError> {
        let media_start = media_start(&mut Reader::new(Arc::clone(&self.file)))?;
        let cut = Arc::try_unwrap(self.cut).unwrap_or_else(|shared| Cut::clone(&shared));
        Ok((cut, Source::File { file: self.file, media_start }))
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        self.cut.duration
    }

    /// A name for its bytes: the same for the same part of the same recording.
    pub fn tag(&self) -> String {
        let Cut { start, duration, length, .. } = &*self.cut;
        format!("{}-{}-{}-{length}", self.id, start.as_micros(), duration.as_micros())
    }

    /// Reads up to `buf.len()` bytes from `position` on; 0 at the end. Blocks.
    pub fn read_at(&self, position: u64, buf: &mut [u8]) -> io::Result<usize> {
        match self.cut.at(position) {
            None => Ok(0),
            Some(Place::Head(bytes)) => {
                let n = bytes.len().min(buf.len());
                buf[..n].copy_from_slice(&bytes[..n]);
                Ok(n)
            }
            Some(Place::Source { at, len }) => {
                let n = usize::try_from(len).unwrap_or(usize::MAX).min(buf.len());
                match self.file.read_at(at, &mut buf[..n])? {
                    0 if n > 0 => Err(io::ErrorKind::UnexpectedEof.into()),
                    n => Ok(n),
                }
            }
        }
    }
}

impl Recorder {
    /// The part of a finished recording from `from` to `to` of its visible timeline. Reads its tables, not its media; a
    /// part that was asked for lately is not planned again.
    ///
    /// [`RecordError::NotFinished`] for an unknown or unfinished one, [`RecordError::EmptyPart`] and
    /// [`RecordError::BeyondEnd`] for times that make no sense; an end behind the recording's end is moved there.
    pub async fn part(&self, id: RecordingId, from: Duration, to: Duration) -> Result<PartFile, RecordError> {
        let path = self.sealed(id).await?;
        let key = Key { id, from, to };
        if let Some(part) = self.shared.planned.get(&key) {
            return Ok(part);
        }
        self.settled(id, SETTLE).await;
        let part = self.plan_part(id, path, from, to).await?;
        self.shared.planned.put(key, &part);
        // Whoever deletes it marks its row first and forgets its parts last: one of the two of us sees the other.
        if self.sealed(id).await.is_err() {
            self.shared.planned.forget(id);
        }
        Ok(part)
    }

    /// As [`Self::part`], for somebody who reads it once.
    pub(super) async fn part_once(
        &self,
        id: RecordingId,
        from: Duration,
        to: Duration,
    ) -> Result<PartFile, RecordError> {
        let path = self.sealed(id).await?;
        self.settled(id, SETTLE).await;
        self.plan_part(id, path, from, to).await
    }

    /// Where a finished recording lies.
    async fn sealed(&self, id: RecordingId) -> Result<String, RecordError> {
        let row = self.shared.index.row(id).await?;
        row.filter(|r| r.state == RecordingState::Sealed).map(|r| r.path).ok_or(RecordError::NotFinished)
    }

    async fn plan_part(
        &self,
        id: RecordingId,
        path: String,
        from: Duration,
        to: Duration,
    ) -> Result<PartFile, RecordError> {
        let volume = Arc::clone(self.shared.writer.volume());
        let work = tokio::task::spawn_blocking(move || {
            let file = volume.open(&path).map_err(super::copy::disk)?;
            let cut = Arc::new(cut(&mut Reader::new(Arc::clone(&file)), from, to)?);
            Ok(PartFile { file, cut, id })
        });
        work.await.map_err(crashed)?
    }
}

#[cfg(test)]
impl PartFile {
    /// A part whose head has that many bytes.
    pub(super) fn of_weight(id: RecordingId, bytes: usize) -> Self {
        let path = tempfile::tempdir().expect("a folder");
        let volume = crate::volume::Disk::new(path.path()).expect("a disk");
        let file = crate::volume::Volume::create(&volume, "a.mp4").expect("a file");
        let cut = Cut {
            head: vec![0; bytes].into(),
            pieces: Vec::new(),
            length: bytes as u64,
            start: Duration::ZERO,
            duration: Duration::ZERO,
            frames: 0,
            video: None,
            audio: None,
        };
        Self { file, cut: Arc::new(cut), id }
    }
}
