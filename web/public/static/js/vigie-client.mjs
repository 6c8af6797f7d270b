// The Vigie client as an ES module; what it does stands in vigie-client.js beside it.
import './vigie-client.js';

export const { VigieError, createVideoSystem, videoSystemService, useVideoRecording, useVideoList, useSystemHealth } =
  globalThis.VigieClient;
export default videoSystemService;
