// What a role may see and do in the interface. The server decides; this only keeps closed doors out of sight.
import { createContext, use } from 'react';
import type { Role, User } from '../api/model';

export const UserContext = createContext<User | null>(null);

export function useUser(): User {
  const user = use(UserContext);
  if (!user) throw new Error('useUser outside the signed-in part');
  return user;
}

export type Permission =
  | 'cameras.manage'
  | 'cameras.see'
  | 'cameras.local'
  | 'videos.delete'
  | 'tokens'
  | 'people'
  | 'courts'
  | 'clubs'
  | 'audit'
  | 'diagnose';
const OF_CLUB: readonly Permission[] = [
  'cameras.manage',
  'cameras.see',
  'videos.delete',
  'tokens',
  'people',
  'courts',
  'diagnose',
];
const GRANTS: Record<Role, readonly Permission[]> = {
  SUPER_ADMIN: [...OF_CLUB, 'cameras.local', 'clubs', 'audit'],
  CLUB_ADMIN: OF_CLUB,
  PLAYER: [],
};

export const may = (role: Role, permission: Permission) => GRANTS[role].includes(permission);
export const useMay = (permission: Permission) => may(useUser().role, permission);
