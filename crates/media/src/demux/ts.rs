//! MPEG transport streams (ISO/IEC 13818-1), as recorders and broadcast gear write them.
//!
//! A PES packet of video is taken as one access unit, which is what every camera and muxer that we met writes; one of
//! sound may hold any number of ADTS frames. **Packets that are lost cost the PES packet they belong to, nothing
//! else**, and no PES packet may grow over 16 MiB.

mod elementary;
mod psi;

use std::collections::VecDeque;
use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use mpeg2ts_reader::packet::Packet;
use mpeg2ts_reader::pes::{PesContents, PesHeader, PtsDts};

use super::{DemuxError, DemuxTrack, Demuxer, Sample, choose};
use elementary::{Elementary, Kind};
use psi::Sections;

const MAX_PES: usize = 16 << 20;
/// How far into the file parameters are looked for.
const MAX_SEARCH: u64 = 32 << 20;
/// Bytes looked at for the next sync byte before giving up.
const MAX_RESYNC: usize = 1 << 20;
const CHUNK: usize = 64 * 1024;

/// How packets lie in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Format {
    /// 188, or 192 with a time stamp before each packet (M2TS).
    size: usize,
    /// Where the first packet's sync byte is.
    first: usize,
}

/// Looks for three sync bytes in the distance of packets.
pub(super) fn sniff(head: &[u8]) -> Option<Format> {
    let synced = |first: usize, size: usize| (0..3).all(|i| head.get(first + i * size) == Some(&0x47));
    // A recording may begin in the middle of a packet.
    [188, 192].into_iter().find_map(|size| {
        (0..size.min(head.len())).find(|&first| synced(first, size)).map(|first| Format { size, first })
    })
}

/// A program's elementary stream.
#[derive(Debug)]
struct Line {
    pid: u16,
    counter: Option<u8>,
    pes: Vec<u8>,
    collecting: bool,
    es: Elementary,
    /// Its place in the tracks, once they are settled.
    rank: Option<usize>,
}

/// See the module.
pub(super) struct TransportStream<R> {
    reader: R,
    format: Format,
    buffer: Vec<u8>,
    used: usize,
    read: u64,
    ended: bool,
    pat: Sections,
    pmt: Sections,
    pmt_pid: Option<u16>,
    lines: Vec<Line>,
    tracks: Vec<DemuxTrack>,
    /// 90 kHz time that counts as zero.
    origin: Option<i64>,
    /// Latest unwrapped time of any stream.
    newest: Option<i64>,
    queue: VecDeque<Sample>,
    settled: bool,
}

impl<R: Read + Seek + Send> TransportStream<R> {
    pub(super) fn open(reader: R, format: Format) -> Result<Self, DemuxError> {
        let mut this = Self {
            reader,
            format,
            buffer: Vec::new(),
            used: 0,
            read: 0,
            ended: false,
            pat: Sections::default(),
            pmt: Sections::default(),
            pmt_pid: None,
            lines: Vec::new(),
            tracks: Vec::new(),
            origin: None,
            newest: None,
            queue: VecDeque::new(),
            settled: false,
        };
        this.restart()?;
        while this.read < MAX_SEARCH && !this.everything_known() && this.step()? {
            this.queue.clear();
        }
        let codecs: Vec<_> = this.lines.iter().map(|l| l.es.codec().cloned()).collect();
        let (tracks, rank) = choose(&codecs);
        if tracks.is_empty() {
            return Err(DemuxError::NoTracks);
        }
        this.tracks = tracks;
        for (line, rank) in this.lines.iter_mut().zip(rank) {
            line.rank = rank;
        }
        this.lines.retain(|l| l.rank.is_some());
        this.settled = true;
        this.rewind()?;
        Ok(this)
    }

    fn everything_known(&self) -> bool {
        !self.lines.is_empty() && self.lines.iter().all(|l| l.es.codec().is_some())
    }

    fn restart(&mut self) -> Result<(), DemuxError> {
        self.reader.seek(SeekFrom::Start(self.format.first as u64))?;
        self.buffer.clear();
        self.used = 0;
        self.read = 0;
        self.ended = false;
        Ok(())
    }

    /// Makes sure that a packet lies at `used`; false at the end of the file.
    fn fill(&mut self) -> Result<bool, DemuxError> {
        if self.buffer.len() - self.used >= self.format.size {
            return Ok(true);
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        let got = self.reader.by_ref().take(CHUNK as u64).read_to_end(&mut self.buffer)?;
        self.read += got as u64;
        // The last packet of M2TS has no time stamp behind it.
        Ok(self.buffer.len() >= Packet::SIZE)
    }

    /// Takes one packet in. False at the end of the file, when everything that was collected has been given out.
    fn step(&mut self) -> Result<bool, DemuxError> {
        let mut skipped = 0;
        while self.fill()? {
            // Out of step, one sync byte alone may be anything: the next one has to be in its place too.
            let followed = self.buffer.get(self.used + self.format.size).is_none_or(|&b| b == 0x47);
            let found = self.buffer.get(self.used..self.used + Packet::SIZE).and_then(Packet::try_new);
            let Some(packet) = found.filter(|_| skipped == 0 || followed) else {
                self.used += 1;
                skipped += 1;
                if skipped > MAX_RESYNC {
                    return Err(DemuxError::Damaged { what: "no packets are found any more" });
                }
                continue;
            };
            let pid = u16::from(packet.pid());
            let start = packet.payload_unit_start_indicator();
            let counter = packet.continuity_counter().count();
            let usable = !packet.transport_error_indicator() && !packet.transport_scrambling_control().is_scrambled();
            let payload = packet.payload().filter(|_| usable).map(<[u8]>::to_vec);
            self.used += self.format.size.min(self.buffer.len() - self.used);
            if let Some(payload) = payload {
                self.packet(pid, start, counter, &payload);
            }
            return Ok(true);
        }
        if !self.ended {
            self.ended = true;
            for i in 0..self.lines.len() {
                self.finish_pes(i);
            }
            return Ok(!self.queue.is_empty());
        }
        Ok(false)
    }

    fn packet(&mut self, pid: u16, start: bool, counter: u8, payload: &[u8]) {
        if pid == 0 {
            if let Some(found) = self.pat.push(start, payload).and_then(|s| psi::first_program(&s)) {
                self.pmt_pid = Some(found);
            }
            return;
        }
        if self.pmt_pid == Some(pid) {
            if let Some(section) = self.pmt.push(start, payload) {
                self.program(&section);
            }
            return;
        }
        let Some(i) = self.lines.iter().position(|l| l.pid == pid) else { return };
        let line = &mut self.lines[i];
        let expected = line.counter.map(|c| (c + 1) & 15);
        if line.counter == Some(counter) && !start {
            return; // Sent twice, which is allowed (§2.4.3.3).
        }
        let lost = expected.is_some_and(|e| e != counter);
        line.counter = Some(counter);
        if lost && !start {
            line.collecting = false;
            line.pes.clear();
            return;
        }
        if start {
            if lost {
                line.pes.clear();
            }
            self.finish_pes(i);
            self.lines[i].collecting = true;
        }
        let line = &mut self.lines[i];
        if line.collecting {
            if line.pes.len() + payload.len() > MAX_PES {
                line.collecting = false;
                line.pes = Vec::new();
                return;
            }
            line.pes.extend_from_slice(payload);
            // A packet that says its length is complete before the next one begins.
            let declared = line.pes.get(4..6).map_or(0, |b| usize::from(u16::from_be_bytes([b[0], b[1]])));
            if declared > 0 && line.pes.len() >= declared + 6 {
                line.pes.truncate(declared + 6);
                self.finish_pes(i);
                self.lines[i].collecting = false;
            }
        }
    }

    /// Takes over the list of streams, until the tracks are settled.
    fn program(&mut self, section: &[u8]) {
        if self.settled {
            return;
        }
        for (kind, pid) in psi::streams(section).into_iter().take(32) {
            let Some(kind) = Kind::of(kind) else { continue };
            if !self.lines.iter().any(|l| l.pid == pid) {
                let es = Elementary::new(kind);
                self.lines.push(Line { pid, counter: None, pes: Vec::new(), collecting: false, es, rank: None });
            }
        }
    }

    fn finish_pes(&mut self, i: usize) {
        let line = &mut self.lines[i];
        let pes = std::mem::take(&mut line.pes);
        let Some(PesContents::Parsed(Some(contents))) = PesHeader::from_bytes(&pes).map(|h| h.contents()) else {
            return;
        };
        let (pts, dts) = match contents.pts_dts() {
            Ok(PtsDts::PtsOnly(Ok(pts))) => (Some(pts.value()), None),
            Ok(PtsDts::Both { pts: Ok(pts), dts }) => (Some(pts.value()), dts.ok().map(|d| d.value())),
            _ => (None, None),
        };
        let payload = contents.payload();
        let mut unwrap = |value: u64| {
            let at = match self.newest {
                Some(newest) => newest + wrapped_distance(value, newest),
                None => value as i64,
            };
            self.newest = Some(at);
            let origin = *self.origin.get_or_insert(at);
            at - origin
        };
        let dts = dts.map(&mut unwrap);
        let pts = pts.map(&mut unwrap);
        let rank = line.rank.unwrap_or(0);
        for unit in line.es.take(payload, pts, dts.or(pts)) {
            self.queue.push_back(Sample { track: rank, ..unit });
        }
    }
}

/// The shortest way from `from` to a 33-bit time.
fn wrapped_distance(value: u64, from: i64) -> i64 {
    const WRAP: i64 = 1 << 33;
    let forward = (value as i64 - from).rem_euclid(WRAP);
    if forward > WRAP / 2 { forward - WRAP } else { forward }
}

impl<R: Read + Seek + Send> Demuxer for TransportStream<R> {
    fn tracks(&self) -> &[DemuxTrack] {
        &self.tracks
    }

    fn next_sample(&mut self) -> Result<Option<Sample>, DemuxError> {
        loop {
            if let Some(sample) = self.queue.pop_front() {
                return Ok(Some(sample));
            }
            if !self.step()? && self.queue.is_empty() {
                return Ok(None);
            }
        }
    }

    fn rewind(&mut self) -> Result<(), DemuxError> {
        self.restart()?;
        self.queue.clear();
        self.newest = None;
        self.origin = None;
        for line in &mut self.lines {
            line.counter = None;
            line.collecting = false;
            line.pes.clear();
            line.es.restart();
        }
        Ok(())
    }

    fn duration(&self) -> Option<Duration> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_wrap_both_ways() {
        let wrap = 1i64 << 33;
        assert_eq!(wrapped_distance(10, wrap - 5), 15);
        assert_eq!(wrapped_distance((wrap - 5) as u64, 3 * wrap + 10), -15);
        assert_eq!(wrapped_distance(100, 40), 60);
    }

    #[test]
    fn packets_are_recognised_from_anywhere() {
        let mut ts = vec![0u8; 188 * 5];
        for i in 0..5 {
            ts[i * 188] = 0x47;
        }
        assert_eq!(sniff(&ts), Some(Format { size: 188, first: 0 }));
        assert_eq!(sniff(&ts[100..]), Some(Format { size: 188, first: 88 }));
        assert_eq!(sniff(&[0; 1024]), None);
        assert_eq!(sniff(&[0x47]), None);
    }
}
