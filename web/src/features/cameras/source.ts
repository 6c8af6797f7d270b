// Reading what somebody pastes into the address field.

export interface Pasted {
  url: string;
  username?: string;
  password?: string;
}

/** Takes the credentials out of `scheme://user:password@host…`; anything else stays as it is. */
export function splitCredentials(text: string): Pasted {
  const trimmed = text.trim();
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/i.exec(trimmed);
  if (!match) return { url: trimmed };
  const [, scheme = '', user = '', rest = ''] = match;
  const colon = user.indexOf(':');
  const decode = (part: string) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  };
  return {
    url: scheme + rest,
    username: decode(colon < 0 ? user : user.slice(0, colon)),
    password: colon < 0 ? undefined : decode(user.slice(colon + 1)),
  };
}

const NETWORK = ['rtsp', 'rtsps', 'http', 'https'];
/** Sources inside the server itself, which only its administrators may use. */
const LOCAL = ['file', 'testcard'];

export type UrlProblem = 'empty' | 'scheme' | 'host';

/** What is wrong with an address before anybody is asked. */
export function urlProblem(text: string, mayUseLocal: boolean): UrlProblem | null {
  const trimmed = text.trim();
  if (trimmed === '') return 'empty';
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(trimmed)?.[1]?.toLowerCase() ?? '';
  if (mayUseLocal && LOCAL.includes(scheme)) return null;
  if (!NETWORK.includes(scheme)) return 'scheme';
  return /^[a-z][a-z0-9+.-]*:\/\/[^/?#]+/i.test(trimmed) ? null : 'host';
}
