// The binary half of /api/live/ws: u32 big-endian subscription id, u8 kind, payload.

export const Kind = { Init: 0, Fragment: 1, Picture: 2 } as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

export interface Frame {
  id: number;
  kind: Kind;
  payload: Uint8Array<ArrayBuffer>;
}

const HEADER = 5;

/** Splits one WebSocket message; `null` when it is too short or of a kind we do not know. The payload is not copied. */
export function parseFrame(message: ArrayBuffer): Frame | null {
  if (message.byteLength < HEADER) return null;
  const view = new DataView(message);
  const kind = view.getUint8(4);
  if (kind !== Kind.Init && kind !== Kind.Fragment && kind !== Kind.Picture) return null;
  return { id: view.getUint32(0), kind, payload: new Uint8Array(message, HEADER) };
}
