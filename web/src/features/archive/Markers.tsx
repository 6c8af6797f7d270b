// The markers of a recording as a list: jump to one, set one, take one away.
import { Film, FlagTriangleRight, Trash2, X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'wouter';
import { courtActions } from '../../api/courts';
import { tell } from '../../api/errors';
import type { Marker, Video } from '../../api/model';
import { keys, useAction } from '../../api/queries';
import { useI18n } from '../../i18n';
import { Button, IconButton } from '../../ui';
import { useToast } from '../../ui/toast';
import type { PlacedMarker } from './playback';

interface Props {
  video: Video;
  markers: PlacedMarker[];
  at: number;
  /** Where one is about to be set. */
  marking: number | null;
  onMarking: (at: number | null) => void;
  here: () => number;
  onSeek: (seconds: number) => void;
  onHide: (id: number, hide: boolean) => void;
}

const LONGEST_LABEL = 80;

export function Markers({ video, markers, at, marking, onMarking, here, onSeek, onHide }: Props) {
  const { t, format } = useI18n();
  const current = markers.findLast((marker) => marker.offset_seconds <= at + 0.05)?.id;
  const remove = useRemoval(video, onHide);
  return (
    <section className="markers" aria-label={t('marker.title')}>
      <header className="markers-head">
        <h2>{t('marker.title')}</h2>
        {marking === null && (
          <Button small tone="quiet" onClick={() => onMarking(here())}>
            <FlagTriangleRight size={16} aria-hidden />
            {t('marker.add')}
          </Button>
        )}
      </header>
      {marking !== null && <NewMarker video={video} at={marking} onClose={() => onMarking(null)} />}
      {markers.length === 0 && marking === null && <p className="small muted">{t('marker.empty')}</p>}
      {markers.length > 0 && (
        <ol className="card">
          {markers.map((marker, index) => {
            const label = marker.label || t('marker.unnamed', { number: format.number(index + 1) });
            return (
              <li key={marker.id} className="marker" aria-current={marker.id === current ? 'true' : undefined}>
                <button type="button" className="marker-jump" onClick={() => onSeek(marker.offset_seconds)}>
                  <span className="marker-time">{format.clock(marker.offset_seconds)}</span>
                  <span className="marker-label">{label}</span>
                </button>
                {marker.clip_recording_id && (
                  <Link
                    className="btn btn-quiet btn-icon btn-small"
                    href={`/record/videos/${marker.clip_recording_id}`}
                    aria-label={t('marker.clip_of', { label })}
                    title={t('marker.clip')}
                  >
                    <Film size={16} aria-hidden />
                  </Link>
                )}
                <IconButton small label={t('marker.delete_of', { label })} onClick={() => remove(marker)}>
                  <Trash2 size={16} aria-hidden />
                </IconButton>
              </li>
            );
          })}
        </ol>
      )}
    </section>
  );
}

function NewMarker({ video, at, onClose }: { video: Video; at: number; onClose: () => void }) {
  const i18n = useI18n();
  const { t, format } = i18n;
  const [label, setLabel] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const add = useAction(courtActions.mark, [keys.markers(video.session_id), keys.videos], { done: onClose });
  useEffect(() => input.current?.focus(), []);
  return (
    <form
      className="marker-new"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate({
          session: video.session_id,
          recording: video.recording_id,
          offset: Math.round(at * 1000) / 1000,
          label: label.trim() || undefined,
          clip: false,
        });
      }}
    >
      <span className="marker-time">{format.clock(at)}</span>
      <input
        ref={input}
        className="input"
        aria-label={t('marker.label')}
        placeholder={t('marker.label_example')}
        maxLength={LONGEST_LABEL}
        value={label}
        onChange={(event) => setLabel(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape') onClose();
        }}
      />
      <Button small type="submit" tone="primary" busy={add.isPending}>
        {t('marker.set')}
      </Button>
      <IconButton small label={t('action.cancel')} onClick={onClose}>
        <X size={16} aria-hidden />
      </IconButton>
      {add.error && (
        <p className="field-error" role="alert">
          {tell(i18n, add.error).title}
        </p>
      )}
    </form>
  );
}

/** As long as the message with its way back is on the screen. */
const UNDO_MS = 5000;

/** Takes a marker out of sight at once, and away for good when nobody wants it back. */
function useRemoval(video: Video, onHide: (id: number, hide: boolean) => void) {
  const i18n = useI18n();
  const toast = useToast();
  const waiting = useRef(new Map<Marker, ReturnType<typeof setTimeout>>());
  const remove = useAction(courtActions.unmark, [keys.markers(video.session_id), keys.videos], {
    failed: (error) => toast({ tone: 'bad', text: tell(i18n, error).title }),
  });
  const { mutate } = remove;
  useEffect(() => {
    const open = waiting.current;
    return () => {
      // Who leaves the page wants it gone.
      for (const [marker, timer] of open) {
        clearTimeout(timer);
        mutate(marker);
      }
      open.clear();
    };
  }, [mutate]);
  return (marker: Marker) => {
    onHide(marker.id, true);
    const timer = setTimeout(() => {
      waiting.current.delete(marker);
      mutate(marker, { onError: () => onHide(marker.id, false) });
    }, UNDO_MS);
    waiting.current.set(marker, timer);
    toast({
      text: i18n.t('marker.deleted'),
      lasts: UNDO_MS,
      action: {
        label: i18n.t('action.undo'),
        run: () => {
          clearTimeout(timer);
          waiting.current.delete(marker);
          onHide(marker.id, false);
        },
      },
    });
  };
}
