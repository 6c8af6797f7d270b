import { useEffect } from 'react';
import type { Camera } from '../../api/model';
import { useRecordingOf } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Dialog } from '../../ui';
import { RecordPanel } from './RecordPanel';
import { chosenMinutes, useStart, useStop } from './useRecord';

export function RecordDialog({ camera, onClose }: { camera: Camera; onClose: () => void }) {
  const { t } = useI18n();
  const session = useRecordingOf(camera.id);
  const start = useStart(camera);
  const stop = useStop(camera, onClose);
  // R starts and stops here too; keys do not leave a dialog, so it listens by itself.
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = (event.target as HTMLElement | null)?.closest('input');
      if (typing || event.key.toLowerCase() !== 'r' || event.ctrlKey || event.metaKey || event.altKey) return;
      if (start.busy || stop.busy) return;
      if (session) stop.run(session.session_id);
      else start.run(chosenMinutes.get());
    };
    window.addEventListener('keydown', onKey, { capture: true });
    return () => window.removeEventListener('keydown', onKey, { capture: true });
  }, [session, start, stop]);
  return (
    <Dialog
      narrow
      title={t(session ? 'record.running_title' : 'record.title', { camera: camera.name })}
      onClose={onClose}
    >
      <RecordPanel camera={camera} onStopped={onClose} />
    </Dialog>
  );
}
