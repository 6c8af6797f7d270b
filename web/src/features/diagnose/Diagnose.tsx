// How the server does, for whoever looks after it: everything that a question to support should carry, without secrets.
import { useQuery } from '@tanstack/react-query';
import { Check, Copy, Download, RefreshCw } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { get } from '../../api/client';
import type { Diagnosis } from '../../api/model';
import { useMay } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { Button, Notice, Skeleton } from '../../ui';
import { copyText } from '../../ui/clipboard';
import { LoadFailed } from '../../ui/LoadFailed';
import { useToast } from '../../ui/toast';
import { Log } from './Log';
import { Streams } from './Streams';
import './diagnose.css';

const ADDRESS = '/api/system/diagnose';

export default function Diagnose() {
  const { t, format } = useI18n();
  const wholeLog = useMay('audit');
  const diagnosis = useQuery({
    queryKey: ['diagnose'],
    queryFn: ({ signal }) => get<Diagnosis>(ADDRESS, signal),
    staleTime: 10_000,
  });
  return (
    <>
      <section className="card settings-card">
        <header className="settings-head">
          <div>
            <h2>{t('settings.diagnose')}</h2>
            <p className="small muted">
              {diagnosis.data ? t('diagnose.as_of', { time: format.dateTime(diagnosis.data.at) }) : t('diagnose.text')}
            </p>
          </div>
          <div className="diagnose-tools">
            <Button busy={diagnosis.isFetching} onClick={() => void diagnosis.refetch()}>
              <RefreshCw size={18} aria-hidden />
              {t('diagnose.refresh')}
            </Button>
            {diagnosis.data && <CopyAll diagnosis={diagnosis.data} />}
            <a className="btn" href={`${ADDRESS}?download=1`} download>
              <Download size={18} aria-hidden />
              {t('action.download')}
            </a>
          </div>
        </header>
        {diagnosis.isPending && <Skeleton height={200} />}
        {diagnosis.isError && !diagnosis.data && <LoadFailed error={diagnosis.error} retry={diagnosis.refetch} />}
        {diagnosis.data && <Facts diagnosis={diagnosis.data} />}
      </section>
      {diagnosis.data && <Streams streams={diagnosis.data.streams} />}
      {diagnosis.data && wholeLog && <Log lines={diagnosis.data.log} />}
    </>
  );
}

function Facts({ diagnosis }: { diagnosis: Diagnosis }) {
  const { t, n, format } = useI18n();
  const { ffmpeg, encoder, disk, status } = diagnosis;
  const used = disk.total > 0 ? 1 - disk.available / disk.total : 0;
  const rows: [Key, ReactNode][] = [
    ['about.version', diagnosis.version],
    ['diagnose.platform', diagnosis.platform],
    ['about.uptime', format.length(diagnosis.uptime_seconds)],
    ['diagnose.ffmpeg', ffmpeg.available ? (ffmpeg.version ?? t('diagnose.there')) : t('diagnose.missing')],
    ['diagnose.encoder', encoder.available ? encoder.name : (encoder.why ?? t('diagnose.missing'))],
    [
      'about.disk',
      <span key="disk" className="diagnose-disk">
        {t('about.disk_value', { free: format.bytes(disk.available), total: format.bytes(disk.total) })}
        <meter min={0} max={1} high={0.9} value={used} aria-label={t('diagnose.disk_used')} />
      </span>,
    ],
    ['diagnose.sessions', n('diagnose.sessions_open', diagnosis.sessions.length)],
    ['diagnose.recordings', n('diagnose.recordings_running', diagnosis.recordings.length)],
  ];
  const parts = Object.entries(diagnosis.components).filter(([, state]) => state === 'degraded' || state === 'down');
  const good = status === 'healthy';
  return (
    <>
      <Notice tone={good ? 'good' : 'warn'} title={t(good ? 'diagnose.good' : 'diagnose.attention')}>
        {parts.map(([part, state]) => (
          <p key={part}>{t(state === 'down' ? 'diagnose.down' : 'diagnose.degraded', { part: t(nameOf(part)) })}</p>
        ))}
      </Notice>
      <dl className="settings-facts">
        {rows.map(([key, value]) => (
          <div key={key}>
            <dt>{t(key)}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

const PARTS: Record<string, Key> = {
  cameras: 'diagnose.part.cameras',
  recorder: 'diagnose.part.recorder',
  rtsp: 'diagnose.part.rtsp',
  store: 'diagnose.part.store',
  web: 'diagnose.part.web',
};
const nameOf = (part: string) => PARTS[part] ?? 'diagnose.part.other';

/** Everything, as text to paste into a message. */
function CopyAll({ diagnosis }: { diagnosis: Diagnosis }) {
  const { t } = useI18n();
  const toast = useToast();
  const [done, setDone] = useState(false);
  const copy = async () => {
    if (!(await copyText(JSON.stringify(diagnosis, null, 2)))) return toast({ tone: 'bad', text: t('copy.failed') });
    setDone(true);
    setTimeout(() => setDone(false), 1600);
  };
  return (
    <Button onClick={() => void copy()}>
      {done ? <Check size={18} aria-hidden /> : <Copy size={18} aria-hidden />}
      {t(done ? 'copy.done' : 'diagnose.copy')}
    </Button>
  );
}
