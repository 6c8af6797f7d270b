import type { Terrain } from '../../api/model';

export interface CourtChange {
  terrain: number;
  camera_id: number | null;
}

/**
 * What has to change so that a camera looks at `court`, or at none. A camera that several courts share stays with those:
 * only the court that the camera names as its own, the lowest, is let go of.
 */
export function courtChanges(terrains: Terrain[], camera: number, court: number | null): CourtChange[] {
  const [own] = terrains
    .filter((terrain) => terrain.camera_id === camera)
    .map((terrain) => terrain.id)
    .sort((a, b) => a - b);
  if ((own ?? null) === court) return [];
  const held = terrains.some((terrain) => terrain.id === court && terrain.camera_id === camera);
  return [
    ...(own === undefined ? [] : [{ terrain: own, camera_id: null }]),
    ...(court === null || held ? [] : [{ terrain: court, camera_id: camera }]),
  ];
}
