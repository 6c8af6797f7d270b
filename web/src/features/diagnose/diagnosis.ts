// The server's account of itself, and its log as lines that can be filtered. Pure.

export const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG', 'TRACE'] as const;
export type Level = (typeof LEVELS)[number];

export interface LogLine {
  level: Level;
  text: string;
}

const LEVEL = new RegExp(`\\b(${LEVELS.join('|')})\\b`);

/** Lines with their levels. A line without one (the rest of a long message) has that of the line before. */
export function readLog(lines: string[]): LogLine[] {
  let level: Level = 'INFO';
  return lines.map((text) => {
    level = (LEVEL.exec(text.slice(0, 80))?.[1] as Level | undefined) ?? level;
    return { level, text };
  });
}

/** Those that are at least as grave, and hold the words. */
export function filterLog(lines: LogLine[], least: Level, words: string): LogLine[] {
  const wanted = words.trim().toLowerCase();
  const most = LEVELS.indexOf(least);
  return lines.filter(
    ({ level, text }) => LEVELS.indexOf(level) <= most && (wanted === '' || text.toLowerCase().includes(wanted)),
  );
}
