// What administrators ask and do: clubs, courts (the list of them is in courts.ts), people, tablets, the audit log. One hook per question, one function per
// action, as in queries.ts.
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { del, get, post, put } from './client';
import type {
  Account,
  AccountInput,
  AuditEntry,
  Club,
  ClubInput,
  KioskPass,
  NewKioskPass,
  Terrain,
  TerrainInput,
} from './model';
import { fetchClubs, keys } from './queries';

export const adminKeys = {
  clubs: keys.clubs,
  terrains: keys.terrains,
  passes: (terrain: number) => ['terrains', terrain, 'passes'] as const,
  accounts: ['accounts'] as const,
  audit: ['audit'] as const,
};

/** The clubs that the caller may see: all of them, or their own. */
export const useClubs = (enabled = true) =>
  useQuery({
    queryKey: adminKeys.clubs,
    queryFn: ({ signal }) => fetchClubs(signal),
    enabled,
  });

export const usePasses = (terrain: number) =>
  useQuery({
    queryKey: adminKeys.passes(terrain),
    queryFn: async ({ signal }) =>
      (await get<{ passes: KioskPass[] }>(`/api/terrains/${terrain}/kiosk`, signal)).passes,
  });

/** The people that the caller may manage. */
export const useAccounts = (enabled = true) =>
  useQuery({
    queryKey: adminKeys.accounts,
    queryFn: async ({ signal }) => (await get<{ users: Account[] }>('/api/admin/users', signal)).users,
    enabled,
  });

export interface AuditFilter {
  actor: string;
  action: string;
}
export const AUDIT_PAGE = 50;

/** The audit log, newest first, page by page. */
export const useAudit = ({ actor, action }: AuditFilter) =>
  useInfiniteQuery({
    queryKey: [...adminKeys.audit, actor, action],
    queryFn: async ({ pageParam, signal }) => {
      const asked = new URLSearchParams({ limit: String(AUDIT_PAGE) });
      if (pageParam !== null) asked.set('before', String(pageParam));
      if (actor !== '') asked.set('actor', actor);
      if (action !== '') asked.set('action', action);
      return (await get<{ entries: AuditEntry[] }>(`/api/admin/audit?${asked}`, signal)).entries;
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.length < AUDIT_PAGE ? undefined : page.at(-1)?.id),
  });

export const adminActions = {
  createClub: async (body: ClubInput) => (await post<{ club: Club }>('/api/clubs', body)).club,
  updateClub: async (id: number, body: ClubInput) => (await put<{ club: Club }>(`/api/clubs/${id}`, body)).club,
  deleteClub: (id: number) => del(`/api/clubs/${id}`),
  createTerrain: async (club: number, body: Partial<TerrainInput>) =>
    (await post<{ terrain: Terrain }>(`/api/clubs/${club}/terrains`, body)).terrain,
  updateTerrain: async (id: number, body: Partial<TerrainInput>) =>
    (await put<{ terrain: Terrain }>(`/api/terrains/${id}`, body)).terrain,
  deleteTerrain: (id: number) => del(`/api/terrains/${id}`),
  createPass: (terrain: number, body: { hours: number; name?: string }) =>
    post<NewKioskPass>(`/api/terrains/${terrain}/kiosk`, body),
  revokePass: (terrain: number, pass: number) => del(`/api/terrains/${terrain}/kiosk/${pass}`),
  createAccount: (body: Partial<AccountInput>) => post<{ user: Account; password?: string }>('/api/admin/users', body),
  updateAccount: async (id: number, body: Partial<AccountInput>) =>
    (await put<{ user: Account }>(`/api/admin/users/${id}`, body)).user,
  deleteAccount: (id: number) => del(`/api/admin/users/${id}`),
  resetPassword: (id: number, password?: string) =>
    post<{ password?: string }>(`/api/admin/users/${id}/password`, password ? { password } : {}),
};
