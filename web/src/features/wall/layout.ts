// How tiles share the room. Pure.

export interface Grid {
  columns: number;
  tileWidth: number;
  tileHeight: number;
}

const RATIO = 16 / 9;

/** The widest 16:9 tiles with which `count` of them fit without scrolling. */
export function fitGrid(count: number, width: number, height: number, gap: number): Grid {
  let best: Grid = { columns: 1, tileWidth: 0, tileHeight: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const grid = fitColumns(columns, Math.ceil(count / columns), width, height, gap);
    if (grid.tileWidth > best.tileWidth) best = grid;
  }
  return best;
}

/** The widest 16:9 tiles for that many columns and rows. */
export function fitColumns(columns: number, rows: number, width: number, height: number, gap: number): Grid {
  const byWidth = (width - gap * (columns - 1)) / columns;
  const byHeight = ((height - gap * (rows - 1)) / rows) * RATIO;
  const tileWidth = Math.max(0, Math.floor(Math.min(byWidth, byHeight)));
  return { columns, tileWidth, tileHeight: Math.floor(tileWidth / RATIO) };
}

/** Which tile an arrow leads to; stays where it is at an edge. */
export function neighbour(index: number, key: string, columns: number, count: number): number {
  const next =
    key === 'ArrowLeft'
      ? index - 1
      : key === 'ArrowRight'
        ? index + 1
        : key === 'ArrowUp'
          ? index - columns
          : index + columns;
  return next < 0 || next >= count ? index : next;
}
