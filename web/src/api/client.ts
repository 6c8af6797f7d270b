// The only place that calls `fetch`. **Every failure leaves here as an ApiError with a stable code**; screens turn the
// code into words (errors.ts) and never look at status lines.

import { early, forgetEarly } from './early';

export class ApiError extends Error {
  override name = 'ApiError';
  constructor(
    /** HTTP status, 0 when the server did not answer. */
    readonly status: number,
    /** Stable code of the envelope (00-overview §0.8), `offline` when there was no answer. */
    readonly code: string,
    /** The server's sentence, in the language that was asked for. */
    message: string,
    readonly details: Record<string, unknown> = {},
    /** Seconds after which trying again makes sense. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
interface Options {
  body?: unknown;
  signal?: AbortSignal;
}

let language = 'en';
let refreshing: Promise<boolean> | null = null;
const signedOutListeners = new Set<() => void>();

export function setApiLanguage(next: string) {
  language = next;
}

/** Called when the server no longer knows who we are. */
export function onSignedOut(listener: () => void): () => void {
  signedOutListeners.add(listener);
  return () => signedOutListeners.delete(listener);
}

async function send(method: Method, path: string, { body, signal }: Options): Promise<Response> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': language };
  if (method !== 'GET') {
    headers['X-Requested-With'] = 'vigie';
    if (path !== '/api/auth/refresh') forgetEarly();
  }
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  try {
    const asked = method === 'GET' ? early(path) : undefined;
    if (asked) return await asked;
    return await fetch(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      signal,
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(0, 'offline', 'no answer');
  }
}

/** One refresh at a time, however many requests found their cookie expired. */
function refresh(): Promise<boolean> {
  refreshing ??= send('POST', '/api/auth/refresh', {})
    .then((response) => response.ok)
    .catch(() => false)
    .finally(() => {
      refreshing = null;
    });
  return refreshing;
}

const IDENTITY_PATHS = ['/api/auth/login', '/api/auth/refresh', '/api/auth/kiosk', '/api/setup'];

/** Sends a request and gives the JSON body, or throws an ApiError. */
export async function request<T>(method: Method, path: string, options: Options = {}): Promise<T> {
  let response = await send(method, path, options);
  if (response.status === 401 && !IDENTITY_PATHS.includes(path)) {
    if (await refresh()) response = await send(method, path, options);
    if (response.status === 401) for (const listener of signedOutListeners) listener();
  }
  const text = await response.text();
  let body: Record<string, unknown> = {};
  try {
    body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
  } catch {
    if (response.ok) throw new ApiError(response.status, 'bad_answer', 'not JSON');
  }
  if (!response.ok || body.success === false) {
    const retryAfter = Number(response.headers.get('Retry-After'));
    throw new ApiError(
      response.status,
      typeof body.code === 'string' ? body.code : `http_${response.status}`,
      typeof body.error === 'string' ? body.error : response.statusText,
      (body.details as Record<string, unknown> | undefined) ?? {},
      Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter : undefined,
    );
  }
  return body as T;
}

export const get = <T>(path: string, signal?: AbortSignal) => request<T>('GET', path, { signal });
export const post = <T>(path: string, body?: unknown) => request<T>('POST', path, { body: body ?? {} });
export const put = <T>(path: string, body: unknown) => request<T>('PUT', path, { body });
export const patch = <T>(path: string, body: unknown) => request<T>('PATCH', path, { body });
export const del = <T>(path: string) => request<T>('DELETE', path);
