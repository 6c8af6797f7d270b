// Numbers, sizes, times in the reader's language and zone. Pure: the clock is an argument.

export interface Format {
  number: (value: number, digits?: number) => string;
  /** Bytes, decimal units as disks and operators count them. */
  bytes: (value: number) => string;
  /** Bits per second. */
  bitrate: (bitsPerSecond: number) => string;
  /** Seconds as `4:05` or `1:04:05`. */
  clock: (seconds: number) => string;
  /** Seconds as words: `1 h 30 min`, `45 s`. */
  length: (seconds: number) => string;
  /** Minutes as they are: `90 min`. */
  minutes: (value: number) => string;
  /** Milliseconds as a short delay: `0.4 s`, `240 ms`. */
  delay: (milliseconds: number) => string;
  fps: (value: number) => string;
  percent: (ratio: number) => string;
  time: (date: Date | string | number) => string;
  dateTime: (date: Date | string | number) => string;
  /** The same to the minute, for plans and terms. */
  moment: (date: Date | string | number) => string;
  /** `Monday 4 March`, with the year when it is not this one. */
  day: (date: Date | string | number, now: Date) => string;
  /** `3 minutes ago`; the absolute time belongs in a tooltip. */
  relative: (date: Date | string | number, now: Date) => string;
}

const BYTE_UNITS = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
const RELATIVE_STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
];

export function clockText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** The local calendar day, `2026-03-04`: what a list is grouped by. */
export function dayKey(date: Date | string | number): string {
  const at = new Date(date);
  return `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, '0')}-${String(at.getDate()).padStart(2, '0')}`;
}

export function createFormat(language: string, timeZone?: string): Format {
  const unit = (value: number, name: string, digits: number, display: 'short' | 'narrow' = 'short') =>
    new Intl.NumberFormat(language, {
      style: 'unit',
      unit: name,
      unitDisplay: display,
      maximumFractionDigits: digits,
      minimumFractionDigits: digits,
    }).format(value);
  const scaled = (value: number, base: number): [number, number] => {
    let power = 0;
    let rest = Math.abs(value);
    while (rest >= base && power < BYTE_UNITS.length - 1) {
      rest /= base;
      power += 1;
    }
    return [value < 0 ? -rest : rest, power];
  };
  const clockTime = new Intl.DateTimeFormat(language, { hour: '2-digit', minute: '2-digit', timeZone });
  const fullTime = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium', timeZone });
  const minuteTime = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'short', timeZone });
  const dayThisYear = new Intl.DateTimeFormat(language, { weekday: 'long', day: 'numeric', month: 'long', timeZone });
  const dayOtherYear = new Intl.DateTimeFormat(language, { day: 'numeric', month: 'long', year: 'numeric', timeZone });
  const relative = new Intl.RelativeTimeFormat(language, { numeric: 'auto' });
  const capital = (text: string) => text.charAt(0).toLocaleUpperCase(language) + text.slice(1);

  return {
    number: (value, digits = 0) => new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value),
    bytes: (value) => {
      const [scaledValue, power] = scaled(value, 1000);
      // Three figures say enough: 2.51 GB, 34.8 GB, 348 GB; small units need no fraction.
      const digits = power < 2 || scaledValue >= 100 ? 0 : power === 2 || scaledValue >= 10 ? 1 : 2;
      return unit(scaledValue, BYTE_UNITS[power] ?? 'byte', digits);
    },
    bitrate: (bitsPerSecond) => {
      if (bitsPerSecond >= 1_000_000) return unit(bitsPerSecond / 1_000_000, 'megabit', 1).concat('/s');
      return unit(bitsPerSecond / 1_000, 'kilobit', 0).concat('/s');
    },
    clock: clockText,
    length: (seconds) => {
      const whole = Math.max(0, Math.round(seconds));
      if (whole < 60) return unit(whole, 'second', 0);
      const hours = Math.floor(whole / 3600);
      const minutes = Math.floor((whole % 3600) / 60);
      if (hours === 0) {
        const rest = whole % 60;
        return rest === 0 || minutes >= 10
          ? unit(minutes, 'minute', 0)
          : `${unit(minutes, 'minute', 0)} ${unit(rest, 'second', 0)}`;
      }
      return minutes === 0 ? unit(hours, 'hour', 0) : `${unit(hours, 'hour', 0)} ${unit(minutes, 'minute', 0)}`;
    },
    minutes: (value) => unit(value, 'minute', 0),
    delay: (milliseconds) =>
      milliseconds < 1000
        ? unit(Math.round(milliseconds / 10) * 10, 'millisecond', 0)
        : unit(milliseconds / 1000, 'second', 1),
    fps: (value) => new Intl.NumberFormat(language, { maximumFractionDigits: value < 10 ? 1 : 0 }).format(value),
    percent: (ratio) => new Intl.NumberFormat(language, { style: 'percent', maximumFractionDigits: 1 }).format(ratio),
    time: (date) => clockTime.format(new Date(date)),
    dateTime: (date) => fullTime.format(new Date(date)),
    moment: (date) => minuteTime.format(new Date(date)),
    day: (date, now) => {
      const at = new Date(date);
      const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
      if (dayKey(at) === dayKey(now)) return capital(relative.format(0, 'day'));
      if (dayKey(at) === dayKey(yesterday)) return capital(relative.format(-1, 'day'));
      return capital((at.getFullYear() === now.getFullYear() ? dayThisYear : dayOtherYear).format(at));
    },
    relative: (date, now) => {
      const seconds = Math.round((new Date(date).getTime() - now.getTime()) / 1000);
      for (const [name, size] of RELATIVE_STEPS) {
        if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), name);
      }
      return relative.format(0, 'second');
    },
  };
}
