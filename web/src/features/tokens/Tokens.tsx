// Tokens for programs: what they may do, until when, and when they were last used.
import { KeyRound, Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { useClubs } from '../../api/admin';
import { tell } from '../../api/errors';
import type { ApiToken } from '../../api/model';
import { actions, keys, useAction, useTokens } from '../../api/queries';
import { useMay } from '../../app/permissions';
import { useI18n } from '../../i18n';
import { useNow } from '../../lib/hooks';
import { Button, Confirm, Empty, IconButton, Skeleton } from '../../ui';
import { LoadFailed } from '../../ui/LoadFailed';
import { useToast } from '../../ui/toast';
import { ROLE_NAMES } from '../users/roles';
import { NewToken } from './NewToken';
import './tokens.css';

export default function Tokens() {
  const i18n = useI18n();
  const { t } = i18n;
  const toast = useToast();
  const tokens = useTokens();
  const [creating, setCreating] = useState(false);
  const [dropping, setDropping] = useState<ApiToken | null>(null);
  const drop = useAction((id: number) => actions.deleteToken(id), [keys.tokens], {
    done: () => {
      setDropping(null);
      toast({ tone: 'good', text: t('tokens.deleted') });
    },
    failed: (error) => toast({ tone: 'bad', text: tell(i18n, error).title }),
  });
  return (
    <section className="card settings-card">
      <header className="settings-head">
        <div>
          <h2>{t('settings.tokens')}</h2>
          <p className="small muted">
            {t('tokens.text')}{' '}
            <a href="/api/docs" target="_blank" rel="noreferrer">
              {t('tokens.docs')}
            </a>
          </p>
        </div>
        <Button onClick={() => setCreating(true)}>
          <Plus size={18} aria-hidden />
          {t('tokens.create')}
        </Button>
      </header>
      {tokens.isPending && <Skeleton height={96} />}
      {tokens.isError && !tokens.data && <LoadFailed error={tokens.error} retry={tokens.refetch} />}
      {tokens.data?.length === 0 && (
        <Empty icon={<KeyRound size={24} />} title={t('tokens.empty')}>
          {t('tokens.empty.hint')}
        </Empty>
      )}
      {tokens.data && tokens.data.length > 0 && (
        <ul className="token-list">
          {tokens.data.map((token) => (
            <Row key={token.id} token={token} onDrop={() => setDropping(token)} />
          ))}
        </ul>
      )}
      {creating && <NewToken onClose={() => setCreating(false)} />}
      {dropping && (
        <Confirm
          title={t('tokens.delete_title', { name: dropping.name })}
          action={t('action.delete')}
          busy={drop.isPending}
          onClose={() => setDropping(null)}
          onConfirm={() => drop.mutate(dropping.id)}
        >
          <p>{t('tokens.delete_text')}</p>
        </Confirm>
      )}
    </section>
  );
}

function Row({ token, onDrop }: { token: ApiToken; onDrop: () => void }) {
  const { t, format } = useI18n();
  const now = useNow(30_000);
  const club = useClubs(useMay('clubs')).data?.find(({ id }) => id === token.club_id)?.name;
  const ended = token.expires_at != null && new Date(token.expires_at) <= now;
  const rights = [t(ROLE_NAMES[token.role]), club, token.read_only && t('tokens.read_only')]
    .filter(Boolean)
    .join(' · ');
  return (
    <li>
      <div>
        <span className="token-name">
          {token.name}
          {ended && <span className="badge badge-amber">{t('tokens.ended')}</span>}
        </span>
        <p className="small muted">{rights}</p>
        <p className="small muted sentence">
          {[
            t('tokens.made', { date: format.moment(token.created_at) }),
            token.expires_at && !ended && t('tokens.ends', { date: format.moment(token.expires_at) }),
            token.last_used_at
              ? t('tokens.used', { ago: format.relative(token.last_used_at, now) })
              : t('tokens.never_used'),
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      <IconButton label={t('tokens.delete_of', { name: token.name })} onClick={onDrop}>
        <Trash2 size={18} aria-hidden />
      </IconButton>
    </li>
  );
}
