// A small club for tests: courts with moving pictures, people with passwords.
import { execFileSync } from 'node:child_process';

export const PASSWORD = 'a short sentence 43';
const PICTURE = 'testcard:?width=640&height=360&fps=25&gop=25';

/** Makes the club, its courts (each with a camera of its own) and its people. */
export async function makeClub(call, { courts = ['Court 1', 'Court 2'], people = {} } = {}) {
  const { club } = await call('POST', '/api/clubs', { name: 'Riverside Tennis' });
  const terrains = [];
  for (const name of courts) {
    const { camera } = await call('POST', '/api/cameras', { name: `Camera of ${name}`, url: PICTURE, always_on: true });
    const { terrain } = await call('POST', `/api/clubs/${club.id}/terrains`, { name, camera_id: camera.id });
    terrains.push(terrain);
  }
  for (const [username, role] of Object.entries(people)) {
    await call('POST', '/api/admin/users', { username, role, club_id: club.id, password: PASSWORD });
  }
  return { club, terrains };
}

export async function signInAs(context, base, username) {
  const answer = await context.request.post(`${base}/api/auth/login`, {
    data: { username, password: PASSWORD },
    headers: { 'X-Requested-With': 'vigie' },
  });
  if (!answer.ok()) throw new Error(`sign-in answered ${answer.status()}`);
}

/** What ffprobe says of a file: streams and format. */
export function probe(path) {
  const args = ['-v', 'error', '-count_frames', '-show_streams', '-show_format', '-of', 'json', path];
  return JSON.parse(execFileSync('ffprobe', args, { encoding: 'utf8' }));
}

/** Whether `moov` stands before `mdat`, so that a player need not read to the end. */
export function fastStart(bytes) {
  const order = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    let size = bytes.readUInt32BE(at);
    order.push(bytes.toString('latin1', at + 4, at + 8));
    if (size === 1) size = Number(bytes.readBigUInt64BE(at + 8));
    if (size < 8) break;
    at += size;
  }
  return order.includes('moov') && order.indexOf('moov') < order.indexOf('mdat');
}
