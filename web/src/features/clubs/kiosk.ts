// Small facts about the link of a tablet. Pure.

/** An SVG document as the address of a picture: in an `<img>` no script or link of it can do anything. */
export const picture = (svg: string) => `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;

/** Whether only this very machine reaches the address, so that a tablet would call itself. */
export function isThisMachine(url: string): boolean {
  try {
    const host = new URL(url).hostname;
    return host === 'localhost' || host === '[::1]' || host.startsWith('127.');
  } catch {
    return false;
  }
}
