// What a role may see and do in the interface. The server decides; this only keeps closed doors out of sight.
import { createContext, use } from 'react';
import type { Role, User } from '../api/model';

export const UserContext = createContext<User | null>(null);

export function useUser(): User {
  const user = use(UserContext);
  if (!user) throw new Error('useUser outside the signed-in part');
  return user;
}

export type Permission = 'cameras.manage' | 'cameras.see' | 'videos.delete' | 'tokens';

const GRANTS: Record<Role, readonly Permission[]> = {
  SUPER_ADMIN: ['cameras.manage', 'cameras.see', 'videos.delete', 'tokens'],
  CLUB_ADMIN: ['cameras.manage', 'cameras.see', 'videos.delete', 'tokens'],
  PLAYER: [],
};

export const may = (role: Role, permission: Permission) => GRANTS[role].includes(permission);
export const useMay = (permission: Permission) => may(useUser().role, permission);
