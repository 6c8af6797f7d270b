// How far a club is before it can record: a camera, a court that looks through it, somebody who plays there.
import { useAccounts } from '../../api/admin';
import { useTerrains } from '../../api/courts';
import type { Account, Camera, Terrain } from '../../api/model';
import { useCameras } from '../../api/queries';

export interface Progress {
  camera: boolean;
  court: boolean;
  player: boolean;
}

/** Of one club, or with `null` of the server as a whole. A camera of nobody is there for every club. */
export function progressOf(cameras: Camera[], terrains: Terrain[], accounts: Account[], club: number | null): Progress {
  const of = (its: number | null | undefined) => club === null || its === club;
  return {
    camera: cameras.some((camera) => camera.club_id == null || of(camera.club_id)),
    court: terrains.some((terrain) => terrain.camera_id !== null && of(terrain.club_id)),
    player: accounts.some((account) => account.role === 'PLAYER' && of(account.club_id)),
  };
}

export const isDone = ({ camera, court, player }: Progress) => camera && court && player;

/** `undefined` until everything that it depends on is known. For administrators. */
export function useProgress(club: number | null): Progress | undefined {
  const cameras = useCameras().data;
  const terrains = useTerrains().data;
  const accounts = useAccounts().data;
  return cameras && terrains && accounts && progressOf(cameras, terrains, accounts, club);
}
