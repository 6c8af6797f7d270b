// The API as scripts use it, for what a test needs around the pages.

export const ACCOUNT = { username: 'operator', password: 'a short sentence 42' };

/** Sets a fresh server up, and gives `call(method, path, body)` and cookies for a browser's context. */
export async function administer(base) {
  let token = '';
  const call = async (method, path, body) => {
    const answer = await fetch(base + path, {
      method,
      headers: {
        'Content-Type': 'application/json',
        'X-Requested-With': 'vigie',
        ...(token && { Authorization: `Bearer ${token}` }),
      },
      body: body && JSON.stringify(body),
    });
    const json = await answer.json();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(json)}`);
    return json;
  };
  ({ token } = await call('POST', '/api/setup', ACCOUNT));
  return call;
}

/** Signs a browser's context in. */
export async function signIn(context, base) {
  const answer = await context.request.post(`${base}/api/auth/login`, {
    data: ACCOUNT,
    headers: { 'X-Requested-With': 'vigie' },
  });
  if (!answer.ok()) throw new Error(`sign-in answered ${answer.status()}`);
}

export async function until(what, condition, timeoutMs = 30_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const result = await condition();
    if (result) return result;
    if (Date.now() > end) throw new Error(`${what} did not happen in time`);
    await new Promise((done) => setTimeout(done, 200));
  }
}
