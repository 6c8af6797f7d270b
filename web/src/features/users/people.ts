// Which accounts a list shows, and in which order. Pure.
import type { Account, Role } from '../../api/model';
import { ROLES } from './roles';

export interface PeopleFilter {
  /** Part of the name. */
  words: string;
  /** A club's number, `none` for those without one, empty for all. */
  club: string;
}

export function findPeople(accounts: Account[], { words, club }: PeopleFilter): Account[] {
  const wanted = words.trim().toLocaleLowerCase();
  return accounts
    .filter((account) => account.username.toLocaleLowerCase().includes(wanted))
    .filter((account) => club === '' || (club === 'none' ? account.club_id === null : account.club_id === Number(club)))
    .sort((a, b) => ROLES.indexOf(a.role) - ROLES.indexOf(b.role) || a.username.localeCompare(b.username));
}

/** The roles that somebody of this role may give. */
export const givableRoles = (mine: Role): readonly Role[] => (mine === 'SUPER_ADMIN' ? ROLES : ['PLAYER']);
