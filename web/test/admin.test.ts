// What administrators' screens decide by themselves.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ApiError } from '../src/api/client';
import { tell, tellField } from '../src/api/errors';
import type { Account, AuditEntry, Camera, Terrain } from '../src/api/model';
import { may, type Permission } from '../src/app/permissions';
import { ACTION_NAMES, actorsOf, splitTarget, TARGET_NAMES } from '../src/features/audit/words';
import { courtChanges } from '../src/features/cameras/court-changes';
import { camerasFor, sharedBy } from '../src/features/clubs/courts';
import { isThisMachine, picture } from '../src/features/clubs/kiosk';
import { timeZones } from '../src/features/clubs/zones';
import { isDone, progressOf } from '../src/features/start/progress';
import { expiresAt } from '../src/features/tokens/expiry';
import { findPeople, givableRoles } from '../src/features/users/people';
import type { I18n } from '../src/i18n';
import en from '../src/i18n/en.json';
import { toCsv } from '../src/lib/csv';

const account = (id: number, fields: Partial<Account> = {}): Account => ({
  id,
  username: `user-${id}`,
  role: 'PLAYER',
  club_id: 1,
  club_name: 'Riverside',
  enabled: true,
  created_at: '2026-11-21T10:00:00Z',
  last_login_at: null,
  ...fields,
});
const terrain = (id: number, camera_id: number | null, club_id = 1): Terrain => ({
  id,
  club_id,
  club_name: 'Riverside',
  name: `Court ${id}`,
  camera_id,
  camera_name: null,
  enabled: true,
  created_at: '2026-11-21T10:00:00Z',
  status: 'ready',
  session_id: null,
  recording_by: null,
  recording_until: null,
  live: false,
});
const camera = (id: number, club_id: number | null) => ({ id, club_id, name: `Camera ${id}` }) as Camera;

describe('who sees which place', () => {
  const places: Permission[] = ['cameras.see', 'tokens', 'people', 'courts', 'clubs', 'audit', 'diagnose'];
  it('is as the roles say', () => {
    expect(places.filter((place) => may('SUPER_ADMIN', place))).toEqual(places);
    expect(places.filter((place) => !may('CLUB_ADMIN', place))).toEqual(['clubs', 'audit']);
    expect(places.filter((place) => may('PLAYER', place))).toEqual([]);
  });

  it('sources inside the server are for its administrators', () => {
    expect((['SUPER_ADMIN', 'CLUB_ADMIN', 'PLAYER'] as const).filter((role) => may(role, 'cameras.local'))).toEqual([
      'SUPER_ADMIN',
    ]);
  });
});

describe('people', () => {
  const people = [
    account(1, { username: 'Zoe' }),
    account(2, { username: 'adam', club_id: 2 }),
    account(3, { username: 'operator', role: 'SUPER_ADMIN', club_id: null }),
  ];
  const names = (words: string, club: string) => findPeople(people, { words, club }).map(({ username }) => username);

  it('are found by part of their name, whatever its case, administrators first', () => {
    expect(names('', '')).toEqual(['operator', 'adam', 'Zoe']);
    expect(names(' ZO', '')).toEqual(['Zoe']);
    expect(names('nobody', '')).toEqual([]);
  });

  it('are found by their club', () => {
    expect(names('', '2')).toEqual(['adam']);
    expect(names('', 'none')).toEqual(['operator']);
  });

  it('of a club are made players by its administrator, and nothing else', () => {
    expect(givableRoles('CLUB_ADMIN')).toEqual(['PLAYER']);
    expect(givableRoles('SUPER_ADMIN')).toContain('SUPER_ADMIN');
  });
});

describe('refusals', () => {
  const i18n = { t: (key: string) => en[key as keyof typeof en] } as I18n;
  it.each([
    ['last_super_admin', 'This is the last administrator'],
    ['own_account', 'This is your own account'],
    ['duplicate_username', 'Somebody else has this user name'],
    ['club_has_terrains', 'The club still has courts'],
    ['camera_in_other_club', 'This camera belongs to another club'],
    ['session_active', 'Somebody is using this court now'],
  ])('%s is said to people', (code, sentence) => {
    expect(tell(i18n, new ApiError(409, code, 'in other words')).title).toBe(sentence);
  });

  it('of one field are found by its name', () => {
    const error = new ApiError(422, 'invalid_field', '', { password: { code: 'missing', error: 'Enter it again.' } });
    expect(tellField(error, 'password')).toBe('Enter it again.');
    expect(tellField(error, 'username')).toBeUndefined();
    expect(tellField(new Error('other'), 'password')).toBeUndefined();
  });
});

describe('courts', () => {
  it('are offered the cameras of their club and those of nobody', () => {
    const cameras = [camera(1, 1), camera(2, 2), camera(3, null)];
    expect(camerasFor(cameras, 1).map(({ id }) => id)).toEqual([1, 3]);
  });

  it('tell who else looks through a camera', () => {
    const courts = [terrain(1, 7), terrain(2, 7), terrain(3, null)];
    expect(sharedBy(courts, 7, 1).map(({ id }) => id)).toEqual([2]);
    expect(sharedBy(courts, 7, undefined)).toHaveLength(2);
  });

  it('get and lose a camera when its form says so', () => {
    const courts = [terrain(1, 7), terrain(2, null), terrain(3, 8)];
    expect(courtChanges(courts, 7, 1)).toEqual([]);
    expect(courtChanges(courts, 7, 2)).toEqual([
      { terrain: 1, camera_id: null },
      { terrain: 2, camera_id: 7 },
    ]);
    expect(courtChanges(courts, 7, null)).toEqual([{ terrain: 1, camera_id: null }]);
    expect(courtChanges(courts, 9, 3)).toEqual([{ terrain: 3, camera_id: 9 }]);
    expect(courtChanges(courts, 9, null)).toEqual([]);
  });

  it('keep a shared camera where it also looks', () => {
    const courts = [terrain(1, 7), terrain(2, 7)];
    expect(courtChanges(courts, 7, 2)).toEqual([{ terrain: 1, camera_id: null }]);
  });
});

describe('the first steps', () => {
  it('are counted for one club, or for the server', () => {
    const done = progressOf([camera(1, 1)], [terrain(1, 1)], [account(1)], null);
    expect(isDone(done)).toBe(true);
    expect(progressOf([camera(1, 1)], [terrain(1, 1)], [account(1)], 2)).toEqual({
      camera: false,
      court: false,
      player: false,
    });
    expect(progressOf([camera(1, null)], [], [], 2).camera).toBe(true);
  });

  it('are not done by a court without a camera, nor by an administrator', () => {
    const progress = progressOf([], [terrain(1, null)], [account(1, { role: 'CLUB_ADMIN' })], null);
    expect(progress).toEqual({ camera: false, court: false, player: false });
  });
});

describe('the link of a tablet', () => {
  it('is a picture whose markup nobody reads', () => {
    const address = picture('<svg onload="alert(1)">é#</svg>');
    expect(address.startsWith('data:image/svg+xml')).toBe(true);
    expect(address).not.toMatch(/[<>"#]/);
  });

  it('is known to lead nowhere when it names this machine', () => {
    for (const host of ['127.0.0.1:5000', 'localhost:5000', '[::1]:5000'])
      expect(isThisMachine(`http://${host}/kiosk/1#s`)).toBe(true);
    expect(isThisMachine('http://192.168.1.5:5000/kiosk/1#s')).toBe(false);
    expect(isThisMachine('http://127-club.example/kiosk/1')).toBe(false);
  });
});

describe('a token', () => {
  const now = new Date('2026-11-21T10:00:00Z');
  it('ends when its choice says', () => {
    expect(expiresAt('never', '', now)).toBeUndefined();
    expect(expiresAt('30', '', now)).toBe('2026-12-21T10:00:00.000Z');
    expect(expiresAt('date', '', now)).toBeUndefined();
  });

  it('lasts until the end of a chosen day', () => {
    expect(new Date(expiresAt('date', '2027-03-04', now) ?? '').getTime()).toBe(
      new Date(2027, 2, 4, 23, 59, 59).getTime(),
    );
  });
});

describe('the audit log', () => {
  it('names what was done to', () => {
    expect(splitTarget('camera/3')).toEqual(['camera', '3']);
    expect(splitTarget('session/sess_1_2_3')).toEqual(['session', 'sess_1_2_3']);
    expect(splitTarget('user')).toEqual(['user', '']);
  });

  it('has words for everything that the server writes into it', () => {
    const server = join(import.meta.dirname, '../../crates/control/src');
    const sources = readdirSync(server, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.rs'))
      .map((name) => readFileSync(join(server, name), 'utf8'));
    const calls = sources.flatMap((text) => text.match(/(?<!fn )\baudit\([^;]*?\.await|let action = [^;]*;/g) ?? []);
    const strings = calls.flatMap((call) => [...call.matchAll(/"([a-z_]+(?:\.[a-z_]+)?)(\/)?/g)]);
    const codes = new Set(strings.filter(([, , slash]) => !slash).map(([, code = '']) => code));
    // Where somebody who was identified did it, the action comes first; what follows are particulars.
    const notes = sources.flatMap((text) => [...text.matchAll(/\bnote(?:_account)?\(\s*&?who,\s*"([a-z_.]+)"/g)]);
    for (const [, code = ''] of notes) codes.add(code);
    for (const target of [...Object.keys(TARGET_NAMES), 'videos']) codes.delete(target);
    expect(codes.size).toBeGreaterThan(15);
    expect([...codes].filter((code) => !(code in ACTION_NAMES))).toEqual([]);
    // And no words for what it never writes.
    expect(Object.keys(ACTION_NAMES).filter((code) => !codes.has(code))).toEqual([]);
  });

  it('offers each person once, also those who are gone', () => {
    const entries = [{ actor: 'gone' }, { actor: 'operator' }, { actor: '' }] as AuditEntry[];
    expect(actorsOf(entries, ['operator', 'adam'])).toEqual(['adam', 'gone', 'operator']);
  });

  it('is a file that spreadsheets read and do not run', () => {
    const text = toCsv([
      ['a,b', 'say "x"', 'two\nlines'],
      ['=1+1', '@x', '-5'],
    ]);
    expect(text).toBe('\uFEFF"a,b","say ""x""","two\nlines"\r\n\'=1+1,\'@x,\'-5\r\n');
  });
});

it('every time zone can be chosen once, the present one among them', () => {
  const zones = timeZones('Mars/Olympus');
  expect(zones).toEqual(expect.arrayContaining(['UTC', 'Europe/Paris', 'Mars/Olympus']));
  expect(new Set(zones).size).toBe(zones.length);
});
