// Who did what, when, from where. For administrators of everything.
import { Download, ScrollText } from 'lucide-react';
import { useState } from 'react';
import { useAccounts, useAudit, useClubs } from '../../api/admin';
import { useTerrains } from '../../api/courts';
import type { AuditEntry } from '../../api/model';
import { useCameras } from '../../api/queries';
import { type I18n, useI18n } from '../../i18n';
import { toCsv } from '../../lib/csv';
import { dayKey } from '../../lib/format';
import { saveText } from '../../lib/save';
import { Button, Empty, Select, Skeleton } from '../../ui';
import { LoadFailed } from '../../ui/LoadFailed';
import { ACTION_NAMES, actorsOf, splitTarget, TARGET_NAMES } from './words';
import './audit.css';

export default function Audit() {
  const i18n = useI18n();
  const { t, n } = i18n;
  const [actor, setActor] = useState('');
  const [action, setAction] = useState('');
  const audit = useAudit({ actor, action });
  const people = useAccounts().data?.map((account) => account.username) ?? [];
  const target = useTargetWords();
  const entries = audit.data?.pages.flat() ?? [];
  const filtered = actor !== '' || action !== '';
  const save = () => saveText(`vigie-audit-${dayKey(new Date())}.csv`, 'text/csv;charset=utf-8', csv(i18n, entries));
  return (
    <section className="card settings-card">
      <header className="settings-head">
        <div>
          <h2>{t('settings.audit')}</h2>
          <p className="small muted">{t('audit.text')}</p>
        </div>
        <Button disabled={entries.length === 0} onClick={save}>
          <Download size={18} aria-hidden />
          {t('audit.export')}
        </Button>
      </header>
      <div className="settings-tools">
        <Select
          label={t('audit.person')}
          value={actor}
          onChange={setActor}
          options={[
            { value: '', label: t('audit.everybody') },
            ...actorsOf(entries, actor === '' ? people : [...people, actor]).map((value) => ({ value, label: value })),
          ]}
        />
        <Select
          label={t('audit.action')}
          value={action}
          onChange={setAction}
          options={[
            { value: '', label: t('audit.everything') },
            ...Object.entries(ACTION_NAMES).map(([value, key]) => ({ value, label: t(key) })),
          ]}
        />
      </div>
      {audit.isPending && <Skeleton height={280} />}
      {audit.isError && !audit.data && <LoadFailed error={audit.error} retry={audit.refetch} />}
      {audit.data && entries.length === 0 && (
        <Empty
          icon={<ScrollText size={24} />}
          title={t(filtered ? 'audit.none_found' : 'audit.empty')}
          actions={
            filtered && (
              <Button
                onClick={() => {
                  setActor('');
                  setAction('');
                }}
              >
                {t('audit.show_all')}
              </Button>
            )
          }
        />
      )}
      {entries.length > 0 && (
        <>
          <table className="audit">
            <thead>
              <tr>
                <th scope="col">{t('audit.when')}</th>
                <th scope="col">{t('audit.person')}</th>
                <th scope="col">{t('audit.action')}</th>
                <th scope="col">{t('audit.target')}</th>
                <th scope="col">{t('audit.address')}</th>
              </tr>
            </thead>
            <tbody>
              {entries.map((entry) => (
                <Row key={entry.id} entry={entry} target={target(entry.target)} />
              ))}
            </tbody>
          </table>
          <footer className="audit-foot">
            <span className="small muted">{n('audit.count', entries.length)}</span>
            {audit.hasNextPage && (
              <Button busy={audit.isFetchingNextPage} onClick={() => void audit.fetchNextPage()}>
                {t('audit.more')}
              </Button>
            )}
          </footer>
        </>
      )}
    </section>
  );
}

function Row({ entry, target }: { entry: AuditEntry; target: string }) {
  const { t, format } = useI18n();
  const words = ACTION_NAMES[entry.action];
  return (
    <tr className={entry.action === 'login.refused' ? 'audit-refused' : undefined}>
      <td className="audit-when">
        <time dateTime={entry.at}>{format.dateTime(entry.at)}</time>
      </td>
      <td className="audit-who">{entry.actor}</td>
      <td className="audit-what" title={entry.action}>
        {words ? t(words) : entry.action}
      </td>
      <td className="audit-target">{target}</td>
      <td className="audit-address">{entry.address}</td>
    </tr>
  );
}

/** `camera/3` by the name it has now, else by its number. */
function useTargetWords(): (target: string) => string {
  const { t } = useI18n();
  const cameras = useCameras().data;
  const accounts = useAccounts().data;
  const clubs = useClubs().data;
  const terrains = useTerrains().data;
  const nameOf = (kind: string, id: number) => {
    switch (kind) {
      case 'camera':
        return cameras?.find((camera) => camera.id === id)?.name;
      case 'user':
        return accounts?.find((account) => account.id === id)?.username;
      case 'club':
        return clubs?.find((club) => club.id === id)?.name;
      case 'terrain':
        return terrains?.find((terrain) => terrain.id === id)?.name;
      default:
        return undefined;
    }
  };
  return (target) => {
    const [kind, id] = splitTarget(target);
    const words = TARGET_NAMES[kind];
    if (!words) return target;
    if (id === '') return '';
    return nameOf(kind, Number(id)) ?? `${t(words)} ${id}`;
  };
}

/** What is on the screen, with the stable words that programs look for. */
function csv({ t }: I18n, entries: AuditEntry[]): string {
  const head = [t('audit.when'), t('audit.person'), t('audit.action'), t('audit.target'), t('audit.address')];
  const rows = entries.map(({ at, actor, action, target, address }) => [at, actor, action, target, address ?? '']);
  return toCsv([head, ...rows]);
}
