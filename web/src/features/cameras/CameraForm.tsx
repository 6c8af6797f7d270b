// The fields of a camera, with a test that says what was found or what is wrong.
import { useMutation } from '@tanstack/react-query';
import { ChevronRight, MonitorPlay, PlugZap } from 'lucide-react';
import { useState } from 'react';
import { ApiError } from '../../api/client';
import { tell, tellField } from '../../api/errors';
import type { Camera, CameraInput } from '../../api/model';
import { actions } from '../../api/queries';
import { useMay } from '../../app/permissions';
import { type Key, useI18n } from '../../i18n';
import { Button, Dialog, Field, Notice, PasswordField, Select } from '../../ui';
import { PlaceFields, usePlace } from './place';
import { splitCredentials, type UrlProblem, urlProblem } from './source';
import { TestOutcome } from './TestOutcome';
import './camera-form.css';

const TRANSPORTS = ['auto', 'tcp', 'udp'] as const;
type Transport = (typeof TRANSPORTS)[number];
const TRANSPORT_LABELS: Record<Transport, Key> = {
  auto: 'form.transport.auto',
  tcp: 'form.transport.tcp',
  udp: 'form.transport.udp',
};
const URL_PROBLEMS: Record<UrlProblem, Key> = {
  empty: 'form.url.empty',
  scheme: 'form.url.scheme',
  host: 'form.url.host',
};
const TEST_CARD = 'testcard:';

interface Props {
  camera?: Camera;
  title: string;
  action: string;
  save: (input: CameraInput) => Promise<Camera>;
  onSaved: (camera: Camera) => void;
  onClose: () => void;
}

export function CameraForm({ camera, title, action, save, onSaved, onClose }: Props) {
  const i18n = useI18n();
  const { t } = i18n;
  const local = useMay('cameras.local');
  const place = usePlace(camera);
  const [name, setName] = useState(camera?.name ?? '');
  const [url, setUrl] = useState(camera?.primary_stream_url ?? '');
  const [subUrl, setSubUrl] = useState(camera?.secondary_stream_url ?? '');
  const [username, setUsername] = useState(camera?.username ?? '');
  const [password, setPassword] = useState('');
  const [transport, setTransport] = useState<Transport>(
    TRANSPORTS.find((known) => known === camera?.connection_config?.transport) ?? 'auto',
  );
  const [alwaysOn, setAlwaysOn] = useState(camera?.always_on ?? false);
  const [problem, setProblem] = useState<UrlProblem | null>(null);

  // What did not change is not sent: stored addresses come back masked, and a masked one must never be saved.
  const input = (): CameraInput => {
    const changed = <T,>(value: T, before: T | null | undefined) =>
      camera && value === (before ?? '') ? undefined : value;
    return {
      name: changed(name.trim(), camera?.name) || undefined,
      url: changed(url.trim(), camera?.primary_stream_url),
      sub_url: changed(subUrl.trim(), camera?.secondary_stream_url) || (camera?.secondary_stream_url ? '' : undefined),
      username: changed(username.trim(), camera?.username) || (camera?.username ? '' : undefined),
      password: password || undefined,
      transport: changed(transport, camera?.connection_config?.transport ?? 'auto'),
      always_on: camera ? alwaysOn : alwaysOn || undefined,
      club_id: place.clubId,
    };
  };
  const valid = () => {
    const found = urlProblem(url, local);
    setProblem(found);
    return found === null;
  };

  const test = useMutation({
    mutationFn: () => {
      const untouched =
        camera && url === camera.primary_stream_url && !password && username === (camera.username ?? '');
      return untouched ? actions.testCamera(camera.id) : actions.testSource({ ...input(), url: url.trim() });
    },
  });
  const saving = useMutation({
    mutationFn: async () => {
      const saved = await save(withName(input()));
      // The camera is saved either way: what went wrong with the court is told, and put right in the settings.
      await place.take(saved.id);
      return saved;
    },
    onSuccess: onSaved,
  });
  const withName = (body: CameraInput): CameraInput =>
    camera || body.name ? body : { ...body, name: url.startsWith(TEST_CARD) ? t('form.testcard.name') : hostOf(url) };
  const urlError = tellField(saving.error, 'primary_stream_url') ?? tellField(saving.error, 'url');
  const passwordError = tellField(saving.error, 'password');
  const saveError = saving.error && !urlError && !passwordError ? tell(i18n, saving.error) : null;
  const fields = saving.error instanceof ApiError ? fieldErrors(saving.error) : [];

  const paste = (text: string) => {
    const found = splitCredentials(text);
    setUrl(found.url);
    if (found.username) setUsername(found.username);
    if (found.password) setPassword(found.password);
    setProblem(null);
    test.reset();
  };

  return (
    <Dialog
      title={title}
      onClose={onClose}
      onSubmit={() => valid() && saving.mutate()}
      foot={
        <>
          <Button style={{ marginRight: 'auto' }} busy={test.isPending} onClick={() => valid() && test.mutate()}>
            <PlugZap size={18} aria-hidden />
            {t('form.test')}
          </Button>
          <Button tone="primary" type="submit" busy={saving.isPending}>
            {action}
          </Button>
        </>
      }
    >
      {camera?.declared && (
        <Notice tone="plain" title={t('error.declared')}>
          {t('error.declared.hint')}
        </Notice>
      )}
      {saveError && <Notice title={saveError.title}>{fields[0] ?? saveError.hint}</Notice>}
      <Field
        label={t('form.url')}
        hint={t('form.url.hint')}
        error={problem ? t(URL_PROBLEMS[problem]) : urlError}
        placeholder="rtsp://192.168.1.64:554/stream1"
        inputMode="url"
        autoCapitalize="none"
        autoComplete="off"
        spellCheck={false}
        autoFocus={!camera}
        value={url}
        onChange={(event) => paste(event.target.value)}
      />
      {!camera && local && url === '' && (
        <button type="button" className="form-testcard" onClick={() => paste(TEST_CARD)}>
          <MonitorPlay size={18} aria-hidden />
          <span>
            {t('form.testcard')}
            <small>{t('form.testcard.hint')}</small>
          </span>
        </button>
      )}
      <div className="form-pair">
        <Field
          label={t('form.username')}
          autoCapitalize="none"
          autoComplete="off"
          spellCheck={false}
          value={username}
          onChange={(event) => setUsername(event.target.value)}
        />
        <PasswordField
          label={t('form.password')}
          error={passwordError}
          autoComplete="new-password"
          placeholder={camera?.has_password ? t('form.password.kept') : undefined}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
      </div>
      <Field
        label={t('form.name')}
        placeholder={t('form.name.example')}
        maxLength={80}
        autoComplete="off"
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <PlaceFields place={place} />
      <details className="form-more">
        <summary>
          <ChevronRight size={16} aria-hidden />
          {t('form.more')}
        </summary>
        <div className="form-more-fields">
          <Field
            label={t('form.sub_url')}
            hint={t('form.sub_url.hint')}
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            value={subUrl}
            onChange={(event) => setSubUrl(splitCredentials(event.target.value).url)}
          />
          <Select
            label={t('form.transport')}
            value={transport}
            onChange={setTransport}
            options={TRANSPORTS.map((value) => ({ value, label: t(TRANSPORT_LABELS[value]) }))}
          />
          <label className="check">
            <input type="checkbox" checked={alwaysOn} onChange={(event) => setAlwaysOn(event.target.checked)} />
            <span>
              {t('form.always_on')}
              <small className="field-hint" style={{ display: 'block' }}>
                {t('form.always_on.hint')}
              </small>
            </span>
          </label>
        </div>
      </details>
      <TestOutcome pending={test.isPending} result={test.data} error={test.error} />
    </Dialog>
  );
}

function hostOf(url: string): string {
  return /^[a-z][a-z0-9+.-]*:\/\/([^/?#:]+)/i.exec(url)?.[1] ?? url;
}

/** The sentences about single fields; `details` holds them by field. */
function fieldErrors(error: ApiError): string[] {
  return Object.values(error.details).flatMap((entry) =>
    entry && typeof entry === 'object' && 'error' in entry && typeof entry.error === 'string' ? [entry.error] : [],
  );
}
