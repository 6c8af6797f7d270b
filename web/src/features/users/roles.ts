// The words for roles, and which of them somebody may give.
import type { Role } from '../../api/model';
import type { Key } from '../../i18n';

export const ROLES: readonly Role[] = ['SUPER_ADMIN', 'CLUB_ADMIN', 'PLAYER'];

export const ROLE_NAMES: Record<Role, Key> = {
  SUPER_ADMIN: 'role.super_admin',
  CLUB_ADMIN: 'role.club_admin',
  PLAYER: 'role.player',
};
export const ROLE_HINTS: Record<Role, Key> = {
  SUPER_ADMIN: 'role.super_admin.hint',
  CLUB_ADMIN: 'role.club_admin.hint',
  PLAYER: 'role.player.hint',
};

/** Whether accounts of this role belong to a club. */
export const needsClub = (role: Role) => role !== 'SUPER_ADMIN';
