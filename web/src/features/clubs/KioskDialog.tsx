// The tablet beside a court: a link that signs it in for this court and nothing else, until a chosen day.
import { useState } from 'react';
import { adminActions, adminKeys, usePasses } from '../../api/admin';
import { tell } from '../../api/errors';
import type { KioskPass, NewKioskPass, Terrain } from '../../api/model';
import { useAction } from '../../api/queries';
import { type Key, useI18n } from '../../i18n';
import { useNow } from '../../lib/hooks';
import { Button, Confirm, CopyField, Dialog, Field, Notice, Segmented, Skeleton } from '../../ui';
import { useToast } from '../../ui/toast';
import { isThisMachine, picture } from './kiosk';
import './kiosk-dialog.css';

const LENGTHS: { hours: number; label: Key }[] = [
  { hours: 12, label: 'tablet.hours_12' },
  { hours: 7 * 24, label: 'tablet.days_7' },
  { hours: 30 * 24, label: 'tablet.days_30' },
  { hours: 365 * 24, label: 'tablet.year' },
];

export function KioskDialog({ court, onClose }: { court: Terrain; onClose: () => void }) {
  const i18n = useI18n();
  const { t } = i18n;
  const [hours, setHours] = useState(LENGTHS[0]?.hours ?? 12);
  const [name, setName] = useState('');
  const [made, setMade] = useState<NewKioskPass | null>(null);
  const make = useAction(
    () => adminActions.createPass(court.id, { hours, name: name.trim() || undefined }),
    [adminKeys.passes(court.id)],
    { done: setMade },
  );
  const told = make.error && tell(i18n, make.error);
  return (
    <Dialog title={t('tablet.title', { court: court.name })} onClose={onClose}>
      {made ? (
        <Made made={made} onAnother={() => setMade(null)} />
      ) : (
        <form
          className="kiosk-make"
          onSubmit={(event) => {
            event.preventDefault();
            make.mutate(undefined);
          }}
        >
          <p className="muted">{t('tablet.text')}</p>
          {told && <Notice title={told.title}>{told.hint}</Notice>}
          <div className="field">
            <span className="field-label">{t('tablet.length')}</span>
            <Segmented
              label={t('tablet.length')}
              value={hours}
              onChange={setHours}
              options={LENGTHS.map(({ hours: value, label }) => ({ value, label: t(label) }))}
            />
          </div>
          <Field
            label={t('tablet.name')}
            placeholder={t('tablet.name_example')}
            autoComplete="off"
            maxLength={80}
            value={name}
            onChange={(event) => setName(event.target.value)}
          />
          <div>
            <Button tone="primary" type="submit" busy={make.isPending}>
              {t('tablet.make')}
            </Button>
          </div>
        </form>
      )}
      <Passes court={court} fresh={made?.pass.id} onRevoked={(id) => id === made?.pass.id && setMade(null)} />
    </Dialog>
  );
}

function Made({ made, onAnother }: { made: NewKioskPass; onAnother: () => void }) {
  const { t, format } = useI18n();
  return (
    <div className="kiosk-made">
      <img className="kiosk-qr" src={picture(made.qr_svg)} alt={t('tablet.qr')} />
      <div className="kiosk-words">
        <p>{t('tablet.scan')}</p>
        <p className="small muted sentence">{t('tablet.until', { date: format.moment(made.pass.expires_at) })}</p>
        <CopyField label={t('tablet.link')} value={made.url} hint={t('tablet.once')} />
        <div>
          <Button onClick={onAnother}>{t('tablet.another')}</Button>
        </div>
      </div>
      {isThisMachine(made.url) && (
        <Notice tone="warn" title={t('tablet.local')}>
          {t('tablet.local.hint')}
        </Notice>
      )}
    </div>
  );
}

interface PassesProps {
  court: Terrain;
  fresh: number | undefined;
  onRevoked: (id: number) => void;
}

function Passes({ court, fresh, onRevoked }: PassesProps) {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const passes = usePasses(court.id);
  const [revoking, setRevoking] = useState<KioskPass | null>(null);
  const revoke = useAction(
    (pass: KioskPass) => adminActions.revokePass(court.id, pass.id),
    [adminKeys.passes(court.id)],
    {
      done: (_, pass) => {
        setRevoking(null);
        onRevoked(pass.id);
        toast({ tone: 'good', text: t('tablet.revoked') });
      },
    },
  );
  const told = revoke.error && tell(i18n, revoke.error);
  return (
    <section className="kiosk-passes">
      <h3>{t('tablet.passes')}</h3>
      {passes.isPending && <Skeleton height={56} />}
      {passes.isError && !passes.data && (
        <Notice title={tell(i18n, passes.error).title}>
          <Button small onClick={() => void passes.refetch()}>
            {t('action.retry')}
          </Button>
        </Notice>
      )}
      {passes.data?.length === 0 && <p className="small muted">{t('tablet.none')}</p>}
      <ul>
        {passes.data?.map((pass) => (
          <Pass key={pass.id} pass={pass} fresh={pass.id === fresh} onRevoke={() => setRevoking(pass)} />
        ))}
      </ul>
      {revoking && (
        <Confirm
          title={t('tablet.revoke_title', { name: revoking.name })}
          action={t('tablet.revoke')}
          busy={revoke.isPending}
          onConfirm={() => revoke.mutate(revoking)}
          onClose={() => setRevoking(null)}
        >
          {told && <Notice title={told.title}>{told.hint}</Notice>}
          <p>{t('tablet.revoke_text')}</p>
        </Confirm>
      )}
    </section>
  );
}

function Pass({ pass, fresh, onRevoke }: { pass: KioskPass; fresh: boolean; onRevoke: () => void }) {
  const { t, format } = useI18n();
  const now = useNow(15_000);
  const ended = new Date(pass.expires_at) <= now;
  return (
    <li>
      <div>
        <span className="token-name">
          {pass.name}
          {fresh && <span className="badge">{t('tablet.new')}</span>}
          {ended && <span className="badge badge-amber">{t('tokens.ended')}</span>}
        </span>
        <p className="small muted sentence">
          {[
            !ended && t('tablet.until', { date: format.moment(pass.expires_at) }),
            pass.last_used_at
              ? t('tokens.used', { ago: format.relative(pass.last_used_at, now) })
              : t('tokens.never_used'),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      <Button small aria-label={t('tablet.revoke_of', { name: pass.name })} onClick={onRevoke}>
        {t('tablet.revoke')}
      </Button>
    </li>
  );
}
