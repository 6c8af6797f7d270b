// One recording: its player, its markers, what is known of it, and what can be done with it.
import { ArrowLeft, Download, Film, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { Link, useLocation } from 'wouter';
import type { Video } from '../../api/model';
import { useMay } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { Button, Empty } from '../../ui';
import { codecName } from '../cameras/facts';
import { DeleteVideo } from './DeleteVideo';
import { Player } from './Player';
import { Badges } from './parts';
import { fileUrl } from './playback';

interface Props {
  video: Video;
  /** The list it came from. */
  home: { href: string; label: string };
}

export function Chosen({ video, home }: Props) {
  const { t, format } = useI18n();
  const [, navigate] = useLocation();
  const mayDelete = useMay('videos.delete');
  const [asking, setAsking] = useState(false);
  const where = video.terrain_name || video.camera_name;
  return (
    <>
      <Link className="archive-back" href={home.href}>
        <ArrowLeft size={18} aria-hidden />
        {home.label}
      </Link>
      {video.state === 'sealed' ? (
        <Player video={video} />
      ) : (
        <div className="archive-nothing">
          <Empty
            icon={<Film size={24} />}
            title={t(video.state === 'open' ? 'archive.still_open' : 'archive.nothing')}
            actions={
              video.state === 'open' && video.terrain_id ? (
                <Link className="btn" href={`/record?court=${video.terrain_id}`}>
                  {t('archive.still_open.action')}
                </Link>
              ) : undefined
            }
          >
            {t(video.state === 'open' ? 'archive.still_open.hint' : 'archive.nothing.hint')}
          </Empty>
        </div>
      )}
      <div className="chosen-head">
        <div>
          <h2>{where}</h2>
          <p className="small muted">
            {[format.dateTime(video.created_at), video.username].filter(Boolean).join(' · ')}
          </p>
        </div>
        {video.state === 'sealed' && (
          <a className="btn btn-primary" href={fileUrl(video, false)} download={video.filename}>
            <Download size={18} aria-hidden />
            {t('action.download')}
          </a>
        )}
        {mayDelete && video.state !== 'open' && (
          <Button className="btn-text-danger" disabled={video.locked} onClick={() => setAsking(true)}>
            <Trash2 size={18} aria-hidden />
            {t('action.delete')}
          </Button>
        )}
      </div>
      <div className="video-badges">
        <Badges video={video} />
      </div>
      <dl className="chosen-facts">
        <Fact name="fact.length" value={format.length(video.duration_seconds)} />
        <Fact name="fact.size" value={format.bytes(video.size_bytes)} />
        <Fact name="fact.picture" value={video.width ? `${video.width} × ${video.height}` : null} />
        <Fact
          name="fact.codec"
          value={[video.codec, video.audio_codec].flatMap((codec) => (codec ? [codecName(codec)] : [])).join(' + ')}
        />
      </dl>
      {asking && <DeleteVideo video={video} onClose={() => setAsking(false)} onDeleted={() => navigate(home.href)} />}
    </>
  );
}

function Fact({ name, value }: { name: Key; value: string | null }) {
  const { t } = useI18n();
  return (
    <div>
      <dt>{t(name)}</dt>
      <dd>{value || '–'}</dd>
    </div>
  );
}
