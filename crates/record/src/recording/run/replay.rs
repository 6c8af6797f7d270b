//! What a running recording does for clips: it says where its newest media is, and goes on.

use vigie_media::mp4::session::Op;

use super::Task;
use crate::clip::Snapshot;

impl Task {
    /// Answers those who asked since the last look. Nobody is waited for; what they want to read is on its way to the
    /// disk like everything else.
    pub(super) async fn answer(&mut self) {
        // Between two files they wait for the next one.
        let (Some(live), true) = (&self.live, self.open.is_some()) else { return };
        let (asked, flush) = live.lock().asks.take();
        if asked.is_empty() {
            return;
        }
        let mode = self.intake.mode();
        let zero = self.open.as_ref().map(|o| o.file.start_ns()).unwrap_or_default();
        let zero = self.wall_of(self.instant_of(zero));
        let Some(o) = &mut self.open else { return };
        let mut ops: Vec<Op> = if flush { o.file.flush() } else { Vec::new() };
        let fragments = o.file.recent();
        for answer in asked {
            let written = self.shared.writer.queue_told(&o.sink, std::mem::take(&mut ops)).await;
            let (file, fragments) = (o.sink.file().clone(), fragments.clone());
            // Whoever asked may have gone away.
            let _ = answer.send(Snapshot { id: o.id, file, fragments, zero, mode, written });
        }
    }
}
