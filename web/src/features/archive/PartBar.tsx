// "From here to here": chooses a part of a recording and downloads it.
import { Download, X } from 'lucide-react';
import { useI18n } from '../../i18n';
import { Button, IconButton } from '../../ui';
import type { Part } from './playback';

interface Props {
  part: Part;
  chosen: { from: number; to: number } | null;
  href: string | null;
  onFrom: () => void;
  onTo: () => void;
  onClear: () => void;
}

export function PartBar({ part, chosen, href, onFrom, onTo, onClear }: Props) {
  const { t, format } = useI18n();
  const none = part.from === null && part.to === null;
  return (
    <fieldset className="part" aria-label={t('part.title')}>
      <Button small onClick={onFrom} aria-keyshortcuts="i">
        {part.from === null ? t('part.from') : t('part.from_at', { time: format.clock(part.from) })}
      </Button>
      <Button small onClick={onTo} aria-keyshortcuts="o">
        {part.to === null ? t('part.to') : t('part.to_at', { time: format.clock(part.to) })}
      </Button>
      {chosen && href ? (
        <a className="btn btn-small btn-primary" href={href} download>
          <Download size={16} aria-hidden />
          {t('part.download', { length: format.length(Math.max(1, chosen.to - chosen.from)) })}
        </a>
      ) : (
        <span className="small muted part-hint">{t(none ? 'part.hint' : 'part.short')}</span>
      )}
      {!none && (
        <IconButton small label={t('part.clear')} onClick={onClear}>
          <X size={16} aria-hidden />
        </IconButton>
      )}
    </fieldset>
  );
}
